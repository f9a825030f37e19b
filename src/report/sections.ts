/** Parts of a job summary that more than one kind of run has. */
import type { Finding, Severity } from '../domain/findings.ts';
import type { FailureWords } from './failure.ts';
import type { Markdown } from './markdown.ts';

const MAX_FINDINGS = 50;

const SIGNS: Readonly<Record<Severity, string>> = { error: '❌', warning: '⚠️', notice: 'ℹ️' };
const ORDER: readonly Severity[] = ['error', 'warning', 'notice'];

/** What went wrong in a run that has a result; empty when nothing did. */
export function troubleSection(words: FailureWords | undefined, md: Markdown): string[] {
  if (words === undefined) return [];
  return [
    `**${md.text(words.happened)}.**`,
    `**What is safe:** ${md.text(words.safety)}`,
    `**What to do:** ${md.text(words.action)}`,
  ];
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
    ...(more > 0 ? [`${more} more are not shown.`] : []),
  ];
}
