/** What the log of a green run ends with. */
import type { BackupOutcome, CommandResult, PlanToConfirm, RecoveryResult } from '../command.ts';
import { countOf, formatBytes, formatDuration } from '../domain/words.ts';
import { checkLine } from './check-words.ts';
import { pruneLine } from './prune-report.ts';
import { statusLine } from './status-summary.ts';

export function lastLine(result: CommandResult): string {
  switch (result.outcome) {
    case 'planned':
      return [
        `Dry run: nothing was touched. A ${result.command} would be:`,
        ...planLines(result),
        ...(result.toConfirm === undefined ? [] : confirmLines(result.toConfirm)),
      ].join('\n');
    case 'restored':
    case 'drilled':
      return recoveryLine(result);
    case 'pruned':
      return pruneLine(result);
    case 'watched':
      return statusLine(result);
    case 'checked':
      return checkLine(result);
    default:
      return backupLine(result);
  }
}

function planLines({ plan }: Pick<Extract<CommandResult, { plan: unknown }>, 'plan'>): string[] {
  return plan.map(([what, words]) => `  ${what}: ${words}`);
}

function confirmLines({ uris, until, plannedBy, typed }: PlanToConfirm): string[] {
  return [
    `Until ${until} somebody other than ${plannedBy.join(' and ')} carries it out, with all inputs as they were but these:`,
    ...typed.map((line) => `  ${line}`),
    `The plan was kept in ${uris.join(', ')}`,
  ];
}

function recoveryLine({ command, recovery }: RecoveryResult): string {
  const { source, target, totals, verdict, totalSeconds } = recovery;
  const done = command === 'restore' ? `Restored into ${target.database}` : 'Drilled';
  return `${done}, ${verdict}: ${source.id}, ${countOf(totals.tables, 'table')}, ${countOf(totals.rows, 'row')}, in ${formatDuration(totalSeconds)}`;
}

function backupLine(result: BackupOutcome): string {
  if (result.outcome === 'dry-run') {
    return ['Dry run: nothing was written, nothing was backed up. A backup would be:', ...planLines(result)].join('\n');
  }
  const { manifest, copies } = result;
  if (result.outcome === 'reused') return `No new backup: ${result.reason}. It is in ${copies.join(', ')}`;
  const { tables, rows, storedBytes } = manifest.totals;
  return `Proven: ${manifest.id}, ${countOf(tables, 'table')}, ${countOf(rows, 'row')}, ${formatBytes(storedBytes)} stored in ${formatDuration(manifest.timings.totalSeconds)}: ${copies.join(', ')}`;
}
