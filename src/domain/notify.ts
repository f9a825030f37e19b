/**
 * Who hears of a run, and why: from what happened and who was told before alone. The heartbeat is not among them, because
 * a service that waits for a job must hear of every run.
 */
import { type Condition, conditionWord, type Listener, type Told } from './notify/told.ts';
import { LEVELS } from './status/model.ts';
import { formatAge } from './words.ts';

/** Words of `notify-on`. */
export const OCCASIONS = ['failure', 'recovery', 'warning', 'success', 'start'] as const;
export type Occasion = (typeof OCCASIONS)[number];

/** Words of `digest`. */
export const DIGESTS = ['weekly', 'monthly'] as const;
export type Digest = (typeof DIGESTS)[number];

/** What happened. `proven`: it ends the alarm of its command. `start` and `progress` are those of a run under way. */
export type RunEvent =
  | { kind: 'failed'; condition: Condition }
  | { kind: 'green'; proven: boolean; warned?: Warned }
  | { kind: 'start' }
  | { kind: 'progress' };

/** What a green run warns of. Issues are about failures alone, so that something else remembers who was told. */
export interface Warned {
  /** Empty when there is nothing to warn of. */
  conditions: readonly Condition[];
  /** As the run before left it; absent when nothing remembers. */
  before?: readonly Told[];
}

/** What the open issue says. `unknown`: there is none to ask, because it is switched off or could not be read. */
export type History = { known: 'unknown' } | { known: 'no-issue' } | { known: 'open-issue'; told: readonly Told[] };

export interface Hearer {
  name: Listener;
  /** It knows by itself what is open, and makes one of many: it hears everything that it may hear. */
  keepsState?: boolean;
}

export interface NotifyRules {
  on: readonly Occasion[];
  /** 0: every failure is told. */
  remindAfterHours: number;
}

/**
 * A nightly failure is told every night, even when GitHub starts one run some hours late and the next in time; one of
 * every half hour about once a day.
 */
export const REMIND_AFTER_HOURS = 20;

/** What was told later than that was told by a clock that was wrong. */
const CLOCK_TOLERANCE_SECONDS = 3_600;

/** `warning`: of a green run. */
export type MessageKind = 'failure' | 'worse' | 'reminder' | 'recovery' | 'warning' | 'success' | 'start' | 'progress';

/** `kind` is absent when it is not told. `reason` goes on after `because`, for the log and for whoever was woken by the message. */
export interface Decision {
  to: Listener;
  kind?: MessageKind;
  reason: string;
}

/**
 * What is told when `notify-on` is empty. A restore replaces what a team works with, so all of it is told; of everything
 * else that it fails or warns, and that this is over.
 */
export function occasionsOf(command: string, given: readonly Occasion[]): readonly Occasion[] {
  if (given.length > 0) return given;
  return command === 'restore' ? OCCASIONS : ['failure', 'recovery', 'warning'];
}

/** One decision for each of `hearers`, in their order. */
export function whoHears(
  event: RunEvent,
  history: History,
  hearers: readonly Hearer[],
  rules: NotifyRules & { now: Date },
): Decision[] {
  return hearers.map((hearer) => ({ to: hearer.name, ...decide(event, history, hearer, rules) }));
}

type Judgement = Omit<Decision, 'to'>;
type Rules = NotifyRules & { now: Date };

function decide(event: RunEvent, history: History, hearer: Hearer, rules: Rules): Judgement {
  switch (event.kind) {
    case 'failed':
      return rules.on.includes('failure') ? ofFailure(event.condition, history, hearer, rules) : unwanted('failure');
    case 'green':
      return ofSuccess(event, history, hearer, rules);
    default:
      return rules.on.includes('start')
        ? { kind: event.kind, reason: 'every start of this command is told here, and how far it is' }
        : unwanted('start');
  }
}

function unwanted(occasion: Occasion): Judgement {
  return { reason: `\`notify-on\` leaves ${occasion} out` };
}

function ofFailure(condition: Condition, history: History, { name, keepsState }: Hearer, rules: Rules): Judgement {
  if (keepsState === true)
    return {
      kind: 'failure',
      reason: 'the run failed; this service hears of every failure, and knows itself which belong together',
    };
  if (history.known === 'unknown') {
    return { kind: 'failure', reason: 'the run failed, and there is no issue to look up in whether you know already' };
  }
  if (history.known === 'no-issue')
    return { kind: 'failure', reason: 'the run failed, and no open issue was about it: this is new' };
  return ofLasting(condition, ownOf(history.told, name), FAILING, rules);
}

/** Why somebody hears of what was told before, or of what stands beside it. */
interface LastingWords {
  unheard: string;
  another: string;
  lasts: string;
}

const FAILING: LastingWords = {
  unheard: 'the run failed as the open issue says, and you were not told of it here yet',
  another: 'the run failed again, and for another reason than those that you were told',
  lasts: 'it still fails',
};
const WARNING: LastingWords = {
  unheard: 'the run is green and warns of something that you were not told of here yet',
  another: 'the run is green and warns of something else than you were told',
  lasts: 'the run is green and still warns of it',
};

/** @param told to whom it may be told now */
function ofLasting(
  { code, level }: Condition,
  told: readonly Told[],
  words: LastingWords,
  { remindAfterHours, now }: Rules,
): Judgement {
  const before = told.find((each) => each.code === conditionWord(code));
  if (before === undefined) return { kind: 'failure', reason: told.length === 0 ? words.unheard : words.another };
  if (LEVELS.indexOf(level) > LEVELS.indexOf(before.level)) {
    return { kind: 'worse', reason: `it has become ${level}; when you were told last it was a ${before.level}` };
  }
  const seconds = (now.getTime() - before.at.getTime()) / 1000;
  if (seconds < -CLOCK_TOLERANCE_SECONDS) {
    return {
      kind: 'reminder',
      reason: `${words.lasts}, and a clock was wrong: nobody knows when you were told last`,
    };
  }
  const age = formatAge(Math.max(0, seconds));
  if (seconds >= remindAfterHours * 3_600) {
    return { kind: 'reminder', reason: `${words.lasts}; you were told last ${age} ago` };
  }
  return { reason: `it was told ${age} ago, and is told again after ${remindAfterHours} h` };
}

function ownOf(told: readonly Told[], name: Listener): Told[] {
  return told.filter(({ to }) => to === name);
}

function ofSuccess(
  { proven, warned }: Extract<RunEvent, { kind: 'green' }>,
  history: History,
  { name, keepsState = false }: Hearer,
  rules: Rules,
): Judgement {
  const { on } = rules;
  const recovered = proven && (history.known === 'open-issue' || keepsState);
  if (recovered && on.includes('recovery'))
    return { kind: 'recovery', reason: 'the run succeeded, so that the failure before it is over' };
  if (on.includes('success')) return { kind: 'success', reason: 'every success of this command is told here' };
  // A service that calls people for what is open would call them for what nobody has to get up for.
  const warning = warned === undefined || keepsState ? undefined : ofWarnings(warned, name, rules);
  if (warning?.kind !== undefined) return warning;
  if (recovered) return unwanted('recovery');
  if (warning !== undefined) return warning;
  if (!proven) return { reason: 'nothing new was proven' };
  return {
    reason: history.known === 'unknown' ? 'no issue says that something was wrong' : 'nothing was wrong before',
  };
}

/** Of several the one counts that was not told yet, else one that lasts. `undefined`: there is and was nothing. */
function ofWarnings({ conditions, before }: Warned, name: Listener, rules: Rules): Judgement | undefined {
  const told = ownOf(before ?? [], name);
  if (conditions.length === 0 && told.length === 0) return undefined;
  if (!rules.on.includes('warning')) return unwanted('warning');
  if (conditions.length === 0) {
    return rules.on.includes('recovery')
      ? { kind: 'recovery', reason: 'the run warns of nothing, so that what you were warned of is over' }
      : unwanted('recovery');
  }
  if (before === undefined) {
    return { kind: 'warning', reason: 'the run is green and warns of something, and nothing remembers who was told' };
  }
  const each = conditions.map((condition) => ofLasting(condition, told, WARNING, rules));
  const unheard = each.find(({ kind }) => kind === 'failure');
  if (unheard !== undefined) return { ...unheard, kind: 'warning' };
  return each.find(({ kind }) => kind !== undefined) ?? (each[0] as Judgement);
}
