import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConnection } from '../../src/domain/connection.ts';
import { BackupError } from '../../src/domain/errors.ts';

const parse = (text: string, env: Record<string, string> = {}) => parseConnection(text, { PGUSER: 'env-user', ...env });
const message = (text: string, env: Record<string, string> = {}): string => {
  try {
    parse(text, env);
  } catch (error) {
    expect(error).toBeInstanceOf(BackupError);
    expect((error as BackupError).code).toBe('ERR_INPUT');
    return (error as BackupError).message;
  }
  throw new Error('it was accepted');
};

/** user, password, hosts and dbname as one line, to keep the tables readable. */
const brief = (text: string) => {
  const { user, password, hosts, dbname } = parse(text);
  const places = hosts.map(({ host, hostaddr, port }) => `${host}${hostaddr ? `=${hostaddr}` : ''}:${port}`);
  return [user, password ?? '-', places.join(','), dbname].join(' ');
};

describe('a URL is read as libpq reads it', () => {
  // The cases of libpq's own test t/001_uri.pl.
  it.each([
    ['postgresql://uri-user:secret@host:12345/db', 'uri-user secret host:12345 db'],
    ['postgresql://uri-user@host:12345/db', 'uri-user - host:12345 db'],
    ['postgresql://uri-user@host/', 'uri-user - host:5432 uri-user'],
    ['postgresql://uri-user@', 'uri-user - /var/run/postgresql:5432 uri-user'],
    ['postgresql://host:12345/', 'env-user - host:12345 env-user'],
    ['postgresql://host', 'env-user - host:5432 env-user'],
    ['postgresql://', 'env-user - /var/run/postgresql:5432 env-user'],
    ['postgresql://?hostaddr=127.0.0.1', 'env-user - =127.0.0.1:5432 env-user'],
    ['postgresql://example.com?hostaddr=63.1.2.4', 'env-user - example.com=63.1.2.4:5432 env-user'],
    ['postgresql://%68ost/', 'env-user - host:5432 env-user'],
    ['postgresql://host/db?user=uri-user&port=12345', 'uri-user - host:12345 db'],
    ['postgresql://host/db?u%73er=someotheruser&port=12345', 'someotheruser - host:12345 db'],
    ['postgresql://host?user=uri-user', 'uri-user - host:5432 uri-user'],
    ['postgresql://host?', 'env-user - host:5432 env-user'],
    ['postgresql://[::1]:12345/db', 'env-user - ::1:12345 db'],
    ['postgresql://[2001:db8::1234]/', 'env-user - 2001:db8::1234:5432 env-user'],
    ['postgres:///db', 'env-user - /var/run/postgresql:5432 db'],
    ['postgres://uri-user@/db', 'uri-user - /var/run/postgresql:5432 db'],
    ['postgres://?host=/path/to/socket/dir', 'env-user - /path/to/socket/dir:5432 env-user'],
    ['postgres://@host', 'env-user - host:5432 env-user'],
    ['postgres://host:/', 'env-user - host:5432 env-user'],
    ['postgres://otheruser@:12345/db?host=/path/to/socket', 'otheruser - /path/to/socket:12345 db'],
    ['postgres://%2Fvar%2Flib%2Fpostgresql/dbname', 'env-user - /var/lib/postgresql:5432 dbname'],
    // Beyond that test, each compared with PQconninfoParse of 13 and 18.
    ['postgres://u:p@h1,h2:5433,[::1]:5434/db', 'u p h1:5432,h2:5433,::1:5434 db'],
    ['postgres://h1,h2/?port=6000', 'env-user - h1:6000,h2:6000 env-user'],
    ['postgres://u%40x:p%3a@h', 'u@x p: h:5432 u@x'],
    ['postgres://h?password=a%20b+c', 'env-user a b+c h:5432 env-user'],
    ['postgres://u:a:b?c#d@h/db', 'u a:b?c#d h:5432 db'],
    ['postgres://h?user=x&', 'x - h:5432 x'],
    ['postgres://h?user=a&user=b', 'b - h:5432 b'],
    ['postgres://u:p@[fe80::1%25eth0]/db', 'u p fe80::1%eth0:5432 db'],
  ])('%s', (text, expected) => {
    expect(brief(text)).toBe(expected);
  });

  it.each([
    ['postgresql://host?uzer=', '`uzer` is not a keyword'],
    ['postgresql://host/db?u%7aer=x&port=1', '`uzer` is not a keyword'],
    ['postgre://h', 'write postgresql://'],
    ['postgres://[::1', 'brackets'],
    ['postgres://[]', 'is empty'],
    ['postgres://[::1]z', 'brackets'],
    ['postgresql://host?zzz', 'has no "="'],
    ['postgresql://h?&user=x', 'has no "="'],
    ['postgresql://host?key=key=value', 'second "="'],
    ['postgres://host?dbname=%XXfoo', 'two hexadecimal digits'],
    ['postgresql://a%00b', '%00'],
    ['postgresql://%zz', 'two hexadecimal digits'],
    ['postgresql://%1', 'two hexadecimal digits'],
    ['postgresql://%', 'two hexadecimal digits'],
    ['postgresql://u:%ff@h', 'not as UTF-8'],
    ['postgres://h:0/db', '1 to 65535'],
    ['postgres://h:70000/db', '1 to 65535'],
    ['postgres://h:12x/db', 'not a number'],
    ['postgres://a,b,c/?port=1,2', 'as many as hosts'],
    ['postgres://a,b/?hostaddr=127.0.0.1', 'different length'],
    ['postgres://u:p@h/db\nx', 'as one line'],
  ])('%s is refused', (text, words) => {
    expect(message(text)).toContain(words);
  });
});

describe('a password that should have been percent-encoded', () => {
  it.each([
    ['postgres://u:p@ss@host/db', 'p@ss'],
    ['postgres://u:p/w@host:5433/db', 'p/w'],
    ['postgres://u:1/2@host/db', '1/2'],
    ['postgres://u:p?w@host/db', 'p?w'],
    ['postgres://u:p#w@host/db', 'p#w'],
    ['postgres://u:p:w@host/db', 'p:w'],
    ['postgres://u:100%@host/db', '100%'],
    ['postgres://u:a%zz%@host/db', 'a%zz%'],
    ['postgres://u:[x]@host/db', '[x]'],
    ['postgres://u::@/?#[]@host/db', ':@/?#[]'],
    ['postgres://u:p @host/db', 'p '],
    ['postgres://u:p@ss@host/db?application_name=a@b', 'p@ss'],
  ])('is taken literally where there is one sensible reading: %s', (text, password) => {
    const request = parse(text);
    expect([request.user, request.password, request.hosts[0].host, request.dbname]).toEqual([
      'u',
      password,
      'host',
      'db',
    ]);
  });

  it('may belong to a user name with an @, as Azure has them', () => {
    expect(brief('postgres://admin@server:pw@server.example.com/db')).toBe(
      'admin@server pw server.example.com:5432 db',
    );
  });

  it.each([
    ['postgres://u:hunter@h/my@db', 'more than one way'],
    ['postgres://u:a@b?hunter=d@host/db', 'more than one way'],
    ['postgres://u:hunter%2ff%@host/db', '%25'],
    ['postgres://u:hunter/@', 'no host'],
  ])('is refused without being shown where there are several or none: %s', (text, words) => {
    const said = message(text);
    expect(said).toContain(words);
    expect(said).not.toContain('hunter');
  });

  it('is returned unchanged whatever printable characters it has, once encoded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', minLength: 1 }), fc.webPath(), (password, path) => {
        const text = `postgres://u:${encodeURIComponent(password)}@h/${encodeURIComponent(path) || 'd'}`;
        expect(parse(text).password).toBe(password);
        expect(parse(text).dbname).toBe(path || 'd');
      }),
    );
  });

  it('is either read as it is or refused when it was not encoded, and never shown', () => {
    const printable = fc.string({ unit: 'grapheme-ascii', minLength: 8, maxLength: 20 });
    fc.assert(
      fc.property(printable, (password) => {
        fc.pre(!/%[0-9a-f]{2}/i.test(password));
        try {
          expect(parse(`postgres://u:${password}@h.example.com/db`).password).toBe(password);
        } catch (error) {
          if (!(error instanceof BackupError)) throw error;
          expect(error.message).not.toContain(password);
        }
      }),
      { numRuns: 500 },
    );
  });
});
