/** The vocabulary of a health check: what a check is, what it says, and what it was judged by. */
import type { FactName, HealthFacts } from './facts.ts';

/** In the order in which people read them. */
export const HEALTH_GROUPS = ['reach', 'room', 'load', 'danger', 'shape', 'assertions', 'readiness'] as const;
export type HealthGroup = (typeof HEALTH_GROUPS)[number];

/** Worst first. `not-run`: it could not be looked at, which is never a pass. */
export const HEALTH_STATUSES = ['failed', 'warning', 'not-run', 'passed'] as const;
export type HealthStatus = (typeof HEALTH_STATUSES)[number];

/** Worst first. */
export const HEALTH_VERDICTS = ['failed', 'warning', 'passed'] as const;
export type HealthVerdict = (typeof HEALTH_VERDICTS)[number];

/** Whether one check with this status makes the whole fail. */
export function isFailure(status: HealthStatus, strict: boolean): boolean {
  return status === 'failed' || (strict && status === 'not-run');
}

/**
 * `passed` only when every check passed: one that could not run is never a pass, with `strict` it is a failure. No check
 * at all is a failure.
 */
export function healthVerdict(checks: readonly { status: HealthStatus }[], strict: boolean): HealthVerdict {
  if (checks.length === 0 || checks.some(({ status }) => isFailure(status, strict))) return 'failed';
  return checks.every(({ status }) => status === 'passed') ? 'passed' : 'warning';
}

/** What one check found. `seen` and `details` may name tables; they never hold a row or a secret. */
export interface HealthResult {
  /** Stable, kebab-case: `connections`. */
  code: string;
  group: HealthGroup;
  status: HealthStatus;
  /** One sentence. */
  seen: string;
  /** What to do, in the imperative; empty when there is nothing to do. */
  action: string;
  /** Names and numbers behind `seen`, the worst first. */
  details: readonly string[];
  /** What was measured, in the unit of the limit. */
  value?: number;
  limit?: number;
}

/** What was looked at, or why it could not be. */
export type Seen<T> = { seen: T } | Hidden;

export interface Hidden {
  /** Why, one sentence. */
  hidden: string;
  /** What would let it be seen: a GRANT, mostly. */
  action: string;
}

/** What came of looking: a fact that was not asked for is absent. */
export type Looked = { [Name in FactName]?: Seen<HealthFacts[Name]> };

/** What a check says of its fact. */
export interface Judgement {
  status: HealthStatus;
  seen: string;
  action?: string;
  details?: readonly string[];
  value?: number;
}

export interface Limit {
  /** Absent: the check is made only when somebody gives one. */
  value?: number;
  /** For people: `percent`, `minutes`. */
  unit: string;
  /** The input that sets it; without one it is set by `checks: code=number`. */
  input?: string;
  /** A least one, so that falling values are the worse ones. */
  lessIsWorse?: true;
}

/** What a judgement may look at besides its fact. */
export interface JudgedBy {
  /** Of this check; 0 for one without. */
  limit: number;
  /** Of another one; `undefined` where that has none. */
  limitOf(code: string): number | undefined;
  now: Date;
}

export interface HealthCheck<Name extends FactName = FactName> {
  code: string;
  group: HealthGroup;
  needs: Name;
  /** For docs/check.md: what is looked at, and when it warns or fails. Markdown. */
  words: string;
  limit?: Limit;
  /** `undefined`: there is nothing to judge, and the check is left out. */
  judge(fact: HealthFacts[Name], by: JudgedBy): Judgement | undefined;
}

/** One entry of the list: keeps the fact's type for `judge` alone. */
export function healthCheck<Name extends FactName>(check: HealthCheck<Name>): HealthCheck {
  return check as unknown as HealthCheck;
}

/** `passed` unless `broken`. */
export function unless(
  broken: boolean,
  worse: 'failed' | 'warning',
  words: { seen: string; action: string; details?: readonly string[]; value?: number },
): Judgement {
  return broken ? { status: worse, ...words } : { ...words, status: 'passed', action: '', details: [] };
}

/** For lists that should be empty. */
export function noneOf(
  names: readonly string[],
  worse: 'failed' | 'warning',
  words: { none: string; some: string; action: string },
): Judgement {
  const value = names.length;
  if (value === 0) return { status: 'passed', seen: words.none, value };
  return { status: worse, seen: words.some, action: words.action, details: names, value };
}
