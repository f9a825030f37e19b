import type { Check, CheckId } from '../checks.ts';

/** A check is passed when there is no difference; otherwise failed, with every difference as a detail. */
export function conclude(
  id: CheckId,
  differences: readonly string[],
  reasons: { passed: string; failed: (count: number) => string },
): Check {
  return differences.length === 0
    ? { id, status: 'passed', reason: reasons.passed, details: [] }
    : { id, status: 'failed', reason: reasons.failed(differences.length), details: [...differences] };
}
