import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapePassField } from '../../src/domain/connection/pass-file.ts';
import { lookupPassword, parsePassFile } from '../../src/domain/connection.ts';

const key = { host: 'db.example.com', port: 5432, dbname: 'shop', user: 'app' };
const lookup = (text: string, change: Partial<typeof key> = {}) =>
  lookupPassword(parsePassFile(text), { ...key, ...change });

describe('the password file', () => {
  it('gives the first line that fits, wildcards included', () => {
    const text = '# comment\n\ndb.example.com:5433:*:*:wrong\n*:5432:shop:app:right\n*:*:*:*:late\n';
    expect(lookup(text)).toBe('right');
    expect(lookup(text, { user: 'other' })).toBe('late');
  });

  it('gives nothing when no line fits, and passes over lines with too few fields', () => {
    expect(lookup('other:*:*:*:x\ndb.example.com:5432:shop:app\n')).toBeUndefined();
  });

  it('reads escaped colons and backslashes, and CRLF line ends', () => {
    expect(lookup('db.example.com:5432:shop:app:a\\:b\\\\c\r\n')).toBe('a:b\\c');
    expect(lookup('\\:\\:1:5432:shop:app:six\n', { host: '::1' })).toBe('six');
  });

  it('does not take an escaped star for a wildcard', () => {
    expect(lookup('\\*:*:*:*:x')).toBeUndefined();
  });

  it('calls a socket in the default folder localhost', () => {
    expect(lookup('localhost:*:*:*:local', { host: '/var/run/postgresql' })).toBe('local');
    expect(lookup('localhost:*:*:*:local', { host: '/srv/socket' })).toBeUndefined();
    expect(lookup('/srv/socket:*:*:*:local', { host: '/srv/socket' })).toBe('local');
  });

  it('gives back every password that was escaped into it', () => {
    const oneLine = fc.string({ unit: 'binary' }).filter((text) => !/[\r\n]/.test(text));
    fc.assert(
      fc.property(oneLine, oneLine, (user, password) => {
        expect(lookup(`*:*:*:${escapePassField(user)}:${escapePassField(password)}`, { user })).toBe(password);
      }),
    );
  });
});
