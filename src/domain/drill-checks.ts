/** Checks of a drill beyond the proof of its content. */
import type { JudgedAssertion } from './assertions.ts';
import type { Check, CheckStatus } from './checks.ts';
import type { RecoveryPhase } from './recovery.ts';
import { countOf, formatCount, formatDuration } from './words.ts';

/** The phase of a drill's own server, which nobody waits for in an emergency. */
export const SERVER_PHASE = 'server';
/** The phase that ends the time to recover; a part of it is `prove: content`. */
export const PROOF_PHASE = 'prove';

export interface AssertionResult extends JudgedAssertion {
  line: number;
  /** The assertion as it was written, on one line. */
  assertion: string;
  seconds: number;
}

/** Passed when all did; one that is false makes it failed, one that did not run makes it not-run. */
export function checkAssertions(results: readonly AssertionResult[]): Check {
  const count = (status: CheckStatus): number => results.filter((result) => result.status === status).length;
  const details = results
    .filter(({ status }) => status !== 'passed')
    .map(({ line, assertion, status, words }) => `line ${line}, ${status}: ${assertion}: ${words}`);
  const all = countOf(results.length, 'assertion');
  const [failed, notRun] = [count('failed'), count('not-run')];
  if (results.length === 0) return { id: 'assertions', status: 'not-run', reason: 'No assertion was run', details };
  if (failed + notRun === 0) {
    return {
      id: 'assertions',
      status: 'passed',
      reason: results.length === 1 ? 'The assertion holds' : `All ${all} hold`,
      details,
    };
  }
  const parts = [
    ...(failed === 0 ? [] : [`${formatCount(failed)} ${failed === 1 ? 'does' : 'do'} not hold`]),
    ...(notRun === 0 ? [] : [`${formatCount(notRun)} could not be run to an answer`]),
  ];
  return {
    id: 'assertions',
    status: failed > 0 ? 'failed' : 'not-run',
    reason: `Of ${all} ${parts.join(' and ')}`,
    details,
  };
}

/** @param tables that are there after the restore */
export function checkMinTables(tables: number, least: number): Check {
  const seen = `${countOf(tables, 'table is', 'tables are')} there; ${countOf(least, 'is', 'are')} the least`;
  return tables >= least
    ? { id: 'min-tables', status: 'passed', reason: seen, details: [] }
    : { id: 'min-tables', status: 'failed', reason: `Only ${seen}`, details: [] };
}

/**
 * The time to recover: of all phases up to the end of the proof, but for the start of a server of the drill's own. A
 * phase of whatever other name counts, so that none is left out by mistake.
 */
export function secondsToRecover(phases: readonly RecoveryPhase[]): number {
  const last = phases.findLastIndex(isProof);
  return phases
    .slice(0, last < 0 ? phases.length : last + 1)
    .filter(({ phase }) => phase !== SERVER_PHASE)
    .reduce((sum, { seconds }) => sum + seconds, 0);
}

/** Without a proof the time that a recovery takes is not known: not-run. */
export function checkRestoreTime(phases: readonly RecoveryPhase[], maxMinutes: number): Check {
  const limit = formatDuration(maxMinutes * 60);
  if (!phases.some(isProof)) {
    const reason = `Nothing was proven, so it is not known whether ${limit} are enough`;
    return { id: 'restore-time', status: 'not-run', reason, details: [] };
  }
  const seconds = secondsToRecover(phases);
  const took = `From the first byte to the proof it took ${formatDuration(seconds)}`;
  return seconds <= maxMinutes * 60
    ? { id: 'restore-time', status: 'passed', reason: `${took}; ${limit} are allowed`, details: [] }
    : {
        id: 'restore-time',
        status: 'failed',
        reason: `${took}, longer than the ${limit} that are allowed`,
        details: phases.map(({ phase, seconds: each }) => `${phase}: ${formatDuration(each)}`),
      };
}

function isProof({ phase }: RecoveryPhase): boolean {
  return phase === PROOF_PHASE || phase.startsWith(`${PROOF_PHASE}: `);
}
