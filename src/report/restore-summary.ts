/** The job summary of a restore or drill that came to its end, as Markdown: verdict first. */
import type { RecoveryResult, RestoreResult } from '../command.ts';
import type { LeftOut, RecoveryPhase } from '../domain/recovery.ts';
import { countOf, formatAge, formatCount, formatDuration } from '../domain/words.ts';
import { describeTrouble } from './failure.ts';
import { Markdown } from './markdown.ts';
import { messagesSection } from './pg-restore-messages.ts';
import { checkDetails, checksTable, findingsSection, stepsSection, timingsTable, troubleSection } from './sections.ts';
import { trendSection } from './trend.ts';
import { verdictWords } from './verdict-words.ts';

const LEFT_OUT_SHOWN = 100;

/** Phases that bring the backup back; all others prepare or prove. */
const RESTORING: readonly string[] = ['restore', 'index'];
const PROVING = 'prove';

/** Pure; every word from outside is redacted and escaped. */
export function recoverySummary(result: RecoveryResult, redact: (text: string) => string): string {
  const md = new Markdown(redact);
  const { recovery } = result;
  return [
    ...verdict(result, md),
    '### What was checked',
    recovery.checks.length === 0 ? 'Nothing at all.' : checksTable(recovery.checks, md),
    ...checkDetails(recovery.checks, md, 'in the log'),
    ...messagesSection(recovery.messages, md),
    ...leftOutSection(recovery.leftOut, md),
    '### How long it took',
    ...durations(result, md),
    ...(result.command === 'restore' ? aftermath(result, md) : trendSection(result.trend, md)),
    ...findingsSection(result.findings, md),
    ...records(result, md),
  ].join('\n\n');
}

/** What was restored, from where, into what. */
export function describeRecovery({ recovery }: RecoveryResult, md: Markdown): string {
  const { source, target, totals, totalSeconds } = recovery;
  const facts = [
    ...(source.snapshotAt === undefined ? [] : [`the state of ${md.text(source.snapshotAt)}`]),
    ...(source.major === undefined ? [] : [`Postgres ${source.major}`]),
    ...(source.kind === 'foreign' ? ['a dump made by other means'] : []),
  ];
  const objects = totals.largeObjects === 0 ? '' : `, ${countOf(totals.largeObjects, 'large object')}`;
  const former =
    target.formerDatabase === undefined ? '' : `; the former one is kept as ${md.code(target.formerDatabase)}`;
  return [
    `${md.code(source.id)}${facts.length === 0 ? '' : ` (${facts.join(', ')})`} from ${md.code(source.uri)}`,
    `into ${md.code(target.database)} on ${md.code(target.host)} (Postgres ${md.text(target.serverVersion)}${former}):`,
    `${countOf(totals.tables, 'table')}, ${countOf(totals.rows, 'row')}${objects}, in ${formatDuration(totalSeconds)}.`,
  ].join(' ');
}

function verdict(result: RecoveryResult, md: Markdown): string[] {
  const { recovery, command } = result;
  const { series, id } = recovery.source;
  const subject = md.code(series ?? id);
  const trouble = describeTrouble(result);
  const title = `${command === 'restore' ? 'Restore' : 'Drill'} of ${subject}: ${verdictWords(result)}`;
  if (trouble !== undefined) {
    const [happened = '', ...more] = troubleSection(trouble, md);
    return [`## ❌ ${title}`, happened, describeRecovery(result, md), ...more];
  }
  if (recovery.verdict === 'partial') {
    return [
      `## ⚠️ ${title}`,
      describeRecovery(result, md),
      'Not everything could be checked, and `accept-partial` says that this is enough. What is missing stands below.',
    ];
  }
  return [`## ✅ ${title}`, describeRecovery(result, md)];
}

/** Empty when everything was restored. */
export function leftOutSection(leftOut: readonly LeftOut[], md: Markdown): string[] {
  if (leftOut.length === 0) return [];
  const rows = leftOut.slice(0, LEFT_OUT_SHOWN).map(({ what, why }) => [md.code(what), md.text(why)]);
  const more = leftOut.length - rows.length;
  return [
    '### What was left out',
    md.table(['what', 'why'], rows),
    ...(more > 0 ? [`and ${formatCount(more)} more.`] : []),
  ];
}

/** Restoring and proving apart: the one is what has to be waited for, the other what the certainty costs. */
function durations(result: RecoveryResult, md: Markdown): string[] {
  const { phases, criticalTablesSeconds, totalSeconds } = result.recovery;
  const restoring = secondsOf(phases, (phase) => RESTORING.includes(phase));
  const proving = secondsOf(phases, (phase) => phase === PROVING);
  const share = restoring > 0 && proving > 0 ? ` (${(proving / restoring).toFixed(2)} of that)` : '';
  const lines = [
    ...(restoring > 0 ? [`Restoring took **${formatDuration(restoring)}**.`] : []),
    ...(proving > 0 ? [`Proving took **${formatDuration(proving)}**${share}.`] : []),
    ...(criticalTablesSeconds === undefined
      ? []
      : [`The critical tables could be read after **${formatDuration(criticalTablesSeconds)}**.`]),
    ...(result.command === 'drill' && result.rpoSeconds !== undefined
      ? [`The data was **${formatAge(result.rpoSeconds)}** old: that much would have been lost.`]
      : []),
  ];
  return [
    ...(lines.length === 0 ? [] : [lines.join(' ')]),
    timingsTable([...phases, { phase: 'everything', seconds: totalSeconds }], md),
  ];
}

function secondsOf(phases: readonly RecoveryPhase[], wanted: (phase: string) => boolean): number {
  return phases.filter(({ phase }) => wanted(phase)).reduce((sum, { seconds }) => sum + seconds, 0);
}

/** Safety backup (in place it is the way back), the way back, and what to do now. */
function aftermath(result: RestoreResult, md: Markdown): string[] {
  const { safetyBackup, strategy, wayBack } = result;
  // What went wrong said it already, with the same steps.
  const told = describeTrouble(result) !== undefined;
  return [
    ...(safetyBackup === undefined || strategy === 'in-place'
      ? []
      : [
          '### The safety backup',
          `What was there before is in ${md.code(safetyBackup.id)}, proven and kept for ever: ${md.code(safetyBackup.uri)}. By hand, into a new database:`,
          md.block(`NEW_DATABASE=before_the_restore\n${safetyBackup.restoreCommand}`, 'sh'),
        ]),
    ...(told || wayBack.length === 0 ? [] : ['### The way back, and tidying up', ...stepsSection(wayBack, md)]),
    ...(told ? [] : ['### What to do now', whatNow(result, md)]),
  ];
}

function whatNow({ strategy, recovery }: RestoreResult, md: Markdown): string {
  const { target } = recovery;
  const database = md.code(target.database);
  switch (strategy) {
    case 'new-database':
      return `Nothing that was there has changed. Look at ${database}; then point the application at it, or take from it what you need. Passwords of roles that were created here are not set.`;
    case 'swap':
      return `Clients that connect to ${database} find the restored data now. Look at the application first; drop the former database when nobody misses anything.`;
    case 'in-place':
      return `Clients of ${database} find the restored data now, and may write again. Look at the application first.`;
  }
}

function records(result: RecoveryResult, md: Markdown): string[] {
  const uris = result.command === 'restore' ? result.auditUris : result.recordUris;
  if (uris.length === 0) return [];
  return ['### Where this is recorded', uris.map((uri) => `- ${md.code(uri)}`).join('\n')];
}
