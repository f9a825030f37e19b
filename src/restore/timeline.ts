/** What a restore did and when, for its report: kept here, and told on so that a failure can say it too. */
import type { CommandContext, TimelineEntry } from '../command.ts';

export class Timeline {
  readonly #context: Pick<CommandContext, 'clock' | 'tell'>;
  readonly #entries: TimelineEntry[] = [];

  constructor(context: Pick<CommandContext, 'clock' | 'tell'>) {
    this.#context = context;
  }

  /** @param what one sentence without a secret */
  note(what: string): void {
    this.#entries.push({ at: this.#context.clock.now().toISOString(), what });
    this.#context.tell({ timeline: this.entries });
  }

  get entries(): readonly TimelineEntry[] {
    return [...this.#entries];
  }
}
