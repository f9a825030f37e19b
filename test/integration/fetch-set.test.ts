/** Real sets in directories, spoiled in every way: what is fetched is the archive that was taken, or nothing. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DecryptionKeys } from '../../src/crypto/decryption.ts';
import type { Contents } from '../../src/domain/contents.ts';
import { readDocuments } from '../../src/restore/documents.ts';
import { fetchArchive, openArchiveHead } from '../../src/restore/fetch-archive.ts';
import type { FetchParts } from '../../src/restore/fetched.ts';
import { describeWith, testIf } from '../support/availability.ts';
import { type Clients, clientTools } from '../support/clients.ts';
import { codes, FetchBench, measured } from '../support/fetch-bench.ts';
import { runTool } from '../support/run-tool.ts';
import { failure } from '../support/s3-fault-bench.ts';
import { canMount, mountSmall } from '../support/small-file-system.ts';
import { changeManifest, cutShort, flipByte } from '../support/spoil.ts';
import { type StoredSet, storeSet } from '../support/stored-sets.ts';

const ARCHIVE = 'database.backup.age';
const CONTENTS = 'contents.json.age';
const GLOBALS = 'globals.sql.age';
const clients = await clientTools(17);

describeWith(clients, 'a stored set', (tools: Clients) => {
  let stored: StoredSet;
  let keys: DecryptionKeys;
  let contents: Contents;
  beforeAll(async () => {
    stored = await storeSet({ clients: tools });
    keys = { identities: [stored.identity] };
    const bench = new FetchBench(await stored.copies());
    ({ contents } = await readDocuments(await bench.selectSet(), keys, bench.parts('')));
  });
  afterAll(() => stored?.remove());

  const object = (place: string, name: string): string => path.join(place, stored.setFolder, name);
  const plain = () => contents.plainObjects.find(({ role }) => role === 'archive');

  /** Two copies of the set, spoiled before they are selected. */
  async function spoiled(spoil: (first: string, second: string) => Promise<void> = async () => undefined) {
    const [first, second] = await stored.copies();
    await spoil(first, second);
    const bench = new FetchBench([first, second]);
    const workDir = await stored.folder();
    const parts = (over: Partial<FetchParts> = {}) => bench.parts(workDir, over);
    return { bench, first, second, workDir, parts };
  }

  /** …and after that, so that only reading shows it. */
  async function selected(spoil: (first: string, second: string) => Promise<void>) {
    const scene = await spoiled();
    const set = await scene.bench.selectSet();
    await spoil(scene.first, scene.second);
    return { ...scene, set };
  }

  describe('that is whole', () => {
    test('gives contents, roles and the archive that pg_dump wrote, from the first destination', async () => {
      const { bench, first, parts, workDir } = await spoiled();
      const set = await bench.selectSet();
      expect(set.copies.map(({ uri }) => uri)).toEqual([expect.stringContaining(first), expect.any(String)]);
      const documents = await readDocuments(set, keys, parts());
      expect(documents.contents.id).toBe(stored.manifest.id);
      expect(documents.globals).toContain('CREATE ROLE');
      expect([...set.findings, ...documents.findings]).toEqual([]);
      const { archive, from, phases, findings } = await fetchArchive(set, documents.contents, keys, parts());
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
      const head = await openArchiveHead(await bench.selectSet(), keys, parts());
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
      const { archive, from, findings } = await fetchArchive(set, contents, keys, parts());
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
      const documents = await readDocuments(set, keys, parts());
      expect(documents.contents).toEqual(contents);
      expect(documents.globals).toContain('CREATE ROLE');
      expect(codes(documents.findings)).toEqual(['copy-damaged']);
      expect(documents.findings[0]?.seen).toContain(first);
      expect(documents.findings[0]?.seen).toContain(name);
    });

    test('a damaged beginning: the table of contents goes on with the second copy', async () => {
      const { set, parts } = await selected((place) => flipByte(object(place, ARCHIVE)));
      expect(await measured(await openArchiveHead(set, keys, parts()))).toEqual({
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

  describe('whose metadata.json lies', () => {
    const lie = (change: Partial<{ sizeBytes: number; sha256: string }>, role: string) => (place: string) =>
      changeManifest(object(place, 'metadata.json'), ({ objects }) => ({
        objects: objects.map((each) => (each.role === role ? { ...each, ...change } : each)),
      }));

    test('about the size of the archive: that copy is not complete', async () => {
      const { bench, second } = await spoiled(lie({ sizeBytes: 10 }, 'archive'));
      const set = await bench.selectSet();
      expect(set.copies.map(({ uri }) => uri)).toEqual([expect.stringContaining(second)]);
    });

    test.each(['archive', 'contents', 'globals'])('about the SHA-256 of %s: it is believed nowhere', async (role) => {
      const { bench, parts } = await spoiled(async (first, second) => {
        await lie({ sha256: 'ab'.repeat(32) }, role)(first);
        await lie({ sha256: 'ab'.repeat(32) }, role)(second);
      });
      const set = await bench.selectSet();
      const work = role === 'archive' ? fetchArchive(set, contents, keys, parts()) : readDocuments(set, keys, parts());
      const error = await failure(work);
      expect(error).toMatchObject({ code: 'ERR_BACKUP_DAMAGED', message: expect.stringContaining('SHA-256') });
      expect(error.hint).toContain('nothing was touched');
    });

    test('about the SHA-256 in one place: the other is taken, and that they differ is said', async () => {
      const { bench, parts } = await spoiled(lie({ sha256: 'ab'.repeat(32) }, 'archive'));
      const set = await bench.selectSet();
      expect(codes(set.findings)).toEqual(['copies-differ']);
      expect((await fetchArchive(set, contents, keys, parts())).from).toBe(set.copies[1]?.uri);
    });

    test('a manifest of another set in its place is no manifest of this one', async () => {
      const { bench } = await spoiled(async (first, second) => {
        for (const place of [first, second]) {
          await changeManifest(object(place, 'metadata.json'), ({ id }) => ({ id: id.replace(/.{6}$/, 'zzzzzz') }));
        }
      });
      const error = await failure(bench.selectSet());
      expect(error).toMatchObject({ code: 'ERR_STORED_DIFFERS', message: expect.stringContaining('is that of') });
    });
  });

  test('damaged in every place, it is refused with both places and nothing is left on the disk', async () => {
    const { set, parts, first, second, workDir } = await selected(async (one, other) => {
      await flipByte(object(one, ARCHIVE));
      await rm(object(other, ARCHIVE));
    });
    const error = await failure(fetchArchive(set, contents, keys, parts()));
    expect(error.code).toBe('ERR_BACKUP_DAMAGED');
    for (const words of [ARCHIVE, stored.manifest.id, first, second]) expect(error.message).toContain(words);
    expect(readdirSync(path.join(workDir, 'archive'))).toEqual([]);
  });

  describe('and keys', () => {
    test('a wrong one names the recipients that would do, at once', async () => {
      const { bench, parts } = await spoiled();
      const set = await bench.selectSet();
      const wrong = { identities: [await generateX25519Identity()] };
      for (const work of [readDocuments(set, wrong, parts()), fetchArchive(set, contents, wrong, parts())]) {
        expect(await failure(work)).toMatchObject({
          code: 'ERR_DECRYPT',
          message: expect.stringContaining(stored.recipient),
        });
      }
    });

    test('none names them too, and how to give one', async () => {
      const { bench, parts } = await spoiled();
      const error = await failure(readDocuments(await bench.selectSet(), undefined, parts()));
      expect(error).toMatchObject({ code: 'ERR_DECRYPT', hint: expect.stringContaining('age-identity') });
      expect(error.message).toContain(stored.recipient);
    });

    test('a passphrase in place of a key is told from a wrong key', async () => {
      const { bench, parts } = await spoiled();
      const error = await failure(readDocuments(await bench.selectSet(), { passphrase: 'some words here' }, parts()));
      expect(error).toMatchObject({ code: 'ERR_DECRYPT', message: expect.stringContaining('not with a passphrase') });
    });

    test('one of several that fits is enough', async () => {
      const { bench, parts } = await spoiled();
      const several = { identities: [await generateX25519Identity(), stored.identity] };
      expect((await readDocuments(await bench.selectSet(), several, parts())).contents).toEqual(contents);
    });
  });

  describe('and a disk', () => {
    const noRoom = { freeBytes: async () => 1000 };

    test('without room: the archive is checked first and comes as a stream, as often as it is wanted', async () => {
      const { bench, parts, workDir } = await spoiled();
      const fetched = await fetchArchive(await bench.selectSet(), contents, keys, parts(noRoom));
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
      const error = await failure(fetchArchive(set, contents, keys, parts(noRoom)));
      expect(error.code).toBe('ERR_BACKUP_DAMAGED');
    });

    test('a copy that goes bad between check and stream is replaced in mid-stream', async () => {
      const { set, parts, first } = await selected(async () => undefined);
      const { archive } = await fetchArchive(set, contents, keys, parts(noRoom));
      if (archive.kind !== 'stream') throw new Error('it is no stream');
      await flipByte(object(first, ARCHIVE));
      expect(await measured(await archive.open())).toMatchObject({ sha256: plain()?.sha256 });
    });

    test('every copy going bad after the check makes the stream fail', async () => {
      const { set, parts, first, second } = await selected(async () => undefined);
      const { archive } = await fetchArchive(set, contents, keys, parts(noRoom));
      if (archive.kind !== 'stream') throw new Error('it is no stream');
      for (const place of [first, second]) await cutShort(object(place, ARCHIVE), 1);
      expect(await failure(measured(await archive.open()))).toMatchObject({ code: 'ERR_BACKUP_DAMAGED' });
    });

    testIf(canMount(), 'that becomes full in the middle: it is streamed, and the file is gone', async () => {
      const { bench, parts } = await spoiled();
      const small = await stored.folder();
      const unmount = mountSmall(small, 1);
      try {
        const set = await bench.selectSet();
        const lying = { ...parts({ freeBytes: async () => Number.MAX_SAFE_INTEGER }), workDir: small };
        // The shop is smaller than the smallest file system: most of that is taken first.
        await writeFile(path.join(small, 'ballast'), Buffer.alloc(1024 * 1024 - 16 * 1024));
        const fetched = await fetchArchive(set, contents, keys, lying);
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
    const [first, second] = await stored.copies();
    const bench = new FetchBench([first, second], { signal: controller.signal });
    const set = await bench.selectSet();
    controller.abort(new Error('cancelled by hand'));
    await expect(fetchArchive(set, contents, keys, bench.parts(await stored.folder()))).rejects.toThrow('by hand');
  });

  test('a file that may not be read is a storage’s fault, told as such', async () => {
    if (process.getuid?.() === 0) return;
    const { set, parts } = await selected((first) => chmod(object(first, ARCHIVE), 0));
    const { findings } = await fetchArchive(set, contents, keys, parts());
    expect(codes(findings)).toEqual(['destination-passed-over']);
  });

  test('contents.json of another set is not believed though its bytes are whole', async () => {
    const { bench, parts } = await spoiled(async (first, second) => {
      for (const place of [first, second]) await swapContents(place);
    });
    const error = await failure(readDocuments(await bench.selectSet(), keys, parts()));
    expect(error).toMatchObject({ code: 'ERR_BACKUP_DAMAGED', message: expect.stringContaining('is that of') });
  });

  /** A contents.json of another id, encrypted and recorded as it should be. */
  async function swapContents(place: string): Promise<void> {
    const { recipientsCipher } = await import('../../src/crypto/age.ts');
    const other = { ...contents, id: contents.id.replace(/.{6}$/, 'zzzzzz') };
    const stream = await recipientsCipher([await identityToRecipient(stored.identity)]).open();
    const sealed = Buffer.concat([...stream.update(Buffer.from(JSON.stringify(other))), ...stream.final()]);
    await writeFile(object(place, CONTENTS), sealed);
    const { createHash } = await import('node:crypto');
    const sha256 = createHash('sha256').update(sealed).digest('hex');
    await changeManifest(object(place, 'metadata.json'), ({ objects }) => ({
      objects: objects.map((each) => (each.role === 'contents' ? { ...each, sha256, sizeBytes: sealed.length } : each)),
    }));
  }
});

describeWith(clients, 'a set with a passphrase, and one that is plain', (tools: Clients) => {
  const PASSPHRASE = 'five random words in a row';

  test('the passphrase decrypts, another one and none are told apart', async () => {
    const stored = await storeSet({
      clients: tools,
      inputs: { encryption: 'age', 'age-passphrase': PASSPHRASE, globals: 'false' },
    });
    try {
      const bench = new FetchBench(await stored.copies());
      const set = await bench.selectSet();
      const parts = bench.parts(await stored.folder());
      const documents = await readDocuments(set, { passphrase: PASSPHRASE }, parts);
      expect(documents).not.toHaveProperty('globals');
      await fetchArchive(set, documents.contents, { passphrase: PASSPHRASE }, parts);
      expect(await failure(readDocuments(set, { passphrase: 'five other words in a row' }, parts))).toMatchObject({
        code: 'ERR_DECRYPT',
        message: expect.stringContaining('passphrase is not the one'),
      });
      expect(await failure(readDocuments(set, undefined, parts))).toMatchObject({
        code: 'ERR_DECRYPT',
        hint: expect.stringContaining('age-passphrase'),
      });
    } finally {
      await stored.remove();
    }
  });

  test('plain bytes need no key, and a flipped one is found all the same', async () => {
    const stored = await storeSet({ clients: tools, inputs: { encryption: 'none' } });
    try {
      const [first, second] = await stored.copies();
      const bench = new FetchBench([first, second]);
      const set = await bench.selectSet();
      const parts = bench.parts(await stored.folder());
      const { contents } = await readDocuments(set, undefined, parts);
      const file = path.join(first, stored.setFolder, 'database.backup');
      await flipByte(file);
      const { archive, from, phases } = await fetchArchive(set, contents, undefined, parts);
      expect(from).toContain(second);
      expect(phases.map(({ phase }) => phase)).toEqual(['fetch']);
      if (archive.kind !== 'file') throw new Error('it is not a file');
      const whole = await readFile(path.join(second, stored.setFolder, 'database.backup'));
      expect(readFileSync(archive.path).equals(whole)).toBe(true);
      const streamed = await fetchArchive(set, contents, undefined, { ...parts, freeBytes: async () => 0 });
      if (streamed.archive.kind !== 'stream') throw new Error('it is no stream');
      await flipByte(path.join(second, stored.setFolder, 'database.backup'), 0);
      await expect(measured(await streamed.archive.open())).rejects.toMatchObject({ code: 'ERR_BACKUP_DAMAGED' });
    } finally {
      await stored.remove();
    }
  });
});
