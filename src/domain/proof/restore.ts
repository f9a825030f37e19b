/** `verify: restore`: what a restore of the archive, made while the archive was, says about the backup. */
import type { Check } from '../checks.ts';
import { type ClassifiedMessage, type LeftOut, recoveryVerdict } from '../recovery.ts';
import { countOf, shareOf } from '../words.ts';

/** One restore into a local server, to its end; or why there was none. */
export type TrialOutcome =
  | { why: string }
  | {
      /** Of the local server, as it prints it. */
      serverVersion: string;
      /** Of what came back. */
      checks: readonly Check[];
      messages: readonly ClassifiedMessage[];
      /** What that server could not take. */
      leftOut: readonly LeftOut[];
      seconds: number;
    };

/** A broken archive can be told in ten thousand ways. */
const MAX_DETAILS = 200;

/**
 * One check for all: failed when any of them failed or pg_restore said anything fatal, and partial when anything was
 * left out or not understood.
 */
export function checkRestore(outcome: TrialOutcome): Check {
  if ('why' in outcome) {
    const reason = 'The archive was not restored to its end on this machine, so what would come back was not looked at';
    return { id: 'restore', status: 'not-run', reason, details: [outcome.why] };
  }
  const { checks, leftOut, serverVersion, seconds } = outcome;
  const messages = outcome.messages.filter(({ kind }) => kind !== 'harmless');
  const fatal = messages.filter(({ kind }) => kind === 'fatal').length;
  const verdict = fatal > 0 ? 'failed' : recoveryVerdict(checks);
  const where = `a local server of Postgres ${serverVersion}`;
  if (verdict === 'passed' && messages.length === 0 && leftOut.length === 0) {
    const reason = `pg_restore brought the archive back into ${where}, and ${countOf(checks.length, 'check')} of what came back passed, in ${Math.round(seconds)} s`;
    return { id: 'restore', status: 'passed', reason, details: [] };
  }
  const doubts = checks.filter(({ status }) => status !== 'passed');
  const counted = [
    ...(doubts.length > 0 ? [`${shareOf(doubts.length, checks.length, 'check')} did not pass`] : []),
    ...(checks.length === 0 ? ['nothing was compared'] : []),
    ...(messages.length > 0 ? [`pg_restore said ${countOf(messages.length, 'thing')} that may matter`] : []),
    ...(leftOut.length > 0 ? [`${countOf(leftOut.length, 'object')} could not be restored there`] : []),
  ];
  return {
    id: 'restore',
    status: verdict === 'failed' ? 'failed' : 'partial',
    reason: `pg_restore brought the archive back into ${where}, but ${counted.join(', ')}`,
    details: [
      ...messages.map(({ text, reason }) => `pg_restore: ${text} (${reason})`),
      ...doubts.flatMap(({ id, status, reason, details }) => [
        `${id}: ${status}. ${reason}`,
        ...details.map((detail) => `${id}: ${detail}`),
      ]),
      ...leftOut.map(({ what, why }) => `${what}: ${why}`),
    ].slice(0, MAX_DETAILS),
  };
}
