/** How far a run has come, kept for its report and noted down for the post step. */
import type { RunNews } from './command.ts';
import type { Environment } from './domain/destination.ts';
import { messageOf } from './domain/errors.ts';
import type { FailureWords } from './report/failure-words.ts';
import type { RunLog } from './runner/log.ts';
import { remember, type State } from './state.ts';

export class News {
  readonly known: Partial<RunNews> = {};
  readonly #env: Environment;
  readonly #log: RunLog;

  constructor(env: Environment, log: RunLog) {
    this.#env = env;
    this.#log = log;
  }

  /** Later words win. What there can be much of is for the report of this process alone. */
  add(more: Partial<RunNews>): void {
    Object.assign(this.known, more);
    const { findings: _, checks: _checks, messages: _messages, ...rest } = this.known;
    this.#note('news', JSON.stringify(rest));
  }

  /** In words that were told, but perhaps not yet to everybody. */
  failed(words: FailureWords): void {
    this.#note('failure', JSON.stringify(words));
  }

  reported(): void {
    this.#note('reported', 'true');
  }

  /** A note that cannot be written must not be what ends a backup. */
  #note(name: keyof State, text: string): void {
    try {
      remember(name, this.#log.redact(text), this.#env);
    } catch (error) {
      this.#log.warning(`The post step will not know how far this run came: ${messageOf(error)}`);
    }
  }
}

/** In the post step: what the main step of this very run noted down last. */
export function readNote<T extends object>(note: string | undefined, log: RunLog): T | undefined {
  if (note === undefined) return undefined;
  try {
    return JSON.parse(note) as T;
  } catch (error) {
    log.debug(`what the main step noted down cannot be read: ${messageOf(error)}`);
    return undefined;
  }
}
