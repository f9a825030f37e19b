/** Work on one of our own sessions, with an eye on whether the way to the server is still there. */
import type { CommandContext } from '../command.ts';
import { askSession } from '../postgres/dump-session.ts';
import type { OwnSession } from '../postgres/session.ts';
import { watchForStall } from '../postgres/watchdog.ts';
import type { Supervisor } from '../runner/supervisor.ts';
import type { Prepared } from './prepare.ts';

export interface AliveParts {
  context: CommandContext;
  prepared: Prepared;
  supervisor: Supervisor;
  stallSeconds: number;
}

/**
 * What `work` gives. Ends the run with `ERR_DUMP_STALLED` when nothing arrives for `stallSeconds` and the server does
 * not confirm that the session is at work: a dead network never says that it is dead.
 */
export async function whileAlive<T>(who: string, session: OwnSession, work: Promise<T>, parts: AliveParts): Promise<T> {
  const { context, prepared, supervisor, stallSeconds } = parts;
  const over = new AbortController();
  let seen = session.bytesRead();
  let movedAt = context.clock.now().getTime();
  const watching = watchForStall({
    clock: context.clock,
    signal: AbortSignal.any([over.signal, supervisor.signal]),
    stallSeconds,
    who,
    lastSignOfLife: () => {
      const bytes = session.bytesRead();
      if (bytes !== seen) movedAt = context.clock.now().getTime();
      seen = bytes;
      return movedAt;
    },
    isHeldUp: () => false,
    askServer: () => askSession(prepared.connection, { pid: session.pid }, context, supervisor.signal),
    onWorking: (seconds) => context.log.info(`${who}: silent for ${seconds} s; the server says that it is at work`),
  });
  supervisor.watch(watching);
  try {
    return await supervisor.guard(work);
  } finally {
    over.abort();
  }
}
