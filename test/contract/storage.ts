/** What every implementation of `Storage` must do. One suite, run on each of them. */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { formatBackupId } from '../../src/domain/backup-id.ts';
import type { ObjectInfo, Storage } from '../../src/ports.ts';
import { readBytes, writeBytes } from '../../src/storage/write-object.ts';
import { collect, keysOf, MIB, openLine, sha256, writeChunked } from '../support/storage-bench.ts';

/** A place for one suite: every call of `place` names a fresh, empty destination in it. */
export interface StorageHome {
  env: Record<string, string>;
  /** A line of `storage`. */
  place(name: string): string;
  close(): Promise<void>;
}

const text = (value: string): Buffer => Buffer.from(value);
let places = 0;

/**
 * `title` is the implementation's name; `start` brings it up once for the whole suite. `writing` leaves out what a
 * provider that differs in writes only cannot do otherwise.
 */
export function describeStorage(title: string, start: () => Promise<StorageHome>, scope: 'all' | 'writing' = 'all') {
  describe(title, () => {
    let home: StorageHome;
    let storage: Storage;
    let line: string;
    beforeAll(async () => {
      home = await start();
    });
    afterAll(() => home?.close());
    beforeEach(() => {
      line = home.place(`place-${++places}`);
      storage = openLine(line, home.env);
    });
    afterEach(() => storage.close());

    describeWriting(() => storage);
    if (scope === 'all') describeReading(() => storage);
    if (scope === 'all') describeListing(() => storage);

    it('discards what is open and leaves nothing when the run is cancelled', async () => {
      const cancel = new AbortController();
      const cancelled = openLine(line, home.env, { signal: cancel.signal });
      const writer = await cancelled.create('shop/archive');
      await writer.write(randomBytes(12 * MIB));
      cancel.abort();
      await expect(writer.write(randomBytes(12 * MIB)).then(() => writer.commit())).rejects.toMatchObject({
        code: 'ERR_CANCELLED',
      });
      await writer.abort();
      expect(await keysOf(storage)).toEqual([]);
      await expect(collect(cancelled.list(''))).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
      await cancelled.close();
    });

    it('sweeps what is not there without a word', async () => {
      expect(await storage.sweep('shop', new Date())).toEqual({ removed: [], left: [] });
    });

    it('sweeps no write that is going on, and nothing that is finished', async () => {
      // moto says of every upload that it began in 2010: the id's own time counts as well.
      const id = formatBackupId(new Date(), 'nightly', 'k3v9qa');
      await writeBytes(storage, `shop/${id}/metadata.json`, text('{}'));
      const writer = await storage.create(`shop/${id}/database.backup`);
      await writer.write(randomBytes(12 * MIB));
      expect((await storage.sweep('shop', new Date(Date.now() - 60_000))).removed).toEqual([]);
      await writer.commit();
      expect((await storage.sweep('shop', new Date(Date.now() + 60_000))).removed).toEqual([]);
      expect(await keysOf(storage)).toHaveLength(2);
    });

    it('prints a location and URIs without options or secrets', () => {
      expect(storage.location).not.toContain('?');
      expect(storage.uri('shop/a b.json')).toBe(`${storage.location}/shop/a b.json`);
    });
  });
}

function describeWriting(storage: () => Storage): void {
  it.each([
    ['nothing', 0],
    ['a few bytes', 11],
    ['exactly one part of 5 MiB', 5 * MIB],
    ['one byte more than a part', 5 * MIB + 1],
    ['several parts', 23 * MIB + 17],
  ])('stores %s, proves it, and gives it back', async (_what, size) => {
    const bytes = randomBytes(size);
    const stored = await writeChunked(storage(), 'shop/set/database.backup', bytes, { onlyIfAbsent: true });
    expect(stored).toMatchObject({ key: 'shop/set/database.backup', sizeBytes: size, sha256: sha256(bytes) });
    expect(['provider-checksum', 'size-and-etag', 'read-back']).toContain(stored.evidence);
    expect(sha256(await readBytes(storage(), 'shop/set/database.backup'))).toBe(sha256(bytes));
    expect(await storage().stat('shop/set/database.backup')).toMatchObject({ sizeBytes: size });
  });

  it('has taken a chunk whole when write resolves, so that its memory may be used again', async () => {
    const writer = await storage().create('reused');
    const chunk = Buffer.alloc(3 * MIB);
    for (let fill = 1; fill <= 5; fill++) await writer.write(chunk.fill(fill));
    await writer.commit();
    const read = await readBytes(storage(), 'reused');
    expect([0, 1, 2, 3, 4].map((index) => read[index * 3 * MIB])).toEqual([1, 2, 3, 4, 5]);
  });

  it('shows nothing under the key before commit', async () => {
    const writer = await storage().create('shop/set/archive');
    await writer.write(randomBytes(12 * MIB));
    expect(await keysOf(storage())).toEqual([]);
    expect(await collect(storage().listFolders(''))).toEqual([]);
    expect(await storage().stat('shop/set/archive')).toBeUndefined();
    await writer.commit();
    expect(await keysOf(storage())).toEqual(['shop/set/archive']);
  });

  it('leaves nothing after abort, any number of times', async () => {
    const writer = await storage().create('shop/set/archive');
    await writer.write(randomBytes(12 * MIB));
    await Promise.all([writer.abort(), writer.abort()]);
    await writer.abort();
    await expect(writer.write(text('x'))).rejects.toThrow();
    await expect(writer.commit()).rejects.toThrow();
    expect(await keysOf(storage())).toEqual([]);
    expect(await collect(storage().listFolders(''))).toEqual([]);
  });

  it('keeps a committed object when abort comes too late', async () => {
    const writer = await storage().create('kept');
    await writer.write(text('kept'));
    await writer.commit();
    await writer.abort();
    expect(await keysOf(storage())).toEqual(['kept']);
  });

  it('refuses to replace with onlyIfAbsent, and replaces without', async () => {
    await writeBytes(storage(), 'marker', text('first'), { onlyIfAbsent: true });
    await expect(writeBytes(storage(), 'marker', text('second'), { onlyIfAbsent: true })).rejects.toMatchObject({
      code: 'ERR_STORAGE_EXISTS',
    });
    await expect(writeChunked(storage(), 'marker', randomBytes(6 * MIB), { onlyIfAbsent: true })).rejects.toMatchObject(
      { code: 'ERR_STORAGE_EXISTS' },
    );
    expect((await readBytes(storage(), 'marker')).toString()).toBe('first');
    await writeBytes(storage(), 'marker', text('third'));
    expect((await readBytes(storage(), 'marker')).toString()).toBe('third');
  });

  it('lets only one of two writers of the same key win', async () => {
    const [one, two] = [
      await storage().create('same', { onlyIfAbsent: true }),
      await storage().create('same', { onlyIfAbsent: true }),
    ];
    await one.write(text('one'));
    await two.write(text('two'));
    await one.commit();
    await expect(two.commit()).rejects.toMatchObject({ code: 'ERR_STORAGE_EXISTS' });
    await two.abort();
    expect((await readBytes(storage(), 'same')).toString()).toBe('one');
  });

  it('aborts writers that are still open when it is closed', async () => {
    const writer = await storage().create('open');
    await writer.write(randomBytes(6 * MIB));
    await storage().close();
    await expect(writer.commit()).rejects.toThrow();
  });

  it.each(['', '/', '/a', 'a/', 'a//b', '../a', 'a/../b', './a', 'a\\b', 'a\nb', '.unfinished-1', 'a/.unfinished-1/b'])(
    'refuses %j as a key',
    async (key) => {
      await expect(storage().create(key)).rejects.toMatchObject({ code: 'ERR_STORAGE' });
      await expect(storage().get(key)).rejects.toMatchObject({ code: 'ERR_STORAGE' });
      await expect(storage().delete(key)).rejects.toMatchObject({ code: 'ERR_STORAGE' });
    },
  );
}

function describeReading(storage: () => Storage): void {
  it('reads ranges, clipped to what is there', async () => {
    await writeBytes(storage(), 'digits', text('0123456789'));
    const read = async (start: number, end?: number): Promise<string> => {
      const chunks = await collect(await storage().get('digits', end === undefined ? { start } : { start, end }));
      return Buffer.concat(chunks as Buffer[]).toString();
    };
    expect(await read(0, 4)).toBe('0123');
    expect(await read(3, 5)).toBe('34');
    expect(await read(7)).toBe('789');
    expect(await read(7, 100)).toBe('789');
    expect(await read(10)).toBe('');
    expect(await read(4, 4)).toBe('');
  });

  it('says by code that an object is missing', async () => {
    await expect(storage().get('shop/nothing')).rejects.toMatchObject({ code: 'ERR_STORAGE_MISSING' });
    await expect(storage().get('shop/nothing', { start: 2, end: 2 })).rejects.toMatchObject({
      code: 'ERR_STORAGE_MISSING',
    });
  });

  it('knows of an object without reading it, and of nothing that only looks like one', async () => {
    await writeBytes(storage(), 'shop/metadata.json.age', text('12345'));
    const info = await storage().stat('shop/metadata.json.age');
    expect(info).toMatchObject({ key: 'shop/metadata.json.age', sizeBytes: 5 });
    expect(Math.abs((info as ObjectInfo).modifiedAt.getTime() - Date.now())).toBeLessThan(60_000);
    expect(await storage().stat('shop/metadata.json')).toBeUndefined();
    expect(await storage().stat('shop')).toBeUndefined();
  });
}

function describeListing(storage: () => Storage): void {
  it('lists keys of a prefix in key order', async () => {
    for (const key of ['shop/b', 'shop/a/2', 'shop/a-1', 'shop/a/1', 'shoe/x'])
      await writeBytes(storage(), key, text(key));
    expect(await keysOf(storage())).toEqual(['shoe/x', 'shop/a-1', 'shop/a/1', 'shop/a/2', 'shop/b']);
    expect(await keysOf(storage(), 'shop/a')).toEqual(['shop/a-1', 'shop/a/1', 'shop/a/2']);
    expect(await keysOf(storage(), 'shop/a/')).toEqual(['shop/a/1', 'shop/a/2']);
    expect(await keysOf(storage(), 'none/')).toEqual([]);
  });

  it('keeps awkward characters in keys', async () => {
    const keys = ['Shop/x', 'shop/%41', 'shop/a b', 'shop/a+b', 'shop/ä&=?#<>"\'', 'shop/日本'];
    for (const key of keys) await writeBytes(storage(), key, text(key));
    // In any order: not every store sorts these by their bytes.
    expect((await keysOf(storage())).sort()).toEqual(keys);
    for (const key of keys) expect((await readBytes(storage(), key)).toString()).toBe(key);
  });

  it('lists direct sub-folders only', async () => {
    for (const key of ['shop/1/a', 'shop/1/b/c', 'shop/2/a', 'shop/file', 'other/x']) {
      await writeBytes(storage(), key, text(key));
    }
    expect(await collect(storage().listFolders(''))).toEqual(['other/', 'shop/']);
    expect(await collect(storage().listFolders('shop/'))).toEqual(['shop/1/', 'shop/2/']);
  });

  it('deletes, also what is not there, and empty folders vanish', async () => {
    await writeBytes(storage(), 'shop/set/one', text('1'));
    await writeBytes(storage(), 'shop/set/two', text('2'));
    await storage().delete('shop/set/one');
    await storage().delete('shop/set/one');
    await storage().delete('shop/never/there');
    expect(await keysOf(storage())).toEqual(['shop/set/two']);
    await storage().delete('shop/set/two');
    expect(await collect(storage().listFolders(''))).toEqual([]);
  });

  it('lists more objects than fit into one page', async () => {
    const keys = Array.from({ length: 1_003 }, (_, index) => `many/${String(index).padStart(4, '0')}`);
    for (let start = 0; start < keys.length; start += 25) {
      await Promise.all(keys.slice(start, start + 25).map((key) => writeBytes(storage(), key, text('1'))));
    }
    expect(await keysOf(storage(), 'many/')).toEqual(keys);
  });
}
