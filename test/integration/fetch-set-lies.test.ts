/** Sets whose own documents say what is not so: they are believed only as far as everything agrees. */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { identityToRecipient } from 'age-encryption';
import { describe, expect, test } from 'vitest';
import { recipientsCipher } from '../../src/crypto/age.ts';
import { readDocuments } from '../../src/restore/documents.ts';
import { fetchArchive } from '../../src/restore/fetch-archive.ts';
import { codes } from '../support/fetch-bench.ts';
import { failure } from '../support/s3-fault-bench.ts';
import { changeManifest } from '../support/spoil.ts';
import { CONTENTS, describeStoredSet } from '../support/stored-set-bench.ts';

await describeStoredSet((shop) => {
  const { object, spoiled } = shop;

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
      const work =
        role === 'archive'
          ? fetchArchive(set, shop.contents, shop.keys, parts())
          : readDocuments(set, shop.keys, parts());
      const error = await failure(work);
      expect(error).toMatchObject({ code: 'ERR_BACKUP_DAMAGED', message: expect.stringContaining('SHA-256') });
      expect(error.hint).toContain('nothing was touched');
    });

    test('about the SHA-256 in one place: the other is taken, and that they differ is said', async () => {
      const { bench, parts } = await spoiled(lie({ sha256: 'ab'.repeat(32) }, 'archive'));
      const set = await bench.selectSet();
      expect(codes(set.findings)).toEqual(['copies-differ']);
      expect((await fetchArchive(set, shop.contents, shop.keys, parts())).from).toBe(set.copies[1]?.uri);
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

  test('contents.json of another set is not believed though its bytes are whole', async () => {
    const { bench, parts } = await spoiled(async (first, second) => {
      for (const place of [first, second]) await swapContents(place);
    });
    const error = await failure(readDocuments(await bench.selectSet(), shop.keys, parts()));
    expect(error).toMatchObject({ code: 'ERR_BACKUP_DAMAGED', message: expect.stringContaining('is that of') });
  });

  /** A contents.json of another id, encrypted and recorded as it should be. */
  async function swapContents(place: string): Promise<void> {
    const other = { ...shop.contents, id: shop.contents.id.replace(/.{6}$/, 'zzzzzz') };
    const stream = await recipientsCipher([await identityToRecipient(shop.stored.identity)]).open();
    const sealed = Buffer.concat([...stream.update(Buffer.from(JSON.stringify(other))), ...stream.final()]);
    await writeFile(object(place, CONTENTS), sealed);
    const sha256 = createHash('sha256').update(sealed).digest('hex');
    await changeManifest(object(place, 'metadata.json'), ({ objects }) => ({
      objects: objects.map((each) => (each.role === 'contents' ? { ...each, sha256, sizeBytes: sealed.length } : each)),
    }));
  }
});
