import { describe, expect, it } from 'vitest';
import { parseConnection, passwordFor } from '../../src/domain/connection.ts';
import { BackupError, InputError } from '../../src/domain/errors.ts';

const problemsOf = (text: string, env: Record<string, string> = {}): string => {
  try {
    parseConnection(text, env);
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  throw new Error('it was accepted');
};

describe('PG* variables', () => {
  it('fill what the text leaves out and never replace what it says', () => {
    const env = {
      PGHOST: 'env.example.com',
      PGPORT: '6000',
      PGUSER: 'env',
      PGPASSWORD: 'from-env',
      PGDATABASE: 'envdb',
      PGSSLMODE: 'require',
      PGSSLROOTCERT: '/ca.pem',
      PGOPTIONS: '-c geqo=off',
      PGAPPNAME: 'app',
      PGCHANNELBINDING: 'require',
      PGCONNECT_TIMEOUT: '7',
      PGPASSFILE: '/passwords',
      PGTARGETSESSIONATTRS: 'primary',
    };
    const request = parseConnection('user=mine port=1', env);
    expect(request).toMatchObject({
      hosts: [{ host: 'env.example.com', port: 1 }],
      user: 'mine',
      password: 'from-env',
      dbname: 'envdb',
      sslmode: 'require',
      sslrootcert: '/ca.pem',
      options: '-c geqo=off',
      applicationName: 'app',
      channelBinding: 'require',
      connectTimeoutSeconds: 7,
      passfile: '/passwords',
      targetSessionAttrs: 'primary',
    });
    expect(request.secrets).toContain('from-env');
  });

  it('count as unset when they are empty', () => {
    const request = parseConnection('postgres://u:p@h', { PGSSLMODE: '', PGDATABASE: '', PGPORT: '' });
    expect(request).toMatchObject({ sslmode: 'prefer', dbname: 'u', hosts: [{ port: 5432 }] });
  });

  it('may say everything when the text is empty, and that is told', () => {
    const request = parseConnection(' \n', { PGHOST: 'h', PGUSER: 'u' });
    expect(request.hosts).toEqual([{ host: 'h', port: 5432 }]);
    expect(request.notices.map(({ code }) => code)).toEqual(['connection-from-environment']);
  });

  it('of a service are refused', () => {
    expect(problemsOf('postgres://u@h', { PGSERVICE: 'prod' })).toContain('PGSERVICE');
  });

  it('know PGREQUIRESSL of old', () => {
    expect(parseConnection('postgres://u@h', { PGREQUIRESSL: '1' }).sslmode).toBe('require');
  });
});

describe('what is not libpq’s', () => {
  it('is dropped with a notice where a known library uses it', () => {
    const request = parseConnection('postgres://u:p@h/db?schema=public&connection_limit=1&pgbouncer=false', {});
    expect(request.settings).toEqual({});
    expect(request.notices.map(({ seen }) => seen).join()).toMatch(/`schema`.*`connection_limit`.*`pgbouncer`/s);
  });

  it('asks for the direct URL when it says pgbouncer=true', () => {
    expect(problemsOf('postgres://u:hunter2@h:6543/db?pgbouncer=true')).toMatch(/direct URL/);
  });

  it('is an error that names an unknown key and not its value', () => {
    const said = problemsOf('postgres://u:p@h/db?sslMode=hunter2&foo=hunter3');
    expect(said).toContain('write sslmode');
    expect(said).toContain('`foo`');
    expect(said).not.toContain('hunter');
  });

  it.each(['host=h user=u password=my hunter=5', 'postgres://u@h?password=ab&hunter=ef'])(
    'is not named where it may be the rest of a password: %s',
    (text) => {
      expect(problemsOf(text)).not.toContain('hunter');
      expect(problemsOf(text)).toContain('may be a part of the password');
    },
  );

  it('is named after a password in quotes', () => {
    expect(problemsOf("host=h user=u password='my hunter=5' foo=1")).toContain('`foo`');
  });

  it.each([
    ['mysql://u:p@h/db', 'MySQL'],
    ['prisma://accelerate.prisma-data.net/?api_key=x', 'Accelerate'],
    ['prisma+postgres://accelerate.prisma-data.net/?api_key=x', 'Accelerate'],
    ['https://ref.supabase.co', 'web page'],
    ['jdbc:postgresql://h/db', 'JDBC'],
    ['postgresql+asyncpg://u@h', 'names a driver'],
    ['psql "postgresql://u:p@h/db"', 'psql command'],
    ['DATABASE_URL=postgres://u:p@h/db', 'assignment'],
    ['$DATABASE_URL', 'name of a variable'],
    ['', 'arrives as an empty string'],
  ])('has a sentence of its own: %s', (text, words) => {
    expect(problemsOf(text)).toContain(words);
  });

  it.each(['"', "'", '`'])('quotes (%s) and line breaks around it are taken off with a notice', (quote) => {
    const request = parseConnection(` ${quote}postgres://u:p@h/db${quote}\n`, {});
    expect(request.dbname).toBe('db');
    expect(request.notices.map(({ code }) => code)).toEqual(['connection-trimmed']);
  });
});

describe('settings', () => {
  it('of every libpq from 13 to 18 are accepted and kept as they were written', () => {
    const settings = {
      connect_timeout: '10',
      client_encoding: 'UTF8',
      options: "-c search_path='x'",
      application_name: 'a b',
      keepalives: '1',
      tcp_user_timeout: '1000',
      sslmode: 'verify-ca',
      sslnegotiation: 'direct',
      sslcompression: '0',
      sslcert: '/c',
      sslkey: '/k',
      sslpassword: 'ks',
      sslcertmode: 'allow',
      sslrootcert: '/r',
      sslcrl: '/l',
      sslcrldir: '/ld',
      sslsni: '1',
      requirepeer: 'postgres',
      require_auth: 'scram-sha-256,none',
      channel_binding: 'prefer',
      ssl_min_protocol_version: 'tlsv1.3',
      ssl_max_protocol_version: 'TLSv1.3',
      min_protocol_version: '3.0',
      max_protocol_version: 'latest',
      krbsrvname: 'postgres',
      gsslib: 'gssapi',
      gssencmode: 'prefer',
      gssdelegation: '0',
      target_session_attrs: 'read-write',
      load_balance_hosts: 'disable',
      oauth_issuer: 'https://i',
      oauth_client_id: 'c',
      oauth_client_secret: 'cs',
      oauth_scope: 's',
      sslkeylogfile: '/f',
    };
    const query = new URLSearchParams(settings).toString().replaceAll('+', '%20');
    const request = parseConnection(`postgres://u@h/db?${query}`, {});
    expect(request.settings).toEqual(settings);
    expect(request.secrets).toEqual(expect.arrayContaining(['ks', 'cs']));
  });

  it.each([
    ['sslmode=no-verify', 'sslmode must be one of'],
    ['sslmode=', 'sslmode must be one of'],
    ['connect_timeout=10s', 'whole number'],
    ['sslrootcert=system sslmode=require', 'demands sslmode=verify-full'],
    ['sslnegotiation=direct', 'demands sslmode=require'],
    ['sslmode=disable channel_binding=require', 'needs TLS'],
    ['gssencmode=require', 'GSSAPI'],
    ['replication=database', 'cannot run a backup'],
    ['require_auth=md5,!none', '"!"'],
    ['require_auth=kerberos', 'require_auth must be'],
    ["sslpassword='ends in a space '", 'ends in white space'],
    ["password='two\nlines'", 'line break'],
    ['service=prod', 'service file'],
    ['hostaddr=127.0.0.1 sslmode=verify-full host=', 'name of the host'],
    ['scram_client_key=abcd', 'give the password'],
    ['host=@abstract', 'abstract'],
  ])('%s is refused', (text, words) => {
    expect(problemsOf(`user=u ${text.includes('host') ? '' : 'host=h '}${text}`)).toContain(words);
  });

  it('report all problems of one string together', () => {
    try {
      parseConnection('postgres://h:99999/db?sslmode=x&foo=1&connect_timeout=y', {}, 'target-database-url');
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(BackupError);
      const { problems } = error as InputError;
      expect(problems).toHaveLength(5);
      expect(problems.every(({ input }) => input === 'target-database-url')).toBe(true);
    }
  });

  it('default to verify-full with the system’s roots, and ssl=true never weakens what is stricter', () => {
    expect(parseConnection('postgres://u@h?sslrootcert=system', {}).sslmode).toBe('verify-full');
    expect(parseConnection('postgres://u@h?ssl=true', {}).sslmode).toBe('require');
    expect(parseConnection('postgres://u@h?sslmode=verify-full&ssl=true', {}).sslmode).toBe('verify-full');
    expect(parseConnection('postgres://u@h?ssl=no-verify', {}).sslmode).toBe('require');
    expect(parseConnection('postgres://u@h?requiressl=1', {}).sslmode).toBe('require');
  });

  it('never guess the user', () => {
    expect(problemsOf('postgres://h/db', { USER: 'runner' })).toContain('names no user');
  });

  it('let the request’s own password win over the password file’s', () => {
    const request = parseConnection('postgres://u:own@h', {});
    expect(passwordFor(request, { host: 'h', port: 1, password: 'file' })).toBe('own');
    expect(passwordFor({ ...request, password: '' }, { host: 'h', port: 1, password: 'file' })).toBe('file');
  });
});
