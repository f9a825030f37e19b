import { execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { openCipher, parseIdentities } from '../../src/crypto/age.ts';
import { type DecryptionKeys, openDecryption } from '../../src/crypto/decryption.ts';
import type { Cipher } from '../../src/ports.ts';
import { type AgeCli, stockAge } from '../support/age-cli.ts';
import { allOf, describeWith, programAvailable, testIf } from '../support/availability.ts';

const run = promisify(execFile);
const folder = await mkdtemp(path.join(os.tmpdir(), 'age-cli-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const inFolder = (name: string): string => path.join(folder, name);
const PASSPHRASE = 'correct horse battery staple';

async function encrypt(cipher: Cipher, plain: Uint8Array): Promise<Buffer> {
  const stream = await cipher.open();
  const out: Uint8Array[] = [];
  for (let at = 0; at < plain.length; at += 50_000) out.push(...stream.update(plain.subarray(at, at + 50_000)));
  return Buffer.concat([...out, ...stream.final()]);
}

async function decrypt(keys: DecryptionKeys, sealed: Uint8Array): Promise<Buffer> {
  const stream = openDecryption(keys, { name: 'test' });
  return Buffer.concat([...(await stream.update(sealed)), ...(await stream.final())]);
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

interface KeyFile {
  file: string;
  identities: string[];
  recipient: string;
}

async function keygen(cli: AgeCli, name: string, args: readonly string[] = []): Promise<KeyFile> {
  const file = inFolder(name);
  await run(cli.ageKeygen, [...args, '-o', file]);
  const { stdout } = await run(cli.ageKeygen, ['-y', file]);
  return { file, identities: parseIdentities(await readFile(file, 'utf8')), recipient: stdout.trim() };
}

async function ageDecrypts(cli: AgeCli, key: KeyFile, sealed: Uint8Array): Promise<Buffer> {
  await writeFile(inFolder('sealed.age'), sealed);
  // Not with -o: for an empty file age 1.1 then writes none.
  const options = { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 } as const;
  return (await run(cli.age, ['-d', '-i', key.file, inFolder('sealed.age')], options)).stdout;
}

/** `age` reads passphrases from a terminal alone; `script` gives it one and types what comes in. */
async function withTerminal(command: readonly string[], typed: string): Promise<void> {
  const quoted = command.map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qec', quoted, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
  let seen = '';
  child.stdout.on('data', (text: Buffer) => {
    seen += text;
    if (/passphrase[^\n]*: *$/i.test(seen)) child.stdin.write(`${typed}\n`);
  });
  await once(child, 'close');
  clearTimeout(timer);
}

describeWith(await stockAge(), 'the stock age tool', (cli) => {
  const sizes = [0, 1, 65_535, 65_536, 65_537, 5_000_000];

  test('decrypts what we encrypted, of every size around a chunk', async () => {
    const key = await keygen(cli, 'one.txt');
    for (const size of sizes) {
      const plain = randomBytes(size);
      const sealed = await encrypt(openCipher({ method: 'age', recipients: [key.recipient] }), plain);
      expect(hash(await ageDecrypts(cli, key, sealed)), `${size} bytes`).toBe(hash(plain));
    }
  });

  test('decrypts with each of three keys what we encrypted to all of them', async () => {
    const keys = await Promise.all(['a.txt', 'b.txt', 'c.txt'].map((name) => keygen(cli, name)));
    const recipients = keys.map(({ recipient }) => recipient);
    const sealed = await encrypt(openCipher({ method: 'age', recipients }), Buffer.from('for three'));
    for (const key of keys) expect((await ageDecrypts(cli, key, sealed)).toString()).toBe('for three');
    const stranger = await keygen(cli, 'stranger.txt');
    await expect(ageDecrypts(cli, stranger, sealed)).rejects.toThrow(/no identity matched/);
  });

  test('notices that what we encrypted was cut short', async () => {
    const key = await keygen(cli, 'cut.txt');
    const sealed = await encrypt(openCipher({ method: 'age', recipients: [key.recipient] }), randomBytes(200_000));
    await expect(ageDecrypts(cli, key, sealed.subarray(0, -3_456))).rejects.toThrow(/ended with|failed|error/);
  });

  test('encrypts what we decrypt, of every size around a chunk', async () => {
    const key = await keygen(cli, 'theirs.txt');
    for (const size of sizes) {
      const plain = randomBytes(size);
      await writeFile(inFolder('plain'), plain);
      await run(cli.age, ['-r', key.recipient, '-o', inFolder('theirs.age'), inFolder('plain')]);
      const sealed = await readFile(inFolder('theirs.age'));
      expect(hash(await decrypt(key, sealed)), `${size} bytes`).toBe(hash(plain));
    }
  });

  const terminal = allOf(
    process.platform === 'linux' || { skipped: 'script(1) takes other options here' },
    programAvailable('script', ['--version'], 'apt-get install bsdutils'),
  );

  testIf(terminal, 'decrypts with the passphrase what we encrypted, and the other way round', async () => {
    const sealed = await encrypt(openCipher({ method: 'age-passphrase', passphrase: PASSPHRASE }), Buffer.from('ours'));
    await writeFile(inFolder('ours.age'), sealed);
    await withTerminal([cli.age, '-d', '-o', inFolder('ours'), inFolder('ours.age')], PASSPHRASE);
    expect(await readFile(inFolder('ours'), 'utf8')).toBe('ours');
    await writeFile(inFolder('plain'), 'theirs');
    await withTerminal([cli.age, '-p', '-o', inFolder('by-phrase.age'), inFolder('plain')], PASSPHRASE);
    const theirs = await readFile(inFolder('by-phrase.age'));
    expect((await decrypt({ passphrase: PASSPHRASE }, theirs)).toString()).toBe('theirs');
  });
});

describeWith(await stockAge({ postQuantum: true }), 'the stock age tool with post-quantum keys', (cli) => {
  test('decrypts what we encrypted, and the other way round', async () => {
    const key = await keygen(cli, 'quantum.txt', ['-pq']);
    expect(key.recipient).toMatch(/^age1pq1/);
    const plain = randomBytes(100_000);
    const sealed = await encrypt(openCipher({ method: 'age', recipients: [key.recipient] }), plain);
    expect(hash(await ageDecrypts(cli, key, sealed))).toBe(hash(plain));
    await writeFile(inFolder('plain'), plain);
    await run(cli.age, ['-r', key.recipient, '-o', inFolder('theirs.age'), inFolder('plain')]);
    expect(hash(await decrypt(key, await readFile(inFolder('theirs.age'))))).toBe(hash(plain));
  });
});

describe('where age comes from', () => {
  test('a tool that is too old for post-quantum keys is no answer', async () => {
    const cli = await stockAge({ postQuantum: true });
    if ('skipped' in cli) expect(cli.skipped).toContain('age');
    else expect(Number(/\d+\.(\d+)/.exec(cli.version)?.[1])).toBeGreaterThanOrEqual(3);
  });
});
