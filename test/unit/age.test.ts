import { createHash, randomBytes } from 'node:crypto';
import {
  Decrypter,
  Encrypter,
  generateHybridIdentity,
  generateX25519Identity,
  identityToRecipient,
} from 'age-encryption';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { noCipher, openCipher, recipientsCipher } from '../../src/crypto/age.ts';
import { type DecryptionKeys, openDecryption } from '../../src/crypto/decryption.ts';
import type { Cipher } from '../../src/ports.ts';

const identity = await generateX25519Identity();
const recipient = await identityToRecipient(identity);
const keys: DecryptionKeys = { identities: [identity] };
const PASSPHRASE = 'correct horse battery staple';
const byPassphrase = await encrypt(openCipher({ method: 'age-passphrase', passphrase: PASSPHRASE }), [
  Buffer.from('hello'),
]);
/** Around the boundary of a chunk, and several chunks. */
const SIZES = [0, 1, 65_535, 65_536, 65_537, 131_072, 3_000_001];

async function encrypt(cipher: Cipher, parts: readonly Uint8Array[]): Promise<Buffer> {
  const stream = await cipher.open();
  return Buffer.concat([...parts.flatMap((part) => stream.update(part)), ...stream.final()]);
}

async function decrypt(with_: DecryptionKeys, parts: readonly Uint8Array[], recorded?: string[]): Promise<Buffer> {
  const options = { name: 'database.backup.age', ...(recorded === undefined ? {} : { recordedRecipients: recorded }) };
  const stream = openDecryption(with_, options);
  const out: Uint8Array[] = [];
  for (const part of parts) out.push(...(await stream.update(part)));
  return Buffer.concat([...out, ...(await stream.final())]);
}

/** Cuts `bytes` into pieces of the given sizes, over and over; one of them is not 0. */
function pieces(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    parts.push(bytes.subarray(at, at + size));
    at += size;
  }
  return parts;
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('an object encrypted to recipients', () => {
  test.each(SIZES)('of %i bytes is decrypted by the age library and by ourselves', async (size) => {
    const plain = randomBytes(size);
    const sealed = await encrypt(recipientsCipher([recipient]), [plain]);
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    expect(hash(await decrypter.decrypt(sealed))).toBe(hash(plain));
    expect(hash(await decrypt(keys, [sealed]))).toBe(hash(plain));
  });

  test.each(SIZES)('of %i bytes by the age library is decrypted by ourselves', async (size) => {
    const plain = randomBytes(size);
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipient);
    expect(hash(await decrypt(keys, [await encrypter.encrypt(plain)]))).toBe(hash(plain));
  });

  test('is the same however the bytes are cut on their way in and out', async () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 140_000 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 300_000 }), cuts, cuts, async (size, into, outOf) => {
        const plain = randomBytes(size);
        const sealed = await encrypt(recipientsCipher([recipient]), pieces(plain, into));
        expect(hash(await decrypt(keys, pieces(sealed, outOf)))).toBe(hash(plain));
      }),
      { numRuns: 60 },
    );
  });

  test('is the same byte by byte', async () => {
    const plain = randomBytes(400);
    const sealed = await encrypt(recipientsCipher([recipient]), pieces(plain, [1]));
    expect(await decrypt(keys, pieces(sealed, [1]))).toEqual(plain);
  });

  test('keeps nothing of the chunk that it was given, which the caller may overwrite', async () => {
    const stream = await recipientsCipher([recipient]).open();
    const reused = Buffer.alloc(200_000, 'a');
    const out = stream.update(reused);
    reused.fill('b');
    out.push(...stream.update(reused.subarray(0, 10)));
    reused.fill('c');
    out.push(...stream.final());
    const plain = await decrypt(keys, [Buffer.concat(out)]);
    expect(plain.toString()).toBe(`${'a'.repeat(200_000)}${'b'.repeat(10)}`);
  });

  test('is read by each of three of them, and by post-quantum ones', async () => {
    const three = await Promise.all([1, 2, 3].map(() => generateX25519Identity()));
    const hybrid = await generateHybridIdentity();
    const plain = randomBytes(1000);
    const sealed = await encrypt(recipientsCipher(await Promise.all(three.map(identityToRecipient))), [plain]);
    for (const each of three) expect(await decrypt({ identities: [identity, each] }, [sealed])).toEqual(plain);
    const quantum = await encrypt(recipientsCipher([await identityToRecipient(hybrid)]), [plain]);
    expect(await decrypt({ identities: [hybrid] }, [quantum])).toEqual(plain);
  });

  test('has a file key of its own: two of the same bytes have nothing in common', async () => {
    const cipher = recipientsCipher([recipient]);
    const [first, second] = [await encrypt(cipher, [Buffer.alloc(100)]), await encrypt(cipher, [Buffer.alloc(100)])];
    expect(first.subarray(-132)).not.toEqual(second.subarray(-132));
    expect(first.subarray(0, 120)).not.toEqual(second.subarray(0, 120));
  });

  test('holds no more back than one chunk', async () => {
    const stream = await recipientsCipher([recipient]).open();
    let out = 0;
    for (let turn = 1; turn <= 100; turn += 1) {
      out += stream.update(Buffer.alloc(10_000)).reduce((sum, part) => sum + part.length, 0);
      expect(turn * 10_000 - out).toBeLessThanOrEqual(65_536);
    }
  });
});

describe('an encrypted object that was damaged', () => {
  const plainOf = (size: number): Buffer => Buffer.alloc(size, 'x');
  const refused = expect.objectContaining({ code: expect.stringMatching(/^ERR_(STORED_DIFFERS|DECRYPT)$/) });

  test('is refused whichever byte of header, nonce or short payload was flipped', async () => {
    const sealed = await encrypt(recipientsCipher([recipient]), [plainOf(20)]);
    for (const at of sealed.keys()) {
      const broken = Buffer.from(sealed);
      broken[at] = (broken[at] ?? 0) ^ 1;
      await expect(decrypt(keys, [broken]), `byte ${at}`).rejects.toEqual(refused);
    }
  });

  test('is refused at whichever byte it was cut', async () => {
    const sealed = await encrypt(recipientsCipher([recipient]), [plainOf(20)]);
    for (const at of sealed.keys()) {
      await expect(decrypt(keys, [sealed.subarray(0, at)]), `byte ${at}`).rejects.toEqual(refused);
    }
  });

  test('is refused when a byte of a later chunk was flipped, and gives out nothing of that chunk', async () => {
    const sealed = await encrypt(recipientsCipher([recipient]), [plainOf(200_000)]);
    const start = sealed.length - 200_000 - 4 * 16;
    for (const at of [0, 65_535, 65_551, 65_552, 131_104, 196_700, 200_063]) {
      const broken = Buffer.from(sealed);
      broken[start + at] = (broken[start + at] ?? 0) ^ 128;
      await expect(decrypt(keys, pieces(broken, [50_000]))).rejects.toEqual(refused);
    }
  });

  test('is called cut short when whole chunks are missing at its end', async () => {
    const sealed = await encrypt(recipientsCipher([recipient]), [plainOf(200_000)]);
    const payload = sealed.length - 200_000 - 4 * 16;
    for (const chunks of [0, 1, 2, 3]) {
      const cut = sealed.subarray(0, payload + chunks * 65_552);
      await expect(decrypt(keys, [cut])).rejects.toMatchObject({
        code: 'ERR_STORED_DIFFERS',
        message: expect.stringContaining('its end is missing'),
      });
    }
  });

  test('is refused when bytes were added, or chunks changed places', async () => {
    const sealed = await encrypt(recipientsCipher([recipient]), [plainOf(200_000)]);
    await expect(decrypt(keys, [sealed, Buffer.from([0])])).rejects.toEqual(refused);
    const payload = sealed.length - 200_000 - 4 * 16;
    const [first, second] = [0, 1].map((index) =>
      sealed.subarray(payload + index * 65_552, payload + (index + 1) * 65_552),
    );
    const swapped = [sealed.subarray(0, payload), second, first, sealed.subarray(payload + 131_104)] as Uint8Array[];
    await expect(decrypt(keys, swapped)).rejects.toEqual(refused);
  });

  test('is told from one that never was age', async () => {
    await expect(decrypt(keys, [randomBytes(100)])).rejects.toThrow('It is not a file in the age format');
    await expect(decrypt(keys, [])).rejects.toThrow('It is not a file in the age format');
    await expect(decrypt(keys, [Buffer.from('-----BEGIN AGE ENCRYPTED FILE-----\n')])).rejects.toThrow('is armored');
    await expect(decrypt(keys, [Buffer.alloc(2_000_000)])).rejects.toMatchObject({ code: 'ERR_STORED_DIFFERS' });
  });
});

describe('the wrong key', () => {
  test('is an error that names the recipients of the backup and no secret', async () => {
    const other = await generateX25519Identity();
    const sealed = await encrypt(recipientsCipher([recipient]), [Buffer.from('x')]);
    const error = await decrypt({ identities: [other] }, [sealed], [recipient]).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'ERR_DECRYPT', message: expect.stringContaining(recipient) });
    expect(JSON.stringify([error, String(error)])).not.toContain('AGE-SECRET-KEY');
    await expect(decrypt({ passphrase: PASSPHRASE }, [sealed])).rejects.toThrow('encrypted to keys');
  });

  test('is told from a wrong passphrase', async () => {
    expect((await decrypt({ passphrase: PASSPHRASE }, [byPassphrase])).toString()).toBe('hello');
    await expect(decrypt({ passphrase: 'another one' }, [byPassphrase])).rejects.toThrow('is not the one');
    await expect(decrypt(keys, [byPassphrase])).rejects.toThrow('with a passphrase, not to keys');
  });
});

describe('a passphrase', () => {
  test('makes a file that the age library decrypts, and the other way round', async () => {
    const decrypter = new Decrypter();
    decrypter.addPassphrase(PASSPHRASE);
    expect(await decrypter.decrypt(byPassphrase, 'text')).toBe('hello');
    const encrypter = new Encrypter();
    encrypter.setPassphrase(PASSPHRASE);
    encrypter.setScryptWorkFactor(10);
    expect((await decrypt({ passphrase: PASSPHRASE }, [await encrypter.encrypt('there')])).toString()).toBe('there');
  });

  test('that demands more memory than is sane is refused', async () => {
    const header = 'age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 21\n';
    const forged = `${header}${'A'.repeat(43)}\n--- ${'A'.repeat(43)}\n${' '.repeat(40)}`;
    await expect(decrypt({ passphrase: PASSPHRASE }, [Buffer.from(forged)])).rejects.toMatchObject({
      code: 'ERR_STORED_DIFFERS',
      cause: expect.objectContaining({ message: expect.stringContaining('too high') }),
    });
  });
});

test('without encryption bytes pass through and names have no suffix', async () => {
  expect(noCipher.suffix).toBe('');
  expect(await encrypt(openCipher({ method: 'none' }), [Buffer.from('as '), Buffer.from('it is')])).toEqual(
    Buffer.from('as it is'),
  );
});
