/** What only a local directory can get wrong. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, open, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Storage } from '../../src/ports.ts';
import { writeBytes } from '../../src/storage/write-object.ts';
import { collect, keysOf, MIB, openLine, recordingLog, writeChunked } from '../support/storage-bench.ts';

let folder: string;
let root: string;
let storage: Storage;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'directory-'));
  root = join(folder, 'backups');
  storage = openLine(root, {});
});
afterEach(async () => {
  await storage.close();
  await rm(folder, { recursive: true, force: true });
});

async function unfinishedFile(directory: string): Promise<string> {
  const [name] = (await readdir(directory)).filter((entry) => entry.startsWith('.unfinished-'));
  return join(directory, name ?? 'none');
}

it('makes directories that only their owner enters and files that only their owner reads', async () => {
  await writeBytes(storage, 'shop/set/metadata.json', Buffer.from('{}'));
  const mode = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);
  expect(await mode(root)).toBe('700');
  expect(await mode(join(root, 'shop', 'set'))).toBe('700');
  expect(await mode(join(root, 'shop', 'set', 'metadata.json'))).toBe('600');
});

it('lists in byte order, and neither unfinished files of a crashed run nor links', async () => {
  for (const key of ['shop/b', 'shop/a/1', 'shop/a-1', 'Z', 'ä']) await writeBytes(storage, key, Buffer.from('1'));
  await mkdir(join(root, 'crashed', 'set'), { recursive: true });
  await writeFile(join(root, 'crashed', 'set', '.unfinished-0123456789abcdef'), 'half');
  await symlink('/etc/hostname', join(root, 'link'));
  expect(await keysOf(storage)).toEqual(['Z', 'shop/a-1', 'shop/a/1', 'shop/b', 'ä']);
  expect(await collect(storage.listFolders(''))).toEqual(['shop/']);
});

it('is empty, not broken, while the directory does not exist', async () => {
  expect(await keysOf(storage)).toEqual([]);
  expect(await collect(storage.listFolders('shop/'))).toEqual([]);
  expect(await storage.stat('shop/x')).toBeUndefined();
  await storage.delete('shop/x');
});

it('refuses bytes that read back differently, and shows nothing', async () => {
  const writer = await storage.create('shop/archive', { onlyIfAbsent: true });
  await writer.write(randomBytes(3 * MIB));
  const file = await open(await unfinishedFile(join(root, 'shop')), 'r+');
  await file.write(Buffer.from('flipped'), 0, 7, 2 * MIB);
  await file.close();
  await expect(writer.commit()).rejects.toMatchObject({ code: 'ERR_STORED_DIFFERS' });
  await writer.abort();
  expect(await readdir(folder)).toEqual([]);
});

it('removes the directories it made when it aborts, and no others', async () => {
  await writeBytes(storage, 'shop/old/metadata.json', Buffer.from('{}'));
  const writer = await storage.create('shop/new/deep/archive');
  await writer.abort();
  expect(await readdir(join(root, 'shop'))).toEqual(['old']);
});

it('sweeps unfinished files of dead runs of its series, and nothing that is young or somebody else’s', async () => {
  const old = new Date('2026-11-01T00:00:00Z');
  const [dead, young] = ['20261001_020000_nightly_k3v9qa', '20261120_020000_nightly_k3v9qa'];
  const file = async (path: string, modifiedAt = old): Promise<void> => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), 'half');
    await utimes(join(root, path), modifiedAt, modifiedAt);
  };
  const kept = [
    `shop/${dead}/metadata.json`,
    `shop/${young}/.unfinished-0000000000000001`,
    'shop/photos/.unfinished-0000000000000002',
    `shop2/${dead}/.unfinished-0000000000000003`,
    'shop/.unfinished-0000000000000004',
  ];
  for (const path of kept) await file(path);
  const busy = `shop/${dead}/.unfinished-0000000000000005`;
  await file(busy, new Date('2026-11-19T00:00:00Z'));
  const lonely = dead.replace('k3v9qa', '000000');
  const stale = [`shop/${lonely}/.unfinished-0000000000000006`, `shop/${dead}/.unfinished-0000000000000007`];
  for (const path of stale) await file(path);
  const report = await storage.sweep('shop', new Date('2026-11-15T00:00:00Z'));
  expect(report.left).toEqual([]);
  expect([...report.removed].sort()).toEqual(stale.sort());
  const files = await readdir(root, { recursive: true, withFileTypes: true });
  const there = files
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
  expect(there.sort()).toEqual([...kept, busy].sort());
  expect(await readdir(join(root, 'shop'))).not.toContain(lonely);
});

it('says so when a file stands in the place of the directory', async () => {
  await writeFile(root, 'a file');
  await expect(storage.create('shop/x')).rejects.toMatchObject({
    code: 'ERR_STORAGE',
    message: expect.stringContaining('a file stands where a directory is needed'),
  });
});

it('warns instead of failing when an unfinished file cannot be removed', async () => {
  const log = recordingLog();
  const watched = openLine(root, {}, { log });
  const writer = await watched.create('shop/x');
  const path = await unfinishedFile(join(root, 'shop'));
  await rm(path);
  await mkdir(path);
  await writer.abort();
  expect(log.lines).toEqual([expect.stringMatching(/^warning: Could not remove the unfinished file /)]);
});

/** A tiny file system of its own needs the right to mount. */
function mountTmpfs(path: string): string | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', path], { stdio: 'pipe' });
    return undefined;
  } catch {
    return 'this user may not mount a tmpfs';
  }
}

const probe = await mkdtemp(join(tmpdir(), 'mount-'));
const cannotMount = mountTmpfs(probe);
if (cannotMount === undefined) execFileSync('umount', [probe]);
await rm(probe, { recursive: true });

const title = cannotMount === undefined ? 'on a small file system' : `on a small file system (skipped: ${cannotMount})`;
describe.skipIf(cannotMount !== undefined)(title, () => {
  beforeEach(async () => {
    await mkdir(root);
    mountTmpfs(root);
  });
  afterEach(() => {
    execFileSync('umount', ['-l', root]);
  });

  it('reports a full disk by code, keeps older backups and leaves nothing of the new one', async () => {
    await writeBytes(storage, 'shop/old/metadata.json', Buffer.from('{}'));
    const writer = await storage.create('shop/new/archive');
    await expect(writer.write(randomBytes(3 * MIB))).rejects.toMatchObject({
      code: 'ERR_STORAGE_FULL',
      message: expect.stringContaining('the disk is full'),
    });
    await writer.abort();
    expect(await keysOf(storage)).toEqual(['shop/old/metadata.json']);
    expect(await readdir(join(root, 'shop'))).toEqual(['old']);
    await writeChunked(storage, 'shop/fits/archive', randomBytes(MIB));
  });

  it('reports a read-only file system as denied', async () => {
    execFileSync('mount', ['-o', 'remount,ro', root]);
    await expect(storage.create('shop/x')).rejects.toMatchObject({ code: 'ERR_STORAGE_DENIED' });
  });
});

// Root may write anywhere; there the read-only file system above shows the same code.
if (process.getuid?.() !== 0) {
  it('reports a directory without the right to write as denied', async () => {
    await mkdir(root);
    await chmod(root, 0o500);
    await expect(storage.create('shop/x')).rejects.toMatchObject({ code: 'ERR_STORAGE_DENIED' });
    await chmod(root, 0o700);
  });
}
