/** The right key, a wrong one, none, a passphrase, and sets that need no key. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { generateX25519Identity } from 'age-encryption';
import { describe, expect, test } from 'vitest';
import { readDocuments } from '../../src/restore/documents.ts';
import { fetchArchive } from '../../src/restore/fetch-archive.ts';
import { describeWith } from '../support/availability.ts';
import { type Clients, clientTools } from '../support/clients.ts';
import { FetchBench, measured } from '../support/fetch-bench.ts';
import { failure } from '../support/s3-fault-bench.ts';
import { flipByte } from '../support/spoil.ts';
import { describeStoredSet } from '../support/stored-set-bench.ts';
import { storeSet } from '../support/stored-sets.ts';

await describeStoredSet((shop) => {
  const { spoiled } = shop;

  describe('and keys', () => {
    test('a wrong one names the recipients that would do, at once', async () => {
      const { bench, parts } = await spoiled();
      const set = await bench.selectSet();
      const wrong = { identities: [await generateX25519Identity()] };
      for (const work of [readDocuments(set, wrong, parts()), fetchArchive(set, shop.contents, wrong, parts())]) {
        expect(await failure(work)).toMatchObject({
          code: 'ERR_DECRYPT',
          message: expect.stringContaining(shop.stored.recipient),
        });
      }
    });

    test('none names them too, and how to give one', async () => {
      const { bench, parts } = await spoiled();
      const error = await failure(readDocuments(await bench.selectSet(), undefined, parts()));
      expect(error).toMatchObject({ code: 'ERR_DECRYPT', hint: expect.stringContaining('age-identity') });
      expect(error.message).toContain(shop.stored.recipient);
    });

    test('a passphrase in place of a key is told from a wrong key', async () => {
      const { bench, parts } = await spoiled();
      const error = await failure(readDocuments(await bench.selectSet(), { passphrase: 'some words here' }, parts()));
      expect(error).toMatchObject({ code: 'ERR_DECRYPT', message: expect.stringContaining('not with a passphrase') });
    });

    test('one of several that fits is enough', async () => {
      const { bench, parts } = await spoiled();
      const several = { identities: [await generateX25519Identity(), shop.stored.identity] };
      expect((await readDocuments(await bench.selectSet(), several, parts())).contents).toEqual(shop.contents);
    });
  });
});

describeWith(await clientTools(17), 'a set with a passphrase, and one that is plain', (tools: Clients) => {
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
