/** All checks there are, and what they say of a server together. */
import { COUNTERS } from './counters.ts';
import { LOAD } from './load.ts';
import {
  HEALTH_GROUPS,
  HEALTH_STATUSES,
  type HealthCheck,
  type HealthGroup,
  type HealthResult,
  type HealthStatus,
  isFailure,
  type Looked,
} from './model.ts';
import { OBJECTS } from './objects.ts';
import { OWN_WORDS } from './own-words.ts';
import { REACH } from './reach.ts';
import { READINESS } from './readiness.ts';
import { ROOM } from './room.ts';
import { SERVER } from './server.ts';
import { SHAPE } from './shape.ts';

/** In the order of their groups. */
export const HEALTH_CHECKS: readonly HealthCheck[] = [
  ...REACH,
  ...ROOM,
  ...LOAD,
  ...COUNTERS,
  ...OBJECTS,
  ...SERVER,
  ...SHAPE,
  ...OWN_WORDS,
  ...READINESS,
];

/** What a user said of a check or a whole group. */
export type CheckLevel = 'off' | 'warning' | 'failed';

export interface CheckSettings {
  /** By code or group; the code wins. */
  levels: Readonly<Record<string, CheckLevel>>;
  /** By code, in the unit of the check. */
  limits: Readonly<Record<string, number>>;
}

/** Everything that was looked at, judged; in the order of {@link HEALTH_CHECKS}. */
export function judgeHealth(looked: Looked, settings: CheckSettings, now: Date): HealthResult[] {
  return HEALTH_CHECKS.flatMap((check) => judgeOne(check, looked, settings, now) ?? []);
}

/** Whether anything that needs this fact is wanted: what is switched off is not even looked at. */
export function isWanted(fact: keyof Looked, settings: CheckSettings): boolean {
  return HEALTH_CHECKS.some(
    (check) =>
      check.needs === fact &&
      levelOf(check, settings) !== 'off' &&
      (check.limit === undefined || limitOf(check, settings) !== undefined),
  );
}

function judgeOne(check: HealthCheck, looked: Looked, settings: CheckSettings, now: Date): HealthResult | undefined {
  const { code, group, needs } = check;
  const level = levelOf(check, settings);
  const fact = looked[needs];
  const limit = limitOf(check, settings);
  if (level === 'off' || fact === undefined || (check.limit !== undefined && limit === undefined)) return undefined;
  if ('hidden' in fact) return { code, group, status: 'not-run', seen: fact.hidden, action: fact.action, details: [] };
  const judged = check.judge(fact.seen, {
    limit: limit ?? 0,
    limitOf: (other) => HEALTH_CHECKS.filter((each) => each.code === other).map((each) => limitOf(each, settings))[0],
    now,
  });
  if (judged === undefined) return undefined;
  const { seen, action = '', details = [], value } = judged;
  return {
    ...{ code, group, status: levelled(judged.status, level), seen, action, details },
    ...(value === undefined ? {} : { value }),
    ...(limit === undefined ? {} : { limit }),
  };
}

/** A name that a check and its group share means the check: whoever turns that off does not mean the others. */
function levelOf({ code, group }: HealthCheck, { levels }: CheckSettings): CheckLevel | undefined {
  return levels[code] ?? (HEALTH_CHECKS.some((check) => check.code === group) ? undefined : levels[group]);
}

function limitOf({ code, limit }: HealthCheck, { limits }: CheckSettings): number | undefined {
  return limits[code] ?? limit?.value;
}

function levelled(status: HealthStatus, level: CheckLevel | undefined): HealthStatus {
  if (level === undefined || level === 'off') return status;
  return status === 'failed' || status === 'warning' ? level : status;
}

/** Worst first; with `strict` what could not run counts like a failure. */
export function worstFirst(results: readonly HealthResult[], strict: boolean): HealthResult[] {
  const rank = ({ status }: HealthResult): number =>
    strict && status === 'not-run' ? 0.5 : HEALTH_STATUSES.indexOf(status);
  return results.toSorted((one, other) => rank(one) - rank(other));
}

/** What keeps the verdict from being green, worst first. */
export function failing(results: readonly HealthResult[], strict: boolean): HealthResult[] {
  return worstFirst(results, strict).filter(({ status }) => isFailure(status, strict));
}

export function isCheckName(name: string): boolean {
  return HEALTH_CHECKS.some(({ code }) => code === name) || HEALTH_GROUPS.includes(name as HealthGroup);
}
