/** What a status needs of the record of a health check. */
import * as json from '../json-reader.ts';
import { HEALTH_VERDICTS, type HealthVerdict, isFailure } from './model.ts';
import type { CheckRecord } from './record.ts';

export interface CheckOutcome {
  startedAt: string;
  verdict: HealthVerdict;
  /** The server answered. */
  reached: boolean;
  /** Codes of what made it fail. */
  failed: readonly string[];
}

export function checkOutcome({ startedAt, verdict, error, checks, strict }: CheckRecord): CheckOutcome {
  const failed = checks.filter(({ status }) => isFailure(status, strict));
  return { startedAt, verdict, reached: error === undefined, failed: failed.map(({ code }) => code) };
}

export const readCheckOutcome = json.object<CheckOutcome>({
  startedAt: json.utcTime,
  verdict: json.oneOf(...HEALTH_VERDICTS),
  reached: json.flag,
  failed: json.list(json.anyWord()),
});
