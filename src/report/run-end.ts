/** How a run ended, in a few lines for those who are told by other ways than GitHub's. */
import { secondsSince } from '../domain/time.ts';
import { formatDuration } from '../domain/words.ts';
import type { Ending } from './ending.ts';

export interface RunEnd {
  /** As the exit code has it. */
  green: boolean;
  /** Plain text, redacted: the verdict, how long it took, where to read on. */
  text: string;
}

export interface RunEndFacts {
  /** ISO 8601 UTC. */
  startedAt: string | undefined;
  now: Date;
  /** Absent outside of a workflow. */
  runUrl: string | undefined;
}

export function describeRunEnd(
  ending: Ending,
  { startedAt, now, runUrl }: RunEndFacts,
  redact: (text: string) => string,
): RunEnd {
  const lines = [
    verdictOf(ending),
    ...(startedAt === undefined ? [] : [`It took ${formatDuration(secondsSince(startedAt, now))}.`]),
    ...(runUrl === undefined ? [] : [runUrl]),
  ];
  return { green: ending.exitCode === 0, text: redact(lines.join('\n')) };
}

function verdictOf(ending: Ending): string {
  if ('failure' in ending) return ending.failure.title;
  if (!('proven' in ending)) return 'Green, but nothing new was proven.';
  const { command, id } = ending.proven;
  if (command === 'status') return `Nothing is critical. The newest proven backup is ${id}.`;
  return command === 'backup' ? `The backup ${id} is proven.` : `The ${command} of ${id} has passed.`;
}
