/**
 * Notices a dump that will never end. TCP does not: through a dead path a blocked reader waits for
 * hours, and libpq has no timeout of its own.
 */
import { BackupError, messageOf } from '../domain/errors.ts';
import type { Clock } from '../ports.ts';

/** What the server says of the dump's own session. */
export type SessionState =
  /** Executing, and not waiting for its client. */
  | 'working'
  /** Waiting for its client to read or to send. */
  | 'waiting-for-client'
  /** There is no such session any more. */
  | 'gone';

export interface Watch {
  clock: Clock;
  signal: AbortSignal;
  stallSeconds: number;
  /** Who is watched, for the words of the error: `pg_dump`. */
  who: string;
  /** Milliseconds since the epoch of the last sign of life, such as a byte. */
  lastSignOfLife: () => number;
  /** True while it is we who do not read, because storage or the proof is slower. */
  isHeldUp: () => boolean;
  /** Asks the server over a connection of its own. Must be bounded in time. */
  askServer: () => Promise<SessionState>;
  /** The server is at work on something long; shown to the user. */
  onWorking: (silentSeconds: number) => void;
}

/**
 * Never resolves while all is well. Rejects with `ERR_DUMP_STALLED` when the session has been silent for
 * `stallSeconds` although we would read, and the server does not confirm that it is at work.
 * Resolves when `signal` aborts.
 */
export async function watchForStall(watch: Watch): Promise<void> {
  const stallMs = watch.stallSeconds * 1000;
  const stepMs = Math.max(250, Math.min(5_000, stallMs / 4));
  let aliveAt = watch.clock.now().getTime();
  for (;;) {
    try {
      await watch.clock.sleep(stepMs, watch.signal);
    } catch (error) {
      if (watch.signal.aborted) return;
      throw error;
    }
    const now = watch.clock.now().getTime();
    if (watch.isHeldUp()) aliveAt = now;
    aliveAt = Math.max(aliveAt, watch.lastSignOfLife());
    if (now - aliveAt < stallMs) continue;
    const silentSeconds = Math.round((now - aliveAt) / 1000);
    const state = await watch.askServer().catch((error: unknown) => messageOf(error));
    if (watch.signal.aborted) return;
    // It may have gone on, or come to its end, while the server was asked.
    if (watch.lastSignOfLife() > aliveAt) continue;
    if (state !== 'working') throw stalled(watch.who, silentSeconds, state);
    watch.onWorking(silentSeconds);
    aliveAt = now;
  }
}

function stalled(who: string, silentSeconds: number, state: SessionState | string): BackupError {
  const seen: Record<string, string> = {
    'waiting-for-client': 'the server waits for its client, so the network between them is dead',
    gone: 'the server no longer knows its session',
  };
  return new BackupError(
    'ERR_DUMP_STALLED',
    `${who} has been silent for ${silentSeconds} s, and ${seen[state] ?? `the server could not be asked: ${state}`}`,
    {
      op: 'dump',
      hint: 'The connection to the database is dead, or the server ended the session. Run the backup again; if it recurs, look at firewalls and proxies with idle limits on the way, or raise `stall-timeout-seconds`.',
      retryable: true,
    },
  );
}
