/** Parts of a job summary that more than one kind of run has. */
import type { PhaseTiming, WayBack } from '../command.ts';
import type { Check, CheckStatus } from '../domain/checks.ts';
import type { Finding, Severity } from '../domain/findings.ts';
import { countOf, fewOf, formatDuration } from '../domain/words.ts';
import type { FailureWords } from './failure-words.ts';
import { details, type Markdown } from './markdown.ts';

const MAX_FINDINGS = 50;
const DETAILS_SHOWN = 30;

const STATUS_SIGNS: Readonly<Record<CheckStatus, string>> = {
  passed: '✅ passed',
  failed: '❌ failed',
  partial: '⚠️ partial',
  'not-run': '⚠️ not run',
};

const SIGNS: Readonly<Record<Severity, string>> = { error: '❌', warning: '⚠️', notice: 'ℹ️' };
const ORDER: readonly Severity[] = ['error', 'warning', 'notice'];

/** What went wrong in a run that has a result; empty when nothing did. */
export function troubleSection(words: FailureWords | undefined, md: Markdown): string[] {
  if (words === undefined) return [];
  return [
    `**${md.text(words.happened)}.**`,
    `**What is safe:** ${md.text(words.safety)}`,
    `**What to do:** ${md.text(words.action)}`,
    ...stepsSection(words.toType, md),
  ];
}

/** What to type, each with its reason; empty when there is nothing. */
export function stepsSection(steps: readonly WayBack[], md: Markdown): string[] {
  return steps.flatMap(({ words, commands }) => [
    md.text(words),
    ...(commands.length === 0 ? [] : [md.block(commands.join('\n'))]),
  ]);
}

export function checksTable(checks: readonly Check[], md: Markdown): string {
  const rows = checks.map(({ id, status, reason }) => [md.code(id), STATUS_SIGNS[status], md.text(reason)]);
  return md.table(['check', 'result', 'why'], rows);
}

/**
 * Of those that did not pass.
 *
 * @param elsewhere where those stand that are too many to show: `in the log`
 */
export function checkDetails(checks: readonly Check[], md: Markdown, elsewhere: string): string[] {
  return checks
    .filter((check) => check.status !== 'passed' && check.details.length > 0)
    .map((check) => foldedDetails(check.id, check.details, md, elsewhere));
}

/** The details of one check, folded. @param elsewhere as `fewOf` wants it */
export function foldedDetails(check: string, lines: readonly string[], md: Markdown, elsewhere?: string): string {
  const items = fewOf(lines, DETAILS_SHOWN, elsewhere).map((line) => `- ${md.text(line)}`);
  return details(`Details of ${md.code(check)}`, items.join('\n'));
}

export function timingsTable(timings: readonly PhaseTiming[], md: Markdown): string {
  return md.table(
    ['phase', 'time:'],
    timings.map(({ phase, seconds }) => [md.text(phase), formatDuration(seconds)]),
  );
}

/** The gravest first; empty when there is none. */
export function findingsSection(findings: readonly Finding[], md: Markdown): string[] {
  if (findings.length === 0) return [];
  const sorted = ORDER.flatMap((severity) => findings.filter((finding) => finding.severity === severity));
  const rows = sorted
    .slice(0, MAX_FINDINGS)
    .map(({ severity, code, seen, action }) => [
      `${SIGNS[severity]} ${severity}`,
      md.code(code),
      md.text(seen),
      md.text(action),
    ]);
  const more = sorted.length - rows.length;
  return [
    '### What was noticed',
    md.table(['', 'code', 'what was seen', 'what to do'], rows),
    ...(more > 0 ? [`${countOf(more, 'more is', 'more are')} not shown.`] : []),
  ];
}
