/** The first sight of a server, whatever is to be done there: no transaction pooler, no version that nobody knows. */
import type pg from 'pg';
import type { ConnectionHost, ConnectionRequest } from '../domain/connection.ts';
import { BackupError, messageOf } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { assessPooler, isCertainPooler, type PoolerEvidence, type ServerAddress } from '../domain/poolers.ts';
import { assessServerVersion, preflightError } from '../domain/preflight.ts';
import { readServer } from '../postgres/catalog/database.ts';
import { probePooler } from '../postgres/preflight.ts';
import { isServerAnswer, sqlState } from '../postgres/session.ts';
import { type AliveParts, openSession, whileAlive } from './alive.ts';

export interface FirstLook<T> {
  /** The one host that answered. */
  host: ConnectionHost;
  evidence: PoolerEvidence;
  facts: T;
}

/**
 * Opens two sessions named `name`, finds out whether they share a server process, and gives what `read` finds in the
 * first. Judging the evidence is the caller's. Throws what `openSession` throws, and `ERR_PREFLIGHT` for an unknown server.
 */
export async function lookAtServer<T>(
  name: string,
  parts: AliveParts,
  read: (client: pg.Client) => Promise<T>,
): Promise<FirstLook<T>> {
  await using sessions = new AsyncDisposableStack();
  const first = await openSession(name, parts);
  sessions.defer(() => first.end());
  const { host } = first;
  const second = await openSession(name, { ...parts, connection: { ...parts.connection, hosts: [host] } });
  sessions.defer(() => second.end());
  const look = async (): Promise<FirstLook<T>> => {
    const evidence = await probePooler(first.client, second.client);
    stopAtErrors(assessServerVersion(await readServer(first.client)));
    return { host, evidence, facts: await read(first.client) };
  };
  const looking = look().catch((error: unknown) => {
    throw explain(error, name);
  });
  return await whileAlive(first, looking, parts);
}

/** What the driver says when the server or the network has ended the session. */
const ENDED = /^Connection terminated|is not queryable|ECONNRESET|EPIPE/;

/** A server that ends the session, or refuses a question, is no defect of ours. */
function explain(error: unknown, name: string): unknown {
  if (error instanceof BackupError) return error;
  const message = messageOf(error);
  if (isServerAnswer(error)) {
    return new BackupError('ERR_PREFLIGHT', `The server refused to be looked at: ${message}`, {
      op: 'look at the server',
      hint: 'Read the message; it is the server speaking. If it is about time, the role or the database has a limit (`ALTER ROLE … SET statement_timeout`) that is too short: use a role without one.',
      cause: error,
    });
  }
  if (sqlState(error) === undefined && !ENDED.test(message)) return error;
  return new BackupError('ERR_CONNECT', `The ${name} session was ended in the middle: ${message}`, {
    op: 'look at the server',
    hint: 'The server ended it (restart, failover, a time limit for idle sessions or transactions) or the network cut it. Run it again; if it recurs, read the log of the server.',
    retryable: true,
    cause: error,
  });
}

/** Poolers that are known by their address alone: to be refused before anything is sent to them. */
export function refusedAddresses(connection: ConnectionRequest): Finding[] {
  return connection.hosts
    .map((host) => addressOf(connection, host))
    .filter(isCertainPooler)
    .flatMap((address) => assessPooler(address) ?? []);
}

export function addressOf({ user, dbname }: ConnectionRequest, host: ConnectionHost): ServerAddress {
  return { host: host.host || (host.hostaddr ?? ''), port: host.port, user, database: dbname };
}

/** Throws one error for all findings of severity `error`. */
export function stopAtErrors(findings: readonly Finding[]): void {
  const error = preflightError(findings);
  if (error !== undefined) throw error;
}
