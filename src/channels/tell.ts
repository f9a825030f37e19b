/**
 * Tells a service that waits for the job that a run begins and how it ended. Whatever goes wrong here is a warning: it changes neither the
 * error that is told nor the exit code, and takes a few seconds at most.
 */
import { messageOf } from '../domain/errors.ts';
import { readChannelInputs } from '../inputs/channels.ts';
import type { Ending } from '../report/ending.ts';
import { describeRunEnd } from '../report/run-end.ts';
import type { Channel, SendParts } from './channel.ts';
import { Delivery, type TellParts } from './delivery.ts';
import { heartbeatChannel } from './heartbeat.ts';
import { warnOfPlain } from './plain-address.ts';

/** For one message, its repetitions included. */
const LONGEST_MS = 6_000;

export interface EndedRun {
  ending: Ending;
  /** When it began, ISO 8601 UTC, where that is known. */
  startedAt: string | undefined;
  /** Of a cancellation, which leaves the rest to the post step. */
  signal: AbortSignal;
}

export class Channels {
  readonly #parts: TellParts;
  readonly #delivery: Delivery;
  #open: readonly Channel[] | undefined;
  #starting: Promise<void> = Promise.resolve();

  /** Reads nothing yet. */
  constructor(parts: TellParts) {
    this.#parts = parts;
    this.#delivery = new Delivery(parts, LONGEST_MS);
  }

  /** Returns at once; the run does not wait for it. @param signal of a cancellation */
  started(signal: AbortSignal): void {
    this.#starting = this.#tell(signal, (channel, parts) => channel.started(parts));
  }

  /** After the start was told, or given up. Never rejects. */
  async ended({ ending, startedAt, signal }: EndedRun): Promise<void> {
    await this.#starting;
    const { env, log, clock } = this.#parts;
    await this.#tell(signal, (channel, parts) => {
      const facts = { startedAt, now: clock.now(), runUrl: readChannelInputs(env).run?.url };
      return channel.ended(describeRunEnd(ending, facts, log.redact), parts);
    });
  }

  /** Side by side; never rejects. */
  async #tell(signal: AbortSignal, say: (channel: Channel, parts: SendParts) => Promise<void>): Promise<void> {
    try {
      this.#open ??= openChannels(this.#parts);
    } catch (error) {
      this.#parts.log.warning(`No heartbeat is sent: ${messageOf(error)}`);
      this.#open = [];
    }
    await Promise.all(
      this.#open.map((channel) => this.#delivery.try(channel.input, signal, (parts) => say(channel, parts))),
    );
  }
}

/** None for a dry run. */
function openChannels({ env, log }: TellParts): Channel[] {
  const { heartbeat, dryRun } = readChannelInputs(env);
  if (heartbeat === undefined || dryRun) return [];
  warnOfPlain('heartbeat-url', heartbeat, log);
  return [heartbeatChannel(heartbeat)];
}
