/** What has become worse since an earlier check. */
import { HEALTH_CHECKS } from './judge.ts';
import { HEALTH_STATUSES, type HealthResult, type HealthStatus } from './model.ts';
import type { CheckRecord } from './record.ts';

/** By so much of the limit a value must have come nearer to it: less is everyday life. */
const LEAST_STEP = 0.1;

export interface Worsened {
  code: string;
  before: HealthStatus;
  now: HealthStatus;
  /** Where both runs measured one. */
  values?: { before: number; now: number };
}

export interface Comparison {
  /** When the earlier check began, ISO 8601 UTC. */
  since: string;
  /** In the order of the checks. */
  worse: readonly Worsened[];
}

/** A check that the earlier run did not have is not worse, whatever it says. */
export function compareChecks(earlier: CheckRecord, results: readonly HealthResult[]): Comparison {
  const before = new Map(earlier.checks.map((check) => [check.code, check]));
  const worse = results.flatMap((result): Worsened[] => {
    const past = before.get(result.code);
    if (past === undefined) return [];
    const values =
      past.value === undefined || result.value === undefined
        ? {}
        : { values: { before: past.value, now: result.value } };
    const nearer = 'values' in values && values.values !== undefined && isNearer(result, values.values);
    if (rank(result.status) >= rank(past.status) && !(result.status === past.status && nearer)) return [];
    return [{ code: result.code, before: past.status, now: result.status, ...values }];
  });
  return { since: earlier.startedAt, worse };
}

/** 0 is the worst. What could not run tells nothing, so it is worse than a pass and no better than a warning. */
function rank(status: HealthStatus): number {
  return HEALTH_STATUSES.indexOf(status);
}

function isNearer({ code, limit }: HealthResult, values: { before: number; now: number }): boolean {
  if (limit === undefined || limit === 0) return false;
  const lessIsWorse = HEALTH_CHECKS.find((check) => check.code === code)?.limit?.lessIsWorse === true;
  const step = (values.now - values.before) / Math.abs(limit);
  return (lessIsWorse ? -step : step) >= LEAST_STEP;
}
