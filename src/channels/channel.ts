/** Who is told of runs besides GitHub. */
import type { Clock } from '../ports.ts';
import type { RunEnd } from '../report/run-end.ts';

/** What a message has to go by. */
export interface SendParts {
  clock: Clock;
  /** Ends every attempt. */
  signal: AbortSignal;
}

/** One place to tell. Its methods reject when it was not told; no message of theirs holds a part of its address. */
export interface Channel {
  /** That it was given by, for words. */
  readonly input: string;
  started(parts: SendParts): Promise<void>;
  ended(end: RunEnd, parts: SendParts): Promise<void>;
}
