/** A server with TLS and one without, with roles for every way to be let in, and connections to them as tests see them. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { parseConnection } from '../../src/domain/connection.ts';
import { BackupError } from '../../src/domain/errors.ts';
import type { Clock, Log } from '../../src/ports.ts';
import { connect } from '../../src/postgres/connect.ts';
import { writeCredentials } from '../../src/postgres/credentials.ts';
import type { Clients } from './clients.ts';
import { type PostgresServer, startPostgres } from './postgres-server.ts';
import { runTool } from './run-tool.ts';

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
/** Of every role that the servers have. */
export const PASSWORD = 'correct horse';

interface OpenOptions {
  windowSeconds?: number;
  signal?: AbortSignal;
  env?: object;
}

export type ConnectionBench = Awaited<ReturnType<typeof startConnectionBench>>;

/** Takes a few seconds; the caller stops it. */
export async function startConnectionBench() {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'connect-test-'));
  const ca = await makeAuthority(folder, 'ca');
  const otherCa = await makeAuthority(folder, 'other');
  const ssl = await makeServerCertificate(folder, 'server', 'ca');
  const [tlsServer, plainServer] = await Promise.all([
    startPostgres({ major: 17, hba: HBA, ssl }),
    startPostgres({ major: 13, hba: HBA }),
  ]);
  const stop = async () => {
    await tlsServer.stop();
    await plainServer.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await createRoles(tlsServer, plainServer);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    /** The home of the user who connects; removed in the end. */
    folder,
    tlsServer,
    plainServer,
    /** Of the authority that signed the server's certificate. */
    ca,
    /** Of an authority that did not. */
    otherCa,
    open: (text: string, over?: OpenOptions) => open(folder, text, over),
    /** `tls` or `plain`, or the code of the error. */
    outcome: (text: string, env?: object) => outcome(folder, text, env),
    failure: (text: string, over?: OpenOptions) => failure(folder, text, over),
    /** What psql says to the same connection, through service file and pass file only. */
    psqlOutcome: (clients: Clients, text: string) => psqlOutcome(folder, clients, text),
    stop,
  };
}

async function createRoles(tlsServer: PostgresServer, plainServer: PostgresServer): Promise<void> {
  const roles = ['app', 'tls_only', 'trusted', 'clear'].map(
    (role) => `CREATE ROLE ${role} LOGIN PASSWORD '${PASSWORD}';`,
  );
  await tlsServer.query(roles.join('\n'));
  await plainServer.query(`SET password_encryption = 'scram-sha-256'; ${roles.join('\n')}`);
}

const DAYS = ['-days', '2'];

/** A certificate authority of that name; the path of its certificate. */
export async function makeAuthority(folder: string, name: string): Promise<string> {
  const subject = ['-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.crt`];
  await openssl(folder, 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...DAYS, ...subject);
  return path.join(folder, `${name}.crt`);
}

/** For the name `localhost` only, so that 127.0.0.1 is another host to verify-full. */
export async function makeServerCertificate(
  folder: string,
  name: string,
  authority: string,
): Promise<{ cert: string; key: string }> {
  const files = ['-keyout', `${name}.key`, '-out', `${name}.csr`];
  await openssl(folder, 'req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', ...files);
  await writeFile(path.join(folder, 'san.cnf'), 'subjectAltName=DNS:localhost\n');
  const signing = ['-CA', `${authority}.crt`, '-CAkey', `${authority}.key`, '-CAcreateserial', '-extfile', 'san.cnf'];
  await openssl(folder, 'x509', '-req', '-in', `${name}.csr`, ...signing, ...DAYS, '-out', `${name}.crt`);
  return { cert: path.join(folder, `${name}.crt`), key: path.join(folder, `${name}.key`) };
}

const openssl = (folder: string, ...args: string[]) => runTool('openssl', args, {}, folder);

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

async function open(folder: string, text: string, over: OpenOptions = {}) {
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

async function outcome(folder: string, text: string, env: object = {}): Promise<string> {
  try {
    const { client, encrypted } = await open(folder, text, { env });
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

async function failure(folder: string, text: string, over: OpenOptions = {}): Promise<BackupError> {
  const settled = await open(folder, text, over).then(
    ({ client }) => client.end(),
    (error: unknown) => error,
  );
  expect(settled).toBeInstanceOf(BackupError);
  return settled as BackupError;
}

async function psqlOutcome(folder: string, { psql }: Clients, text: string): Promise<string> {
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

/** A connection string to `server` as `user`; `rest` is added, and wins. */
export const at = (server: PostgresServer, rest: string, user = 'app') =>
  `host=127.0.0.1 port=${server.port} dbname=postgres user=${user} password='${PASSWORD}' ${rest}`;

/** Nobody listens on it. */
export async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
