/** What a check says in a few words: the last line of the log, annotations, and why a run is red. */
import type { CheckResult } from '../command.ts';
import { failing, worstFirst } from '../domain/check/judge.ts';
import type { HealthResult, HealthStatus } from '../domain/check/model.ts';
import type { Finding, Severity } from '../domain/findings.ts';
import { countOf } from '../domain/words.ts';
import { type FailureWords, titled } from './failure-words.ts';

const DETAILS_NAMED = 5;
const PROBLEMS_NAMED = 20;

/** Why a check is red; `undefined` when it is not. */
export function describeUnhealthy(result: CheckResult): FailureWords | undefined {
  if (result.verdict !== 'failed') return undefined;
  const { name, results, strict, error } = result;
  const failed = failing(results, strict);
  const [worst] = failed;
  const code = error?.code ?? 'ERR_CHECK';
  return {
    ...titled({ command: 'check', code, outcome: 'failed' }, name),
    level: error === undefined ? 'warning' : 'critical',
    condition: failed.map((each) => each.code).join(','),
    happened:
      worst === undefined
        ? 'No check was made at all'
        : failed.length === 1
          ? `${worst.code}: ${worst.seen}`
          : `${failed.length} of ${results.length} checks failed, the first: ${worst.code}: ${worst.seen}`,
    problems: failed.length <= 1 ? namedDetails(worst) : failed.slice(0, PROBLEMS_NAMED).map(problemWords),
    causes: [],
    safety: 'A check only reads: nothing in the database was changed. Backups are untouched.',
    action: worst === undefined ? 'Switch some checks on: `checks` turned all of them off.' : worst.action,
    toType: [],
  };
}

function problemWords(result: HealthResult): string {
  const details = namedDetails(result);
  return [`${result.code}: ${result.seen}`, ...details].join('; ');
}

function namedDetails(result: HealthResult | undefined): string[] {
  const details = result?.details ?? [];
  const more = details.length - DETAILS_NAMED;
  return more > 0 ? [...details.slice(0, DETAILS_NAMED), `and ${more} more in the job summary`] : [...details];
}

/** Each as an annotation; what passed has none. */
export function checkAnnotations({ results, strict, findings }: CheckResult): Finding[] {
  const severity = (status: HealthStatus): Severity =>
    status === 'failed' || (strict && status === 'not-run') ? 'error' : status === 'warning' ? 'warning' : 'notice';
  const found = worstFirst(results, strict)
    .filter(({ status }) => status !== 'passed')
    .map((result) => ({
      code: result.status === 'not-run' ? `${result.code} (not run)` : result.code,
      severity: severity(result.status),
      seen: [result.seen, ...namedDetails(result)].join('; '),
      action: result.action,
    }));
  return [...found, ...findings];
}

/** `38 passed, 2 warnings, 1 not run` */
export function countWords(results: readonly HealthResult[]): string {
  const count = (status: HealthStatus): number => results.filter((result) => result.status === status).length;
  const [failed, warning, notRun] = [count('failed'), count('warning'), count('not-run')];
  return [
    `${count('passed')} passed`,
    ...(failed === 0 ? [] : [`${failed} failed`]),
    ...(warning === 0 ? [] : [countOf(warning, 'warning')]),
    ...(notRun === 0 ? [] : [`${notRun} not run`]),
  ].join(', ');
}

/** Of a check that is not red. */
export function checkLine({ where, results, verdict, comparison }: CheckResult): string {
  const worse = comparison?.worse.length ?? 0;
  const words = verdict === 'passed' ? 'healthy' : 'with warnings';
  return `Checked ${where}, ${words}: ${countWords(results)}${worse === 0 ? '' : `; ${countOf(worse, 'check')} worse than at ${comparison?.since}`}`;
}
