/**
 * The report of one drill for those who collect evidence: what was brought back, what was checked, how long it took,
 * how old the data was. It names tables where something is wrong, and never holds a row.
 */
import type { DrillResult } from '../command.ts';
import { secondsToRecover } from '../domain/drill-checks.ts';
import type { ClassifiedMessage } from '../domain/recovery.ts';
import { formatAge, formatDuration } from '../domain/words.ts';
import { describeTrouble } from './failure.ts';
import { Markdown } from './markdown.ts';
import { messagesSection } from './pg-restore-messages.ts';
import { describeRecovery } from './restore-summary.ts';
import { checkDetails, checksTable, findingsSection, timingsTable, troubleSection } from './sections.ts';
import { trendSection } from './trend.ts';
import { verdictWords } from './verdict-words.ts';

/** Pure; every word from outside is redacted and escaped. */
export function drillReport(result: DrillResult, redact: (text: string) => string): string {
  const md = new Markdown(redact);
  const { recovery } = result;
  const trouble = describeTrouble(result);
  return [
    `# Drill of ${md.code(recovery.source.series ?? recovery.source.id)}: ${verdictWords(result)}`,
    describeRecovery(result, md),
    ...troubleSection(trouble, md),
    '### Who, when, what',
    occasionTable(result, md),
    '### How long, and how old',
    recoveryWords(result, md).join('\n'),
    '### What was checked',
    recovery.checks.length === 0 ? 'Nothing at all.' : checksTable(recovery.checks, md),
    ...checkDetails(recovery.checks, md, 'in the log'),
    ...leftOut(result, md),
    ...messagesSection(recovery.messages.map(withoutRows), md),
    '### Timings',
    timingsTable([...recovery.phases, { phase: 'everything', seconds: recovery.totalSeconds }], md),
    ...trendSection(result.trend, md),
    ...findingsSection(result.findings, md),
    '',
  ].join('\n\n');
}

/** RTO and RPO in words, each a line of a list. */
export function recoveryWords(result: DrillResult, md: Markdown): string[] {
  const { phases, source, criticalTablesSeconds } = result.recovery;
  const { maxRestoreMinutes } = result;
  const limit = maxRestoreMinutes === undefined ? '' : `; ${formatDuration(maxRestoreMinutes * 60)} are allowed`;
  const { rpoSeconds } = result;
  return [
    `- **Recovery time (RTO): ${formatDuration(secondsToRecover(phases))}**, from the first byte to the proof${limit}.`,
    ...(criticalTablesSeconds === undefined
      ? []
      : [`- The critical tables could be read after ${formatDuration(criticalTablesSeconds)}.`]),
    rpoSeconds === undefined || source.snapshotAt === undefined
      ? '- **Recovery point (RPO): not known.** The dump does not say when it was taken.'
      : `- **Recovery point (RPO): ${formatAge(rpoSeconds)}.** Had the database been lost when this drill began, everything after ${md.text(source.snapshotAt)} would have been lost with it.`,
  ];
}

function occasionTable({ recovery, occasion, finishedAt, recordUris }: DrillResult, md: Markdown): string {
  const { source, target } = recovery;
  const { run } = occasion;
  return md.table(
    ['', ''],
    [
      ['who', md.code(occasion.actor)],
      ['begun', md.text(occasion.startedAt)],
      ['ended', md.text(finishedAt.toISOString())],
      ...(run === null ? [] : [['run', `${md.code(run.repository)}, ${md.code(run.workflow)}, ${md.text(run.url)}`]]),
      ['action', md.code(occasion.action.version)],
      ['backup', md.code(source.id)],
      ['from', md.code(source.uri)],
      ...(source.snapshotAt === undefined ? [] : [['state of', md.text(source.snapshotAt)]]),
      ['restored by', `Postgres ${md.text(target.serverVersion)}`],
      ...recordUris.map((uri) => ['recorded in', md.code(uri)]),
    ],
  );
}

function leftOut({ recovery }: DrillResult, md: Markdown): string[] {
  if (recovery.leftOut.length === 0) return [];
  const rows = recovery.leftOut.map(({ what, why }) => [md.code(what), md.text(why)]);
  return ['### What was left out', md.table(['what', 'why'], rows)];
}

/** Messages of the server quote values behind these words; the log has the whole of them. */
function withoutRows(message: ClassifiedMessage): ClassifiedMessage {
  const text = message.text
    .replace(/\s*\b(DETAIL|CONTEXT|QUERY|STATEMENT):.*$/s, ' …')
    .replaceAll(/(\binput (?:syntax|value) [^:]*:|\bout of range[^:]*:|\bvalue)\s*".*$/gs, '$1 …');
  return { ...message, text };
}
