/** A mount that answers no more, such as NFS without its server: calls to it neither end nor can be cancelled. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DirectoryStorage } from '../../../src/storage/directory/storage.ts';
import { recordingLog } from '../../support/silent-log.ts';

const mount = vi.hoisted(() => ({ dead: false }));
vi.mock('node:fs/promises', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs/promises')>();
  const never = new Promise<void>(() => undefined);
  return { ...real, unlink: (file: string) => (mount.dead ? never : real.unlink(file)) };
});

describe('A directory that answers no more', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'dead-directory-'));
  });
  afterEach(() => {
    mount.dead = false;
    rmSync(folder, { recursive: true });
  });

  test('does not hold the end of a run up: what cannot be removed is named', async () => {
    const log = recordingLog();
    const storage = new DirectoryStorage(folder, { log, signal: new AbortController().signal });
    const writer = await storage.create('shop/set/object');
    await writer.write(Buffer.from('half'));
    mount.dead = true;
    await writer.abort();
    await storage.close();
    expect(log.lines.join('\n')).toMatch(/Could not remove the unfinished file .*There was not enough time/);
  });

  test('does not hold the taking back of a set up longer than its signal says', async () => {
    const time = new AbortController();
    const storage = new DirectoryStorage(folder, { log: recordingLog(), signal: time.signal });
    mount.dead = true;
    const deleting = storage.delete('shop/set/object');
    time.abort();
    await expect(deleting).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
  });
});
