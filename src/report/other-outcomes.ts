/** Job summaries of runs that did nothing: a dry run, or an earlier backup that was taken instead of a new one. */
import type { DryRun, PlanToConfirm, RecoveryDryRun, ReusedBackup } from '../command.ts';
import { countOf, formatBytes } from '../domain/words.ts';
import { describeTrouble } from './failure.ts';
import { Markdown } from './markdown.ts';
import { findingsSection, troubleSection } from './sections.ts';

/** Pure; every word from outside is redacted and escaped. */
export function dryRunSummary(result: DryRun, redact: (text: string) => string): string {
  const md = new Markdown(redact);
  const trouble = describeTrouble(result);
  return [
    `## ${trouble === undefined ? 'ℹ️ Dry run' : '❌ Failed dry run'} of a backup of ${md.code(result.name)}`,
    'Nothing was written, and **nothing was backed up**. Not tried: the locks on the tables, the dump itself, and deleting.',
    ...troubleSection(trouble, md),
    '### What a backup would do',
    md.table(
      ['', ''],
      result.plan.map(([what, words]) => [md.text(what), md.code(words)]),
    ),
    ...findingsSection(result.findings, md),
  ].join('\n\n');
}

/** Pure; every word from outside is redacted and escaped. */
export function plannedSummary(result: RecoveryDryRun, redact: (text: string) => string): string {
  const md = new Markdown(redact);
  const { command, name, backup, plan, toConfirm, findings } = result;
  const restored = command === 'restore' ? 'restored' : 'drilled';
  return [
    `## ℹ️ Dry run of a ${command}${name === undefined ? '' : ` of ${md.code(name)}`}`,
    `Nothing was touched, and **nothing was ${restored}**: ${md.code(backup.id)} from ${md.code(backup.uri)} was looked at only.`,
    `### What the ${command} would do`,
    md.table(
      ['', ''],
      plan.map(([what, words]) => [md.text(what), md.text(words)]),
    ),
    ...(toConfirm === undefined ? [] : confirmSection(toConfirm, md)),
    ...findingsSection(findings, md),
  ].join('\n\n');
}

function confirmSection({ uris, until, plannedBy, typed }: PlanToConfirm, md: Markdown): string[] {
  return [
    '### What the second person types',
    `Until ${md.text(until)} somebody other than ${plannedBy.map((name) => md.code(name)).join(' and ')} reads this plan, then starts the workflow with all inputs as they were but these:`,
    md.block(typed.join('\n'), 'yaml'),
    `The record of the plan is all that this dry run left: ${uris.map((uri) => md.code(uri)).join(', ')}`,
  ];
}

/** Pure; every word from outside is redacted and escaped. */
export function reusedSummary(result: ReusedBackup, redact: (text: string) => string): string {
  const md = new Markdown(redact);
  const { manifest, reason, copies } = result;
  const { tables, rows, storedBytes } = manifest.totals;
  return [
    `## ✅ Earlier proven backup of ${md.code(manifest.name)} taken instead of a new one`,
    `${md.text(reason)}: ${countOf(tables, 'table')}, ${countOf(rows, 'row')}, ${formatBytes(storedBytes)} stored. Nothing was dumped in this run: that all of it is there in its size was looked at, its bytes were not read again.`,
    '### Where it is',
    copies.map((copy) => `- ${md.code(copy)}`).join('\n'),
    '### How to restore it',
    'Into a **new** database (it creates it); with a key, name its file in `AGE_IDENTITY_FILE`:',
    md.block(`NEW_DATABASE=restored\n${result.restoreCommand}`, 'sh'),
    `All steps, with roles and checks: ${md.code(result.restoreGuideUri)}`,
    ...findingsSection(result.findings, md),
  ].join('\n\n');
}
