import { generateHybridIdentity, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { expect, test } from 'vitest';
import { backupSelector, identitySources } from '../../src/inputs/recovery-values.ts';

const identity = await generateX25519Identity();
const hybrid = await generateHybridIdentity();
const recipient = await identityToRecipient(identity);

function refusal(text: string): string {
  try {
    identitySources(text, {});
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_INPUT' });
    return (error as Error).message;
  }
  throw new Error('was accepted');
}

test('keys, classic and post-quantum, comments and paths stand one a line', () => {
  const text = `# created: 2026-11-21\n# public key: ${recipient}\n${identity}\r\n\n  ${hybrid}  \n./keys/old.txt\n/run/secrets/key\n`;
  expect(identitySources(text, {})).toEqual({
    identities: [identity, hybrid],
    identityFiles: ['./keys/old.txt', '/run/secrets/key'],
  });
  expect(identitySources('key.txt', {})).toEqual({ identities: [], identityFiles: ['key.txt'] });
  expect(identitySources('', {})).toEqual({ identities: [], identityFiles: [] });
});

test('a public key is told from a secret one', () => {
  expect(refusal(recipient)).toMatch(/public key.*only encrypts/);
});

test.each([
  ['cut short', identity.slice(0, -4)],
  ['with a letter changed', identity.replace(/.$/, (last) => (last === 'Q' ? 'P' : 'Q'))],
  ['in small letters', identity.toLowerCase()],
  ['without its first letters', identity.slice(3)],
  ['without its prefix', identity.slice('AGE-SECRET-KEY-1'.length)],
  ['in the middle of a line', `key: ${identity}`],
])('a secret key %s is refused and never repeated', (_how, text) => {
  const message = refusal(text);
  expect(message).not.toContain(text.slice(-12));
  expect(message.toUpperCase()).not.toContain(identity.slice(20, 40));
});

test('keys of other kinds are refused, and no line of them becomes a path', () => {
  const pem = '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA/BG5vbmUAAAAEbm9uZQ\n-----END…';
  expect(refusal(pem)).not.toContain('b3Blbn');
  expect(refusal('ssh-ed25519 AAAAC3Nz')).toMatch(/SSH/);
  expect(refusal('-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----')).toMatch(/age -d/);
});

test('a path that only a shell expands is refused', () => {
  expect(refusal('~/key.txt')).toMatch(/shell/);
});

test('`backup` is read by the grammar of selectors', () => {
  expect(backupSelector('latest', {})).toEqual({ kind: 'latest' });
  expect(() => backupSelector('', {})).toThrow(/empty/);
});
