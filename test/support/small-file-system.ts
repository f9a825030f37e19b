/** File systems that are soon full. Making one needs the right to mount. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { messageOf } from '../../src/domain/errors.ts';
import type { Availability } from './availability.ts';

/** Whether {@link mountSmall} works here; tried once, in a folder of its own. */
export function canMount(): Availability {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'mount-'));
  try {
    mountSmall(folder, 1)();
    return true;
  } catch (error) {
    return { skipped: `this user may not mount a tmpfs (${messageOf(error).split('\n')[0]})` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Lays an empty file system of so many MiB over a folder; returns what takes it away with all that is in it. */
export function mountSmall(folder: string, mebibytes: number, access: 'rw' | 'ro' = 'rw'): () => void {
  const options = `${access},size=${mebibytes}m,mode=0700`;
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'pipe', encoding: 'utf8' });
  return () => {
    execFileSync('umount', ['--lazy', folder], { stdio: 'pipe' });
  };
}
