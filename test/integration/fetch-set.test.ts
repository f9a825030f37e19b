/** Real sets in directories, spoiled in every way: what is fetched is the archive that was taken, or nothing. */
import { readdirSync, statSync } from 'node:fs';
import { chmod, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readDocuments } from '../../src/restore/documents.ts';
import { fetchArchive, openArchiveHead } from '../../src/restore/fetch-archive.ts';
import { NOT_ROOT, testIf } from '../support/availability.ts';
import { codes, FetchBench, measured } from '../support/fetch-bench.ts';
import { runTool } from '../support/run-tool.ts';
import { failure } from '../support/s3-fault-bench.ts';
import { canMount, mountSmall } from '../support/small-file-system.ts';
import { cutShort, flipByte } from '../support/spoil.ts';
import { ARCHIVE, CONTENTS, describeStoredSet, GLOBALS } from '../support/stored-set-bench.ts';

await describeStoredSet((shop, tools) => {
  const { object, plain, spoiled, selected } = shop;

  describe('that is whole', () => {
    test('gives contents, roles and the archive that pg_dump wrote, from the first destination', async () => {
      const { bench, first, parts, workDir } = await spoiled();
      const set = await bench.selectSet();
      expect(set.copies.map(({ uri }) => uri)).toEqual([expect.stringContaining(first), expect.any(String)]);
      const documents = await readDocuments(set, shop.keys, parts());
      expect(documents.contents.id).toBe(shop.stored.manifest.id);
      expect(documents.globals).toContain('CREATE ROLE');
      expect([...set.findings, ...documents.findings]).toEqual([]);
      const { archive, from, phases, findings } = await fetchArchive(set, documents.contents, shop.keys, parts());
      if (archive.kind !== 'file') throw new Error('it is not a file');
      expect(archive.path.startsWith(workDir)).toBe(true);
      expect(await measured(archive.path)).toEqual({ sha256: plain()?.sha256, sizeBytes: plain()?.sizeBytes });
      expect(statSync(archive.path).mode & 0o777).toBe(0o600);
      expect(from).toBe(set.copies[0].uri);
      expect(phases.map(({ phase }) => phase)).toEqual(['fetch', 'decrypt']);
      expect(phases.every(({ seconds }) => seconds >= 0)).toBe(true);
      expect(findings).toEqual([]);
      expect(await runTool(tools.pgRestore, ['--list', archive.path])).toContain('TABLE DATA public');
    });

    test('shows the table of contents before anything is fetched as a whole', async () => {
      const { bench, parts } = await spoiled();
      const head = await openArchiveHead(await bench.selectSet(), shop.keys, parts());
      const [piece] = (await head.take(1).toArray()) as [Buffer];
      head.destroy();
      expect(piece.subarray(0, 5).toString('latin1')).toBe('PGDMP');
    });
  });

  describe('whose first copy is bad', () => {
    test.each([
      ['a flipped byte in the archive', ARCHIVE, (file: string) => flipByte(file)],
      ['a flipped byte in the header of the archive', ARCHIVE, (file: string) => flipByte(file, 30)],
      ['a flipped byte at the end of the archive', ARCHIVE, (file: string) => flipByte(file, statSync(file).size - 1)],
      ['an archive that is cut short', ARCHIVE, (file: string) => cutShort(file, 1)],
      ['an archive that is cut to nothing', ARCHIVE, (file: string) => cutShort(file, 1e9)],
      ['an archive that is gone', ARCHIVE, (file: string) => rm(file)],
      ['an archive with more behind it', ARCHIVE, (file: string) => writeFile(file, 'more', { flag: 'a' })],
      ['another file in place of the archive', ARCHIVE, (file: string) => writeFile(file, 'something else')],
    ])('%s: the second is taken and the first named', async (_what, name, spoil) => {
      const { set, parts, first, workDir } = await selected((place) => spoil(object(place, name)));
      const { archive, from, findings } = await fetchArchive(set, shop.contents, shop.keys, parts());
      if (archive.kind !== 'file') throw new Error('it is not a file');
      expect((await measured(archive.path)).sha256).toBe(plain()?.sha256);
      expect(from).toBe(set.copies[1]?.uri);
      expect(findings).toEqual([expect.objectContaining({ code: 'copy-damaged', severity: 'warning' })]);
      expect(findings[0]?.seen).toContain(first);
      expect(readdirSync(path.join(workDir, 'archive'))).toHaveLength(1);
    });

    test.each([
      ['a flipped byte in contents.json', CONTENTS, (file: string) => flipByte(file)],
      ['contents.json cut short', CONTENTS, (file: string) => cutShort(file, 5)],
      ['contents.json gone', CONTENTS, (file: string) => rm(file)],
      ['a flipped byte in the roles', GLOBALS, (file: string) => flipByte(file)],
      ['roles cut short', GLOBALS, (file: string) => cutShort(file, 20)],
      ['roles gone', GLOBALS, (file: string) => rm(file)],
    ])('%s: the second is taken and the first named', async (_what, name, spoil) => {
      const { set, parts, first } = await selected((place) => spoil(object(place, name)));
      const documents = await readDocuments(set, shop.keys, parts());
      expect(documents.contents).toEqual(shop.contents);
      expect(documents.globals).toContain('CREATE ROLE');
      expect(codes(documents.findings)).toEqual(['copy-damaged']);
      expect(documents.findings[0]?.seen).toContain(first);
      expect(documents.findings[0]?.seen).toContain(name);
    });

    test('a damaged beginning: the table of contents goes on with the second copy', async () => {
      const { set, parts } = await selected((place) => flipByte(object(place, ARCHIVE)));
      expect(await measured(await openArchiveHead(set, shop.keys, parts()))).toEqual({
        sha256: plain()?.sha256,
        sizeBytes: plain()?.sizeBytes,
      });
    });

    test.each([
      ['missing', (file: string) => rm(file)],
      ['of another size', (file: string) => cutShort(file, 1)],
    ])('an object that is %s shows in the listing already', async (_how, spoil) => {
      for (const name of [ARCHIVE, CONTENTS, GLOBALS]) {
        const { bench, second } = await spoiled((place) => spoil(object(place, name)));
        const set = await bench.selectSet();
        expect(set.copies.map(({ uri }) => uri)).toEqual([expect.stringContaining(second)]);
        expect(codes(set.findings)).toEqual(['copy-damaged']);
        expect(set.findings[0]?.seen).toContain(name);
      }
    });

    test('a lost guide is nothing that a restore needs', async () => {
      const { bench } = await spoiled((place) => rm(object(place, 'RESTORE.md')));
      expect((await bench.selectSet()).findings).toEqual([]);
    });
  });

  test('damaged in every place, it is refused with both places and nothing is left on the disk', async () => {
    const { set, parts, first, second, workDir } = await selected(async (one, other) => {
      await flipByte(object(one, ARCHIVE));
      await rm(object(other, ARCHIVE));
    });
    const error = await failure(fetchArchive(set, shop.contents, shop.keys, parts()));
    expect(error.code).toBe('ERR_BACKUP_DAMAGED');
    for (const words of [ARCHIVE, shop.stored.manifest.id, first, second]) expect(error.message).toContain(words);
    expect(readdirSync(path.join(workDir, 'archive'))).toEqual([]);
  });

  describe('and a disk', () => {
    const noRoom = { freeBytes: async () => 1000 };

    test('without room: the archive is checked first and comes as a stream, as often as it is wanted', async () => {
      const { bench, parts, workDir } = await spoiled();
      const fetched = await fetchArchive(await bench.selectSet(), shop.contents, shop.keys, parts(noRoom));
      if (fetched.archive.kind !== 'stream') throw new Error('it is no stream');
      expect(codes(fetched.findings)).toEqual(['archive-streamed']);
      for (const _time of [1, 2]) {
        expect(await measured(await fetched.archive.open())).toMatchObject({ sha256: plain()?.sha256 });
      }
      expect(readdirSync(workDir)).toEqual([]);
    });

    test('without room and damaged: nothing begins', async () => {
      const { set, parts } = await selected(async (first, second) => {
        for (const place of [first, second]) await flipByte(object(place, ARCHIVE));
      });
      const error = await failure(fetchArchive(set, shop.contents, shop.keys, parts(noRoom)));
      expect(error.code).toBe('ERR_BACKUP_DAMAGED');
    });

    test('a copy that goes bad between check and stream is replaced in mid-stream', async () => {
      const { set, parts, first } = await selected(async () => undefined);
      const { archive } = await fetchArchive(set, shop.contents, shop.keys, parts(noRoom));
      if (archive.kind !== 'stream') throw new Error('it is no stream');
      await flipByte(object(first, ARCHIVE));
      expect(await measured(await archive.open())).toMatchObject({ sha256: plain()?.sha256 });
    });

    test('every copy going bad after the check makes the stream fail', async () => {
      const { set, parts, first, second } = await selected(async () => undefined);
      const { archive } = await fetchArchive(set, shop.contents, shop.keys, parts(noRoom));
      if (archive.kind !== 'stream') throw new Error('it is no stream');
      for (const place of [first, second]) await cutShort(object(place, ARCHIVE), 1);
      expect(await failure(measured(await archive.open()))).toMatchObject({ code: 'ERR_BACKUP_DAMAGED' });
    });

    testIf(canMount(), 'that becomes full in the middle: it is streamed, and the file is gone', async () => {
      const { bench, parts } = await spoiled();
      const small = await shop.stored.folder();
      const unmount = mountSmall(small, 1);
      try {
        const set = await bench.selectSet();
        const lying = { ...parts({ freeBytes: async () => Number.MAX_SAFE_INTEGER }), workDir: small };
        // The shop is smaller than the smallest file system: most of that is taken first.
        await writeFile(path.join(small, 'ballast'), Buffer.alloc(1024 * 1024 - 16 * 1024));
        const fetched = await fetchArchive(set, shop.contents, shop.keys, lying);
        expect(fetched.archive.kind).toBe('stream');
        expect(fetched.findings[0]?.seen).toContain('became full');
        expect(readdirSync(path.join(small, 'archive'))).toEqual([]);
      } finally {
        unmount();
      }
    });
  });

  test('a cancelled run ends with its own reason, and no destination is blamed', async () => {
    const controller = new AbortController();
    const [first, second] = await shop.stored.copies();
    const bench = new FetchBench([first, second], { signal: controller.signal });
    const set = await bench.selectSet();
    controller.abort(new Error('cancelled by hand'));
    await expect(fetchArchive(set, shop.contents, shop.keys, bench.parts(await shop.stored.folder()))).rejects.toThrow(
      'by hand',
    );
  });

  testIf(NOT_ROOT, 'a file that may not be read is a storage’s fault, told as such', async () => {
    const { set, parts } = await selected((first) => chmod(object(first, ARCHIVE), 0));
    const { findings } = await fetchArchive(set, shop.contents, shop.keys, parts());
    expect(codes(findings)).toEqual(['destination-passed-over']);
  });
});
