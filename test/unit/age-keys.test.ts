import { randomBytes } from 'node:crypto';
import { Encrypter, generateHybridIdentity, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { describe, expect, test } from 'vitest';
import { openCipher, parseIdentities, parseRecipient, parseRecipients } from '../../src/crypto/age.ts';
import { decodeBech32 } from '../../src/crypto/bech32.ts';

const identity = await generateX25519Identity();
const recipient = await identityToRecipient(identity);
const hybridIdentity = await generateHybridIdentity();
const hybrid = await identityToRecipient(hybridIdentity);

function refusal(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_INPUT' });
    return (error as Error).message;
  }
  throw new Error('was accepted');
}

/** The yardstick: what the age library itself takes. */
function libraryTakes(text: string): boolean {
  try {
    new Encrypter().addRecipient(text);
    return true;
  } catch {
    return false;
  }
}

describe('a recipient', () => {
  test('is taken with blanks around it; empty lines and comments are nothing', () => {
    expect(parseRecipient(`  ${recipient}\t`)).toBe(recipient);
    expect(parseRecipient(hybrid)).toBe(hybrid);
    expect(['', '   ', '# the key in the safe'].map(parseRecipient)).toEqual([undefined, undefined, undefined]);
    expect(parseRecipients(['# two people', recipient, '', recipient])).toEqual([recipient]);
  });

  test('with one character changed, left out or added is refused, as the age library does', () => {
    for (const at of Array.from(recipient).keys()) {
      const other = recipient[at] === 'q' ? 'p' : 'q';
      for (const middle of [other, '', `${recipient[at]}q`]) {
        const text = `${recipient.slice(0, at)}${middle}${recipient.slice(at + 1)}`;
        expect(libraryTakes(text)).toBe(false);
        refusal(() => parseRecipient(text));
      }
    }
    expect(refusal(() => parseRecipient(recipient.slice(0, -5)))).toContain('checksum');
    refusal(() => parseRecipient(hybrid.slice(0, -1)));
    refusal(() => parseRecipient(recipient.toUpperCase()));
  });

  test('that is in truth a secret key is refused without being repeated', () => {
    for (const secret of [identity, hybridIdentity, identity.toLowerCase(), `key: ${identity}`]) {
      const message = refusal(() => parseRecipient(secret));
      expect(message).toContain('SECRET key');
      expect(message).not.toContain(secret.slice(-20));
    }
    expect(refusal(() => parseRecipient('-----BEGIN OPENSSH PRIVATE KEY-----'))).toContain('SECRET key');
  });

  test('of SSH, of a plugin or of another tool is refused with what to use instead', () => {
    const ssh = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO8Xh2 someone@host';
    expect(refusal(() => parseRecipient(ssh))).toMatch(/SSH keys are not supported.*age-keygen/);
    const plugin = 'age1yubikey1q2w7u3vpya839jxxuq8g0sedh3d740d4xvn639sqhr95ejj8vu3hyfumptt';
    expect(refusal(() => parseRecipient(plugin))).toMatch(/plugins|checksum/);
    expect(refusal(() => parseRecipient('0xDEADBEEF'))).toContain('begins with age1');
  });

  test('of the classic kind beside a post-quantum one is refused, as age does', () => {
    expect(refusal(() => parseRecipients([recipient, hybrid]))).toContain('mixed');
    expect(refusal(() => parseRecipients(['# none']))).toContain('no recipient');
    expect(refusal(() => openCipher({ method: 'age', recipients: [] }))).toContain('no recipient');
  });
});

describe('an identity', () => {
  test('is found in the file that age-keygen writes', () => {
    const file = `# created: 2026-11-21T02:00:00Z\n# public key: ${recipient}\n${identity}\r\n\n${hybridIdentity}\n`;
    expect(parseIdentities(file)).toEqual([identity, hybridIdentity]);
  });

  test('that is public, damaged, encrypted or missing is refused without being repeated', () => {
    const damaged = `${identity.slice(0, -1)}${identity.endsWith('Q') ? 'P' : 'Q'}`;
    const message = refusal(() => parseIdentities(damaged));
    expect(message).toContain('checksum');
    expect(message).not.toContain(damaged.slice(20, 40));
    expect(refusal(() => parseIdentities(recipient))).toContain('public key');
    expect(refusal(() => parseIdentities('# only words\n'))).toContain('no secret key');
    expect(refusal(() => parseIdentities('-----BEGIN AGE ENCRYPTED FILE-----'))).toContain('itself encrypted');
    refusal(() => parseIdentities('-----BEGIN OPENSSH PRIVATE KEY-----'));
  });
});

describe('a passphrase', () => {
  test('that is short, or cannot be typed at a prompt, is refused without being repeated', () => {
    for (const passphrase of ['short', '', 'two\nlines of it', ' begins with a blank', 'ends with one ']) {
      const message = refusal(() => openCipher({ method: 'age-passphrase', passphrase }));
      if (passphrase !== '') expect(message).not.toContain(passphrase);
    }
    expect(openCipher({ method: 'age-passphrase', passphrase: 'ünïcødé is fine' }).suffix).toBe('.age');
  });
});

test('bech32 is read as its specification says', () => {
  // Valid and invalid strings of BIP 173.
  for (const text of ['A12UEL5L', 'abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw']) {
    expect(decodeBech32(text)).toBeDefined();
  }
  expect(decodeBech32('split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w')?.prefix).toBe('split');
  const invalid = [
    'pzry9x0s0muk',
    '1pzry9x0s0muk',
    'x1b4n0q5v',
    'li1dgmt3',
    'A1G7SGD8',
    '10a06t8',
    '1qzzfhee',
    'A12uEL5L',
  ];
  for (const text of invalid) expect(decodeBech32(text)).toBeUndefined();
  expect(decodeBech32(recipient)?.bytes).toHaveLength(32);
  expect(decodeBech32(randomBytes(20).toString('hex'))).toBeUndefined();
});
