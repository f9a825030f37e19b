import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { generateHybridIdentity, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readKeys, secretsOf } from '../../../src/restore/keys.ts';
import { NOT_ROOT, testIf } from '../../support/availability.ts';

const [one, other, hybrid] = await Promise.all([
  generateX25519Identity(),
  generateX25519Identity(),
  generateHybridIdentity(),
]);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'keys-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, text: string | Buffer): Promise<string> {
  await writeFile(path.join(folder, name), text);
  return path.join(folder, name);
}

const from = (identityFiles: string[], identities: string[] = []) => readKeys({ identities, identityFiles });

test('keys of the input and of files are gathered, each once, and are what must be masked', async () => {
  const text = `# created: 2026-11-21T02:00:00Z\n# public key: ${await identityToRecipient(other)}\n${other}\r\n${hybrid}\n`;
  const keys = await from([await file('two.txt', text), await file('again.txt', other)], [one]);
  expect(keys).toEqual({ identities: [one, other, hybrid] });
  expect(secretsOf(keys)).toEqual([one, other, hybrid]);
});

test('nothing given is nothing, a passphrase is itself', async () => {
  expect(await from([])).toBeUndefined();
  expect(secretsOf(undefined)).toEqual([]);
  const keys = await readKeys({ identities: [], identityFiles: [], passphrase: 'five random words' });
  expect(keys).toEqual({ passphrase: 'five random words' });
  expect(secretsOf(keys)).toEqual(['five random words']);
});

test('a passphrase and keys exclude each other', async () => {
  const both = readKeys({ identities: [one], identityFiles: [], passphrase: 'five random words' });
  await expect(both).rejects.toMatchObject({ code: 'ERR_INPUT', message: expect.stringContaining('both') });
});

test.each<[string, () => Promise<string>, RegExp]>([
  ['is not there', async () => path.join(folder, 'missing.txt'), /missing\.txt.*no such file/],
  [
    'is a folder',
    async () => {
      await mkdir(path.join(folder, 'folder'), { recursive: true });
      return path.join(folder, 'folder');
    },
    /it is a folder/,
  ],
  ['is empty', () => file('empty.txt', ''), /no secret key/],
  ['holds comments only', () => file('comments.txt', '# nothing\n'), /no secret key/],
  ['holds the public key', async () => file('public.txt', await identityToRecipient(one)), /public key/],
  ['holds a damaged key', () => file('damaged.txt', one.slice(0, -3)), /checksum/],
  ['is itself encrypted', () => file('locked.txt', '-----BEGIN AGE ENCRYPTED FILE-----\n'), /age -d/],
  ['is binary', () => file('binary', Buffer.alloc(3000, 0x80)), /not an age secret key/],
  ['is huge', () => file('huge', Buffer.alloc(2 * 1024 * 1024, '#')), /too large/],
])('a file that %s is named, and no key is repeated', async (_how, make, words) => {
  const name = await make();
  const error = (await from([name]).catch((thrown: unknown) => thrown)) as Error;
  expect(error).toMatchObject({ code: 'ERR_INPUT' });
  expect(error.message).toMatch(words);
  expect(error.message).toContain(name);
  expect(error.message).not.toContain(one.slice(20, 40));
});

testIf(NOT_ROOT, 'a file that may not be read says so', async () => {
  const name = await file('secret.txt', one);
  await chmod(name, 0);
  await expect(from([name])).rejects.toMatchObject({ message: expect.stringContaining('may not read it') });
});
