/** Sessions of our own: hosts in order, TLS as libpq means it, patience with a server that is waking up. */
import pg from 'pg';
import {
  type ConnectFailure,
  type ConnectionHost,
  type ConnectionRequest,
  classifyConnectError,
  displayHost,
  explainConnectError,
  isUnixSocket,
  redact,
  secretForms,
  type TlsAttempt,
  tlsAttempts,
} from '../domain/connection.ts';
import { BackupError } from '../domain/errors.ts';
import type { Clock, Log } from '../ports.ts';
import { assertSocketOwner, guardAuthentication } from './connection-guard.ts';
import { readTlsFiles, type TlsFiles, withFilePassword } from './credentials.ts';
import { nodePgConfig } from './driver-config.ts';

/** How long a sleeping server may take: Neon and Render need seconds, a restart under a minute. */
const DEFAULT_WINDOW_SECONDS = 60;
const DEFAULT_ATTEMPT_SECONDS = 15;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

export interface ConnectOptions {
  clock: Clock;
  log: Log;
  signal: AbortSignal;
  /** For how long a server that does not answer yet is tried again; default 60, 0 for a single round. */
  windowSeconds?: number;
  /** Shown in pg_stat_activity unless the connection string names another. */
  applicationName?: string;
}

export interface Connected {
  /** The caller ends it, and listens to `error` and `end` if its death matters: a listener is attached already. */
  client: pg.Client;
  /** The host that answered, with its password from the password file: what `writeCredentials` is given. */
  host: ConnectionHost;
  encrypted: boolean;
}

/** One pass over all hosts of the list. */
interface Round {
  request: ConnectionRequest;
  hosts: readonly ConnectionHost[];
  files: TlsFiles;
  forms: readonly string[];
  deadline: number;
  options: ConnectOptions;
}

type Attempted = { ok: true; connected: Connected } | { ok: false; failure: ConnectFailure; cause: unknown };
type Failed = Attempted & { ok: false };

/**
 * Opens one session. What may pass (refused, reset, silent, starting) is tried again with growing pauses until the
 * window is over; a wrong password, an unknown database or host and refused or untrusted TLS are final at once.
 * @throws BackupError ERR_AUTH, ERR_DATABASE_MISSING, ERR_TLS, ERR_POOLER, ERR_INPUT or ERR_CONNECT; or the signal's reason
 */
export async function connect(request: ConnectionRequest, options: ConnectOptions): Promise<Connected> {
  const { clock, log, signal } = options;
  const windowMs = (options.windowSeconds ?? DEFAULT_WINDOW_SECONDS) * 1000;
  const deadline = clock.now().getTime() + windowMs;
  const hosts = await Promise.all(request.hosts.map((host) => withFilePassword(request, host)));
  const ordered = request.loadBalanceHosts ? shuffled(hosts) : hosts;
  const forms = secretForms({ ...request, hosts: hosts as [ConnectionHost, ...ConnectionHost[]] });
  for (const form of forms) log.mask(form);
  const files = await readTlsFiles(request);
  const round: Round = { request, hosts: ordered, files, forms, deadline, options };
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    signal.throwIfAborted();
    const attempted = await tryHosts(round);
    if (attempted.ok) return attempted.connected;
    const remainingMs = deadline - clock.now().getTime();
    if (!attempted.failure.retry || remainingMs <= 0) throw describeFailure(round, attempted, windowMs);
    const remaining = Math.ceil(remainingMs / 1000);
    log.info(`${whereTo(request)}: ${redact(attempted.failure.reason, forms)}. Trying again for ${remaining} s.`);
    await clock.sleep(Math.min(wait, remainingMs), signal);
  }
}

/**
 * Hosts in order; `prefer-standby` goes through them twice. A refused login ends the list, as in libpq.
 * A failure that may pass wins over one that is final, because another round may then succeed.
 */
async function tryHosts(round: Round): Promise<Attempted> {
  const wishes = round.request.targetSessionAttrs === 'prefer-standby' ? ['standby', 'any'] : undefined;
  let worst: Failed | undefined;
  for (const wish of wishes ?? [round.request.targetSessionAttrs]) {
    for (const host of round.hosts) {
      const attempted = await tryHost(round, host, wish);
      if (attempted.ok) return attempted;
      const { code, retry } = attempted.failure;
      if (!retry && code !== 'ERR_CONNECT') return attempted;
      if (worst === undefined || (retry && !worst.failure.retry)) worst = attempted;
    }
  }
  return worst as Failed;
}

/**
 * Of two failures the one is reported that another kind of connection did not cause, else the first; but that TLS is
 * not offered says nothing about a server that then refuses a plain connection.
 */
async function tryHost(round: Round, host: ConnectionHost, wish: string): Promise<Attempted> {
  let failed: Failed | undefined;
  for (const attempt of tlsAttempts(round.request, host, round.files.ca !== undefined)) {
    const attempted = await tryOnce(round, host, attempt);
    if (attempted.ok) return checkSession(attempted.connected, wish);
    if (attempted.failure.refusedBy === undefined || (failed?.failure.refusedBy ?? 'no-tls') === 'no-tls') {
      failed = attempted;
    }
    if (attempted.failure.refusedBy === undefined) break;
  }
  return failed as Failed;
}

async function tryOnce(round: Round, host: ConnectionHost, attempt: TlsAttempt): Promise<Attempted> {
  const { request, options, forms } = round;
  const { signal, log, applicationName } = options;
  signal.throwIfAborted();
  const config = nodePgConfig(request, host, round.files, attempt, applicationName);
  const client = new pg.Client({ ...config, connectionTimeoutMillis: attemptMs(round) });
  forgetEnvironment(client, request);
  // Without a listener the death of an idle session would end the whole process.
  client.on('error', (error) => log.debug(`Session to ${displayHost(host)} failed: ${redact(error.message, forms)}`));
  const abort = () => client.connection.stream.destroy(new Error('aborted'));
  signal.addEventListener('abort', abort, { once: true });
  try {
    const refusal = guardAuthentication(client, request, attempt.encrypted);
    if (isUnixSocket(host)) await assertSocketOwner(request, host);
    signal.throwIfAborted();
    await client.connect();
    const refused = refusal();
    if (refused !== undefined) throw refused;
    return { ok: true, connected: { client, host, encrypted: attempt.encrypted } };
  } catch (error) {
    client.connection.stream.destroy();
    signal.throwIfAborted();
    const place = { host: host.host || (host.hostaddr ?? ''), user: request.user };
    return { ok: false, failure: explainConnectError(error, place), cause: error };
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** 0 means no limit to libpq; here the window is always one. */
function attemptMs({ request, deadline, options }: Round): number {
  const asked = request.connectTimeoutSeconds ?? DEFAULT_ATTEMPT_SECONDS;
  const remaining = Math.max(deadline - options.clock.now().getTime(), 1000);
  const limit = (asked === 0 ? Number.POSITIVE_INFINITY : asked) * 1000;
  return options.windowSeconds === 0 ? (asked || DEFAULT_ATTEMPT_SECONDS) * 1000 : Math.min(limit, remaining);
}

/** The driver fills what is not set from process variables; the request has already weighed those. */
function forgetEnvironment(client: pg.Client, request: ConnectionRequest): void {
  const { connectionParameters } = client as unknown as {
    connectionParameters: { options: string | undefined; replication: string | undefined };
  };
  connectionParameters.options = request.options;
  connectionParameters.replication = undefined;
}

const SESSION_SQL = `SELECT pg_catalog.pg_is_in_recovery() AS standby,
  pg_catalog.current_setting('default_transaction_read_only') = 'on' AS "readOnly"`;

/** `target_session_attrs`, decided as libpq decides it. */
async function checkSession(connected: Connected, wish: string): Promise<Attempted> {
  if (wish === 'any') return { ok: true, connected };
  try {
    const { rows } = await connected.client.query<{ standby: boolean; readOnly: boolean }>(SESSION_SQL);
    const { standby, readOnly } = rows[0] as { standby: boolean; readOnly: boolean };
    const fits: Record<string, boolean> = {
      'read-write': !standby && !readOnly,
      'read-only': standby || readOnly,
      primary: !standby,
      standby,
    };
    if (fits[wish] === true) return { ok: true, connected };
  } catch (error) {
    connected.client.connection.stream.destroy();
    return { ok: false, failure: classifyConnectError(error), cause: error };
  }
  await connected.client.end();
  const failure: ConnectFailure = {
    code: 'ERR_CONNECT',
    reason: `no server of the list is what target_session_attrs=${wish} asks for`,
    hint: 'Name the right host, or change target_session_attrs.',
    retry: false,
  };
  return { ok: false, failure, cause: undefined };
}

/** The driver's own error is not passed on as the cause as it is: its text, too, goes through the redaction. */
function describeFailure(round: Round, { failure, cause }: Failed, windowMs: number): BackupError {
  const { request, forms } = round;
  const waited = failure.retry && windowMs > 0 ? `, tried for ${Math.round(windowMs / 1000)} s` : '';
  const message = `Cannot connect to database ${request.dbname} at ${whereTo(request)} as ${request.user}: ${failure.reason}${waited}.`;
  return new BackupError(failure.code, redact(message, forms), {
    op: 'connect',
    hint: failure.hint,
    retryable: failure.retry,
    ...(cause instanceof Error ? { cause: new Error(redact(cause.message, forms)) } : {}),
  });
}

function whereTo(request: ConnectionRequest): string {
  return request.hosts.map(displayHost).join(', ');
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
