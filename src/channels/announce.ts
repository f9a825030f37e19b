/**
 * Tells Slack, webhook and mail what concerns them: decided by `whoHears`, delivered side by side, and whoever was not
 * told is told of by another channel. Whatever goes wrong here is a warning: it changes neither the error that is told
 * nor the exit code.
 */
import { randomUUID } from 'node:crypto';
import type { RunNews } from '../command.ts';
import type { GoodBackup } from '../domain/alarm/good-backup.ts';
import type { Finding } from '../domain/findings.ts';
import type { Gravity } from '../domain/notify/level.ts';
import { type Listener, stillTold, toldLine } from '../domain/notify/told.ts';
import { type Decision, type History, type MessageKind, type RunEvent, whoHears } from '../domain/notify.ts';
import type { StatusReport } from '../domain/status/model.ts';
import { type ChannelInputs, readChannelInputs } from '../inputs/channels.ts';
import { digestNotice } from '../report/digest.ts';
import type { Ending, GreenEnding } from '../report/ending.ts';
import { conditionOf } from '../report/issue.ts';
import {
  failureNotice,
  type Notice,
  type NoticeSubject,
  notToldNotice,
  progressNotice,
  startNotice,
  successNotice,
  type Untold,
} from '../report/notice.ts';
import { Delivery, type TellParts } from './delivery.ts';
import type { Messenger } from './messenger.ts';
import { openMessengers } from './open-messengers.ts';
import { probeMessengers } from './probe.ts';
import { keepWarned, recallWarned } from './warned-before.ts';

/** For one message, its repetitions included. */
const LONGEST_MS = 12_000;

export interface AnnounceParts extends TellParts {
  /** The script of the thread that speaks with the Actions cache, which remembers who was told of warnings. */
  cacheWorker?: URL;
}

export interface EndedAlarm {
  ending: Ending;
  history: History;
  verdict?: { gravity: Gravity; good: GoodBackup };
  issue?: { number: number; url: string };
  /** ISO 8601 UTC. */
  startedAt: string | undefined;
  /** Of a cancellation, which leaves the rest to the post step. */
  signal: AbortSignal;
}

export interface Announced {
  /** Who heard of it. */
  told: readonly Listener[];
  /** Who should have, and that nobody else could be told of it: a sentence each, without an address. */
  untold: readonly string[];
}

/** What is said to one listener. */
type Say = (decision: Required<Decision>, about: NoticeSubject) => Notice;

export class Announcements {
  readonly #parts: AnnounceParts;
  readonly #delivery: Delivery;
  /** Whose failure somebody else was told of. */
  readonly #passedOn = new Set<Messenger>();
  #opened: { inputs: ChannelInputs; messengers: readonly Messenger[] } | undefined;
  #underWay: Promise<unknown> = Promise.resolve();
  #isStarted = false;

  /** Reads nothing yet. */
  constructor(parts: AnnounceParts) {
    this.#parts = parts;
    this.#delivery = new Delivery(parts, LONGEST_MS);
  }

  #open(): { inputs: ChannelInputs; messengers: readonly Messenger[] } {
    if (this.#opened === undefined) {
      const inputs = readChannelInputs(this.#parts.env);
      this.#opened = { inputs, messengers: openMessengers(inputs, this.#parts.log) };
    }
    return this.#opened;
  }

  /** Somebody may be told of this run. */
  get isHeard(): boolean {
    return this.#open().messengers.length > 0;
  }

  /** Returns at once; the run does not wait for it. A restore is told of as soon as it is known what is restored. */
  started(signal: AbortSignal): void {
    if (this.#open().inputs.command !== 'restore') this.#start({}, signal);
  }

  /** How a restore goes on, from what it tells. Returns at once. */
  heard(more: Partial<RunNews>, known: Partial<RunNews>, signal: AbortSignal): void {
    if (known.command !== 'restore') return;
    if (more.begins !== undefined && !this.#isStarted) {
      const { backupId, targetFingerprint: target } = known;
      const facts = { ...(backupId === undefined ? {} : { backupId }), ...(target === undefined ? {} : { target }) };
      this.#start({ ...facts, ...more.begins }, signal);
    }
    const words = more.stage === undefined || !this.#isStarted ? undefined : STAGES[more.stage];
    if (words === undefined) return;
    this.#later({ kind: 'progress' }, signal, ({ reason }, about) =>
      progressNotice(words, reason, about, this.#parts.log.redact),
    );
  }

  #start(facts: Parameters<typeof startNotice>[0], signal: AbortSignal): void {
    this.#isStarted = true;
    this.#later({ kind: 'start' }, signal, ({ reason }, about) =>
      startNotice(facts, reason, about, this.#parts.log.redact),
    );
  }

  /** One after the other, so that they come in their order. */
  #later(event: RunEvent, signal: AbortSignal, say: Say): void {
    this.#underWay = this.#underWay.then(() => this.#deliver(event, { known: 'unknown' }, { signal }, say));
  }

  /** After all that was under way. Never rejects. */
  async ended(end: EndedAlarm): Promise<Announced> {
    await this.#underWay;
    const { ending, history, verdict, startedAt } = end;
    const { redact } = this.#parts.log;
    if ('failure' in ending) {
      if (verdict === undefined) return { told: [], untold: [] };
      const facts = { words: ending.failure, ...verdict, startedAt };
      const condition = conditionOf(facts);
      return await this.#deliver({ kind: 'failed', condition }, history, end, ({ kind, reason }, about) =>
        failureNotice(kind, reason, facts, about, redact),
      );
    }
    return await this.#endedGreen(ending, end);
  }

  async #endedGreen(ending: GreenEnding, end: EndedAlarm): Promise<Announced> {
    const { history, startedAt, signal } = end;
    const { proven, warnings } = ending;
    const { inputs } = this.#open();
    const { cacheWorker, env, log } = this.#parts;
    const isRemembered = cacheWorker !== undefined && this.isHeard && inputs.notifyOn.includes('warning');
    const memory = isRemembered ? { env, log, cacheWorker, subject: inputs.subject } : undefined;
    const before = memory === undefined ? undefined : await recallWarned(memory, signal);
    const conditions = warnings.map(({ condition: code, level }) => ({ code, level }));
    const warned = { conditions, ...(before === undefined ? {} : { before }) };
    const event = { kind: 'green', proven: proven !== undefined, warned } as const;
    const after = history.known !== 'open-issue' && (before ?? []).length > 0 ? 'warning' : 'failure';
    const facts = { proven, warnings, startedAt, after } as const;
    const announced = await this.#deliver(event, history, end, ({ kind, reason }, about) =>
      successNotice(kind as GreenKind, reason, facts, about, log.redact),
    );
    if (memory !== undefined && before !== undefined) {
      const told = stillTold(before, conditions, { to: announced.told, at: this.#parts.clock.now() });
      if (toldLine(told) !== toldLine(before)) await keepWarned(told, memory, signal);
    }
    return announced;
  }

  /** See `probeMessengers`. */
  readonly probe = (signal: AbortSignal): Promise<Finding[]> =>
    probeMessengers(this.#open().messengers, { clock: this.#parts.clock, signal });

  /** What a status has seen, as a digest where that was asked for. Returns at once. */
  watched(report: StatusReport, signal: AbortSignal): void {
    const { inputs, messengers } = this.#open();
    const { digest } = inputs;
    if (digest === undefined) return;
    const { redact } = this.#parts.log;
    const tell = (): Promise<Announced> => {
      const notices = messengers.map((each) => [each, digestNotice(report, digest, this.#about({}), redact)] as const);
      return this.#send(new Map(notices), { signal });
    };
    this.#underWay = this.#underWay.then(tell);
  }

  async #deliver(
    event: RunEvent,
    history: History,
    end: Pick<EndedAlarm, 'issue' | 'signal'>,
    say: Say,
  ): Promise<Announced> {
    const { log, clock } = this.#parts;
    const { inputs, messengers } = this.#open();
    const { notifyOn: on, remindAfterHours } = inputs;
    const decisions = whoHears(event, history, messengers, { on, remindAfterHours, now: clock.now() });
    const notices = new Map<Messenger, Notice>();
    for (const [index, messenger] of messengers.entries()) {
      const { kind, reason, to } = decisions[index] as Decision;
      log.debug(`${messenger.input}: ${kind ?? 'not told'}, because ${reason}`);
      if (kind === undefined) continue;
      notices.set(messenger, say({ kind: kind as MessageKind, reason, to }, this.#about(end)));
    }
    return await this.#send(notices, end);
  }

  /** Side by side; who was not told is told of by the first that was, once in a run. */
  async #send(notices: ReadonlyMap<Messenger, Notice>, end: Pick<EndedAlarm, 'issue' | 'signal'>): Promise<Announced> {
    const told: Messenger[] = [];
    const failed = new Map<Messenger, Untold>();
    const outcomes = [...notices].map(async ([messenger, notice]) => {
      const untold = await this.#try(messenger, notice, end.signal);
      if (untold === undefined) told.push(messenger);
      else if (!this.#passedOn.has(messenger)) failed.set(messenger, untold);
    });
    await Promise.all(outcomes);
    if (end.signal.aborted) return { told: told.map(({ name }) => name), untold: [] };
    // A service that calls people would call them for this, too, or say nothing.
    const other = told.find(({ keepsState }) => !keepsState);
    const untold = [...failed.values()];
    const isPassedOn = untold.length > 0 && other !== undefined && (await this.#passOn(other, untold, end));
    if (isPassedOn) for (const messenger of failed.keys()) this.#passedOn.add(messenger);
    return { told: told.map(({ name }) => name), untold: isPassedOn ? [] : untold.map(({ seen }) => seen) };
  }

  async #passOn(
    other: Messenger,
    untold: readonly Untold[],
    end: Pick<EndedAlarm, 'issue' | 'signal'>,
  ): Promise<boolean> {
    const notice = notToldNotice(untold, this.#about(end), this.#parts.log.redact);
    return (await this.#try(other, notice, end.signal)) === undefined;
  }

  /** As {@link Delivery.try}. */
  async #try(messenger: Messenger, notice: Notice, signal: AbortSignal): Promise<Untold | undefined> {
    return await this.#delivery.try(messenger.input, signal, (parts) => messenger.send(notice, parts));
  }

  #about({ issue }: Pick<EndedAlarm, 'issue'>): NoticeSubject {
    const { command, series, run } = this.#open().inputs;
    return {
      command,
      ...(series === undefined ? {} : { series }),
      ...(run === undefined ? {} : { repository: run.repository, runUrl: run.url }),
      ...(issue === undefined ? {} : { issue }),
      at: this.#parts.clock.now(),
      id: randomUUID(),
    };
  }
}

type GreenKind = Parameters<typeof successNotice>[0];

/** Of the stages of a restore those in which what is there changes. */
const STAGES: Readonly<Partial<Record<NonNullable<RunNews['stage']>, string>>> = {
  restoring: 'The backup is fetched and checked, and goes into a new database now. Nothing that is there has changed.',
  replacing: 'What is there is being replaced by the backup now.',
  replaced: 'What was there has been replaced by the backup. The last steps follow.',
};
