/** What a run has told the report so far, for whoever has to say it a second time: the audit record of a failure. */
import type { CommandContext, RunNews } from '../command.ts';

export interface Told<C> {
  /** As before, but `tell` is remembered. */
  context: C;
  /** Grows as the run tells more. */
  told: Partial<RunNews>;
}

export function rememberTold<C extends CommandContext>(context: C): Told<C> {
  const told: Partial<RunNews> = {};
  const tell = (more: Partial<RunNews>): void => {
    Object.assign(told, more);
    context.tell(more);
  };
  return { context: { ...context, tell }, told };
}
