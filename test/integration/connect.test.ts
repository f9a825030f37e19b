/** Sessions on real servers, and the same connection through psql with the files that a child process is given. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConnection } from '../../src/domain/connection.ts';
import { BackupError } from '../../src/domain/errors.ts';
import type { Clock, Log } from '../../src/ports.ts';
import { connect } from '../../src/postgres/connect.ts';
import { writeCredentials } from '../../src/postgres/credentials.ts';
import { describeWith } from '../support/availability.ts';
import { type Clients, clientTools } from '../support/clients.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { runTool } from '../support/run-tool.ts';

const clock: Clock = {
  now: () => new Date(),
  sleep: (milliseconds, signal) => sleep(milliseconds, undefined, signal === undefined ? {} : { signal }),
};

const HBA = `
hostssl all tls_only 127.0.0.1/32 scram-sha-256
host all tls_only 127.0.0.1/32 reject
host all trusted 127.0.0.1/32 trust
host all clear 127.0.0.1/32 password
host all all 127.0.0.1/32 scram-sha-256`;
const PASSWORD = 'correct horse';

let folder: string;
let tlsServer: PostgresServer;
let plainServer: PostgresServer;
/** Of the authority that signed the server's certificate, and of one that did not. */
let ca: string;
let otherCa: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'connect-test-'));
  ca = await makeAuthority('ca');
  otherCa = await makeAuthority('other');
  const ssl = await makeServerCertificate('server', 'ca');
  [tlsServer, plainServer] = await Promise.all([
    startPostgres({ major: 17, hba: HBA, ssl }),
    startPostgres({ major: 13, hba: HBA }),
  ]);
  const roles = ['app', 'tls_only', 'trusted', 'clear'].map(
    (role) => `CREATE ROLE ${role} LOGIN PASSWORD '${PASSWORD}';`,
  );
  await tlsServer.query(roles.join('\n'));
  await plainServer.query(`SET password_encryption = 'scram-sha-256'; ${roles.join('\n')}`);
});

afterAll(async () => {
  await tlsServer?.stop();
  await plainServer?.stop();
  await rm(folder, { recursive: true, force: true });
});

const openssl = (...args: string[]) => runTool('openssl', args, {}, folder);
const DAYS = ['-days', '2'];

async function makeAuthority(name: string): Promise<string> {
  const subject = ['-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.crt`];
  await openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...DAYS, ...subject);
  return path.join(folder, `${name}.crt`);
}

/** For the name `localhost` only, so that 127.0.0.1 is another host to verify-full. */
async function makeServerCertificate(name: string, authority: string): Promise<{ cert: string; key: string }> {
  const files = ['-keyout', `${name}.key`, '-out', `${name}.csr`];
  await openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', ...files);
  await writeFile(path.join(folder, 'san.cnf'), 'subjectAltName=DNS:localhost\n');
  const signing = ['-CA', `${authority}.crt`, '-CAkey', `${authority}.key`, '-CAcreateserial', '-extfile', 'san.cnf'];
  await openssl('x509', '-req', '-in', `${name}.csr`, ...signing, ...DAYS, '-out', `${name}.crt`);
  return { cert: path.join(folder, `${name}.crt`), key: path.join(folder, `${name}.key`) };
}

interface Attempt {
  log: string[];
  masked: string[];
}

function quietLog(attempt: Attempt): Log {
  const keep = (message: string) => void attempt.log.push(message);
  return {
    info: keep,
    progress: keep,
    notice: keep,
    warning: keep,
    error: keep,
    debug: keep,
    group: (_, body) => body(),
    mask: (secret) => void attempt.masked.push(secret),
  };
}

async function open(text: string, over: { windowSeconds?: number; signal?: AbortSignal; env?: object } = {}) {
  const attempt: Attempt = { log: [], masked: [] };
  const request = parseConnection(text, { PATH: process.env.PATH, HOME: folder, ...over.env });
  const signal = over.signal ?? new AbortController().signal;
  const connected = await connect(request, {
    clock,
    log: quietLog(attempt),
    signal,
    windowSeconds: over.windowSeconds ?? 0,
    applicationName: 'our test',
  });
  return { ...connected, request, ...attempt };
}

/** `tls` or `plain`, or the code of the error. */
async function outcome(text: string, env: object = {}): Promise<string> {
  try {
    const { client, encrypted } = await open(text, { env });
    const { rows } = await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
    await client.end();
    expect(rows[0].ssl).toBe(encrypted);
    return encrypted ? 'tls' : 'plain';
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    expect(error.hint).not.toBe('');
    expect(`${error.message} ${(error.cause as Error | undefined)?.message}`).not.toContain(PASSWORD);
    return error.code;
  }
}

async function failure(text: string, over: Parameters<typeof open>[1] = {}): Promise<BackupError> {
  const settled = await open(text, over).then(
    ({ client }) => client.end(),
    (error: unknown) => error,
  );
  expect(settled).toBeInstanceOf(BackupError);
  return settled as BackupError;
}

const at = (server: PostgresServer, rest: string, user = 'app') =>
  `host=127.0.0.1 port=${server.port} dbname=postgres user=${user} password='${PASSWORD}' ${rest}`;
const localhost = 'host=localhost hostaddr=127.0.0.1';

/** What psql says to the same connection, through service file and pass file only. */
async function psqlOutcome({ psql }: Clients, text: string): Promise<string> {
  const request = parseConnection(text, { PATH: process.env.PATH, HOME: folder });
  const { env, remove } = await writeCredentials(folder, request, request.hosts[0]);
  try {
    const sql = "SELECT CASE WHEN ssl THEN 'tls' ELSE 'plain' END FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    const { stdout } = await promisify(execFile)(psql, ['-XAtw', '-c', sql], { env });
    return stdout.trim();
  } catch (error) {
    const { stderr } = error as { stderr: string };
    if (/password authentication failed|no password supplied|no pg_hba\.conf|pg_hba\.conf rejects/.test(stderr))
      return 'ERR_AUTH';
    if (/channel binding (is )?required|requirement/.test(stderr)) return 'ERR_AUTH';
    if (/certificate|SSL error|SSL, but/.test(stderr)) return 'ERR_TLS';
    if (/database ".*" does not exist/.test(stderr)) return 'ERR_DATABASE_MISSING';
    throw new Error(stderr);
  } finally {
    await remove();
  }
}

const connections = (): [name: string, text: string, expected: string][] => [
  ['disable where TLS is offered', at(tlsServer, 'sslmode=disable'), 'plain'],
  ['allow where plain is admitted', at(tlsServer, 'sslmode=allow'), 'plain'],
  ['allow where only TLS is admitted', at(tlsServer, 'sslmode=allow', 'tls_only'), 'tls'],
  ['disable where only TLS is admitted', at(tlsServer, 'sslmode=disable', 'tls_only'), 'ERR_AUTH'],
  ['prefer where TLS is offered', at(tlsServer, ''), 'tls'],
  ['require with an unknown certificate', at(tlsServer, 'sslmode=require'), 'tls'],
  ['require with a root certificate that signed it', at(tlsServer, `sslmode=require sslrootcert=${ca}`), 'tls'],
  ['require with another root certificate', at(tlsServer, `sslmode=require sslrootcert=${otherCa}`), 'ERR_TLS'],
  ['prefer with another root certificate', at(tlsServer, `sslmode=prefer sslrootcert=${otherCa}`), 'plain'],
  ['verify-ca', at(tlsServer, `sslmode=verify-ca sslrootcert=${ca}`), 'tls'],
  ['verify-ca with another authority', at(tlsServer, `sslmode=verify-ca sslrootcert=${otherCa}`), 'ERR_TLS'],
  ['verify-full', at(tlsServer, `${localhost} sslmode=verify-full sslrootcert=${ca}`), 'tls'],
  ['verify-full by another name', at(tlsServer, `sslmode=verify-full sslrootcert=${ca}`), 'ERR_TLS'],
  ['verify-full without a root certificate', at(tlsServer, `${localhost} sslmode=verify-full`), 'ERR_TLS'],
  ['require where TLS is not offered', at(plainServer, 'sslmode=require'), 'ERR_TLS'],
  ['prefer where TLS is not offered', at(plainServer, 'sslmode=prefer'), 'plain'],
  ['TLS 1.3 demanded', at(tlsServer, 'sslmode=require ssl_min_protocol_version=TLSv1.3'), 'tls'],
  ['TLS 1.2 at most', at(tlsServer, 'sslmode=require ssl_max_protocol_version=TLSv1.2'), 'tls'],
  ['channel binding over TLS', at(tlsServer, 'sslmode=require channel_binding=require'), 'tls'],
  ['channel binding without TLS', at(plainServer, 'channel_binding=require'), 'ERR_AUTH'],
  ['channel binding with a trusting server', at(tlsServer, 'channel_binding=require', 'trusted'), 'ERR_AUTH'],
  [
    'channel binding with a server that asks for the clear password',
    at(tlsServer, 'channel_binding=require', 'clear'),
    'ERR_AUTH',
  ],
  ['a clear password', at(tlsServer, '', 'clear'), 'tls'],
  ['options', at(tlsServer, "options='-c geqo=off -c application_name=\\'x\\''"), 'tls'],
  ['a wrong password', at(tlsServer, "password='wrong horse'"), 'ERR_AUTH'],
  ['no password', at(tlsServer, "password=''"), 'ERR_AUTH'],
  ['an unknown user', at(tlsServer, '', 'nobody'), 'ERR_AUTH'],
  ['an unknown database', at(tlsServer, 'dbname=shopp'), 'ERR_DATABASE_MISSING'],
  [
    'a Unix socket with sslmode=require',
    `host=${tlsServer.socketDir} port=${tlsServer.port} user=postgres sslmode=require`,
    'plain',
  ],
];

describe('a session', () => {
  it('has libpq’s meaning of TLS and of refusals', async () => {
    for (const [name, text, expected] of connections()) expect(await outcome(text), name).toBe(expected);
  });

  it('may begin with TLS at once, or trust the machine’s own roots', async () => {
    expect(await outcome(at(tlsServer, 'sslmode=require sslnegotiation=direct'))).toBe('tls');
    expect(await outcome(at(tlsServer, `${localhost} sslrootcert=system`))).toBe('ERR_TLS');
  });

  it('answers only the methods of require_auth', async () => {
    expect(await outcome(at(tlsServer, 'require_auth=scram-sha-256'))).toBe('tls');
    expect(await outcome(at(tlsServer, 'require_auth=scram-sha-256', 'clear'))).toBe('ERR_AUTH');
    expect(await outcome(at(tlsServer, 'require_auth=!none', 'trusted'))).toBe('ERR_AUTH');
  });

  it('checks requirepeer by the owner of the socket', async () => {
    const socket = `host=${tlsServer.socketDir} port=${tlsServer.port} user=postgres`;
    const { uid } = await stat(path.join(tlsServer.socketDir, `.s.PGSQL.${tlsServer.port}`));
    const passwd = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
    const owner = passwd.find((fields) => fields[2] === String(uid))?.[0];
    expect(await outcome(`${socket} requirepeer=${owner}`)).toBe('plain');
    expect(await outcome(`${socket} requirepeer=somebody-else`)).toBe('ERR_AUTH');
  });

  it('takes the password from the password file and masks it before use', async () => {
    const file = path.join(folder, 'passwords');
    await writeFile(file, `localhost:*:*:*:wrong\n127.0.0.1:${tlsServer.port}:*:app:${PASSWORD}\n`, { mode: 0o600 });
    const { client, host, masked } = await open(at(tlsServer, `password='' passfile=${file}`));
    await client.end();
    expect(host.password).toBe(PASSWORD);
    expect(masked).toContain(PASSWORD);
    await writeFile(path.join(folder, 'open'), '', { mode: 0o644 });
    const refused = await failure(at(tlsServer, `password='' passfile=${path.join(folder, 'open')}`));
    expect(refused).toMatchObject({ code: 'ERR_INPUT', hint: expect.stringContaining('chmod 600') });
  });

  it('shows the name it was given, unless the user chose another, and ignores the process’s PG* variables', async () => {
    process.env.PGOPTIONS = '-c application_name=intruder -c geqo=off';
    process.env.PGAPPNAME = 'intruder';
    try {
      const seen = async (text: string) => {
        const { client } = await open(text);
        const { rows } = await client.query(
          "SELECT current_setting('application_name') || current_setting('geqo') AS it",
        );
        await client.end();
        return rows[0].it;
      };
      expect(await seen(at(tlsServer, ''))).toBe('our teston');
      expect(await seen(at(tlsServer, 'application_name=mine'))).toBe('mineon');
    } finally {
      delete process.env.PGOPTIONS;
      delete process.env.PGAPPNAME;
    }
  });

  it('goes to the first host that answers and is what target_session_attrs asks for', async () => {
    const dead = await unusedPort();
    const list = `host=127.0.0.1,127.0.0.1,127.0.0.1 port=${dead},${tlsServer.port},${plainServer.port}`;
    const first = await open(at(tlsServer, list));
    await first.client.end();
    expect(first.host.port).toBe(tlsServer.port);
    const readOnly = "options='-c default_transaction_read_only=on'";
    expect(await outcome(at(tlsServer, `${readOnly} target_session_attrs=read-only`))).toBe('tls');
    expect(await outcome(at(tlsServer, `${readOnly} target_session_attrs=read-write`))).toBe('ERR_CONNECT');
    expect(await outcome(at(tlsServer, 'target_session_attrs=standby'))).toBe('ERR_CONNECT');
    expect(await outcome(at(tlsServer, 'target_session_attrs=prefer-standby'))).toBe('tls');
  });

  it('may die without ending the process, and says so to its owner', async () => {
    const { client, log } = await open(at(tlsServer, ''));
    const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
    const ended = new Promise((resolve) => client.once('end', resolve));
    await tlsServer.query('SELECT pg_terminate_backend($1)', 'postgres', [rows[0].pid]);
    await ended;
    await expect(client.query('SELECT 1')).rejects.toThrow();
    expect(log.join()).toContain('terminating connection');
  });
});

describe('a server that does not answer', () => {
  it('is waited for while it wakes up', async () => {
    const port = await unusedPort();
    const opening = open(`host=127.0.0.1 port=${port} user=postgres`, { windowSeconds: 30 });
    await sleep(2000);
    const late = await startPostgres({ major: 16, port });
    try {
      const { client, log } = await opening;
      await client.end();
      expect(log.join('\n')).toMatch(/the connection was refused\. Trying again for \d+ s\./);
    } finally {
      await late.stop();
    }
  });

  it('is given up when the window is over', async () => {
    const port = await unusedPort();
    const begun = Date.now();
    const error = await failure(`host=127.0.0.1 port=${port} user=u password=hunter22`, { windowSeconds: 1 });
    expect(error).toMatchObject({ code: 'ERR_CONNECT', retryable: true });
    expect(error.message).toMatch(/127\.0\.0\.1:\d+ as u: the connection was refused, tried for 1 s\./);
    expect(Date.now() - begun).toBeLessThan(5000);
  });

  it('but accepts connections is given up after the timeout, or at once when the run is cancelled', async () => {
    const silent = createServer((socket) => socket.on('error', () => socket.destroy())).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as { port: number };
    try {
      const error = await failure(`host=127.0.0.1 port=${port} user=u connect_timeout=1`);
      expect(error.message).toContain('there was no answer in time');
      const controller = new AbortController();
      const opening = open(`host=127.0.0.1 port=${port} user=u`, { windowSeconds: 60, signal: controller.signal });
      setTimeout(() => controller.abort(new Error('cancelled')), 200);
      await expect(opening).rejects.toThrow('cancelled');
    } finally {
      silent.close();
    }
  });

  it('because its name does not exist is not waited for', async () => {
    const begun = Date.now();
    const error = await failure('host=no-such-host.invalid user=u', { windowSeconds: 60 });
    expect(error).toMatchObject({ code: 'ERR_CONNECT' });
    expect(Date.now() - begun).toBeLessThan(20_000);
  });

  it('because the password is wrong is not asked twice', async () => {
    const wrong = at(plainServer, "password='wrong horse' sslmode=disable");
    const before = plainServer.log().split('password authentication failed').length;
    expect(await failure(wrong, { windowSeconds: 60 })).toMatchObject({ code: 'ERR_AUTH', retryable: false });
    expect(plainServer.log().split('password authentication failed').length - before).toBe(1);
  });
});

for (const major of [13, 18]) {
  describeWith(await clientTools(major), `psql ${major} with the files of a child process`, (clients) => {
    it('comes to the same end as our own session', async () => {
      for (const [name, text, expected] of connections()) expect(await psqlOutcome(clients, text), name).toBe(expected);
    });

    it('and our session log in with every password and user of printable characters', async () => {
      const admin = await tlsServer.connect();
      const printable = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 30 });
      const all = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');
      const quote = (value: string) => `'${value.replace(/[\\']/g, '\\$&')}'`;
      try {
        await fc.assert(
          fc.asyncProperty(printable, printable, async (password, user) => {
            await admin.query(
              `CREATE ROLE ${admin.escapeIdentifier(user)} LOGIN PASSWORD ${admin.escapeLiteral(password)}`,
            );
            const [u, p] = [user, password].map(encodeURIComponent);
            const uri = `postgresql://${u}:${p}@127.0.0.1:${tlsServer.port}/postgres`;
            const pairs = `host=127.0.0.1 port=${tlsServer.port} dbname=postgres user=${quote(user)} password=${quote(password)}`;
            expect(await outcome(uri)).toBe('tls');
            expect(await outcome(pairs)).toBe('tls');
            expect(await psqlOutcome(clients, uri)).toBe('tls');
            await admin.query(`DROP ROLE ${admin.escapeIdentifier(user)}`);
          }),
          {
            numRuns: 15,
            examples: [
              [all, all.slice(0, 60)],
              [' both ends ', ' both ends '],
              ['#', '#'],
              ['\\:', "'\\"],
            ],
          },
        );
      } finally {
        await admin.end();
      }
    });
  });
}

describe('the files of a child process', () => {
  it('are its owner’s alone, hold the password in one place and are removed', async () => {
    const request = parseConnection(at(tlsServer, ''), { PATH: '/bin', HOME: folder });
    const work = await mkdtemp(path.join(folder, 'work-'));
    const { env, remove } = await writeCredentials(work, request, request.hosts[0]);
    const files = [env.PGSERVICEFILE, env.PGPASSFILE] as string[];
    for (const file of files) expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(path.dirname(files[0] as string))).mode & 0o777).toBe(0o700);
    expect(await readFile(files[0] as string, 'utf8')).not.toContain(PASSWORD);
    expect(JSON.stringify(env)).not.toContain(PASSWORD);
    await remove();
    await remove();
    expect(await readdir(work)).toEqual([]);
  });
});

async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
