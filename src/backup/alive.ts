/** Sessions of our own, with an eye on whether the way to the server is still there. */
import type pg from 'pg';
import type { CommandContext } from '../command.ts';
import type { ConnectionHost, ConnectionRequest } from '../domain/connection.ts';
import { BackupError } from '../domain/errors.ts';
import { connect } from '../postgres/connect.ts';
import { askSession } from '../postgres/dump-session.ts';
import { endedBy, endSession, type OwnSession, ownSession } from '../postgres/session.ts';
import { watchForStall } from '../postgres/watchdog.ts';
import type { Supervisor } from '../runner/supervisor.ts';

export interface AliveParts {
  connection: ConnectionRequest;
  context: CommandContext;
  supervisor: Supervisor;
  stallSeconds: number;
  /** For how long a server that does not answer yet is tried again. */
  connectWindowSeconds: number;
}

/** A session whose death, and whose silence, is noticed. */
export interface WatchedSession {
  client: pg.Client;
  host: ConnectionHost;
  /** Its name in pg_stat_activity, and in words for the user. */
  name: string;
  session: OwnSession;
  /** Bounded, never rejects. */
  end(): Promise<void>;
}

/** Connects under the name `db-backup-action <name>`. Throws what `connect` throws, and `ERR_DUMP_STALLED`. */
export async function openSession(name: string, parts: AliveParts): Promise<WatchedSession> {
  const { signal } = parts.supervisor;
  const options = { ...parts.context, signal, windowSeconds: parts.connectWindowSeconds };
  const { client, host } = await connect(parts.connection, { ...options, applicationName: `db-backup-action ${name}` });
  const timeout = AbortSignal.timeout(parts.stallSeconds * 1000);
  try {
    const session = await endedBy(client, AbortSignal.any([signal, timeout]), () => ownSession(client));
    return { client, host, name, session, end: () => endSession(client) };
  } catch (error) {
    await endSession(client);
    if (!timeout.aborted || signal.aborted) throw error;
    throw new BackupError('ERR_DUMP_STALLED', `The server let the ${name} session in and then fell silent`, {
      op: `open the ${name} session`,
      hint: 'The network or a proxy on the way swallows what is sent. Run the backup again; raise `stall-timeout-seconds` if the server is only slow.',
      retryable: true,
    });
  }
}

/**
 * What `work` gives. Ends the run with `ERR_DUMP_STALLED` when nothing arrives for `stallSeconds` and the server does
 * not confirm that the session is at work: a dead network never says that it is dead.
 */
export async function whileAlive<T>(watched: WatchedSession, work: Promise<T>, parts: AliveParts): Promise<T> {
  const { connection, context, supervisor, stallSeconds } = parts;
  const { name, host, session } = watched;
  const over = new AbortController();
  let seen = session.bytesRead();
  let movedAt = context.clock.now().getTime();
  const watching = watchForStall({
    clock: context.clock,
    signal: AbortSignal.any([over.signal, supervisor.signal]),
    stallSeconds,
    who: `The ${name} session`,
    lastSignOfLife: () => {
      const bytes = session.bytesRead();
      if (bytes !== seen) movedAt = context.clock.now().getTime();
      seen = bytes;
      return movedAt;
    },
    isHeldUp: () => false,
    askServer: () => askSession({ ...connection, hosts: [host] }, { pid: session.pid }, context, supervisor.signal),
    onWorking: (seconds) => context.log.info(`The ${name} session is at work, silent for ${seconds} s. Waiting on.`),
  });
  supervisor.watch(watching);
  try {
    return await supervisor.guard(work);
  } finally {
    over.abort();
  }
}
