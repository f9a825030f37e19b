/**
 * The report of a restore for an incident log: who, when, what, why, and how it ended, as a Markdown file that stands
 * alone. For one that came to its end, and for a restore or drill that did not.
 */
import type { RestoreResult, RunNews, SafetyBackup, TimelineEntry } from '../command.ts';
import type { Occasion } from '../domain/audit.ts';
import { secondsSince } from '../domain/time.ts';
import { formatDuration } from '../domain/words.ts';
import { describeTrouble } from './failure.ts';
import { type FailureWords, sentence } from './failure-words.ts';
import { Markdown } from './markdown.ts';
import { messagesSection } from './pg-restore-messages.ts';
import { describeRecovery, leftOutSection } from './restore-summary.ts';
import { checkDetails, checksTable, findingsSection, stepsSection, timingsTable, troubleSection } from './sections.ts';
import { verdictWords } from './verdict-words.ts';

/** Pure; every word from outside is redacted and escaped. */
export function incidentReport(result: RestoreResult, now: Date, redact: (text: string) => string): string {
  const md = new Markdown(redact);
  const { recovery, occasion, safetyBackup } = result;
  const { source, target } = recovery;
  const trouble = describeTrouble(result);
  const facts: Fact[] = [
    ['backup', md.code(source.id)],
    ['from', md.code(source.uri)],
    ...(source.snapshotAt === undefined ? [] : [['state of', md.text(source.snapshotAt)] as const]),
    ['target', md.code(target.fingerprint)],
    ['restored into', md.code(target.database)],
    ...(target.formerDatabase === undefined ? [] : [['former database', md.code(target.formerDatabase)] as const]),
    ['strategy', md.code(result.strategy)],
    ...safetyFacts(safetyBackup, md),
    ...result.auditUris.map((uri) => ['audit record', md.code(uri)] as const),
  ];
  return [
    `# Restore of ${md.code(source.series ?? source.id)}: ${verdictWords(result)}`,
    describeRecovery(result, md),
    ...troubleSection(trouble, md),
    ...occasionSection(occasion, now, facts, md),
    ...timelineSection(result.timeline, md),
    ...checksSection(recovery.checks, md),
    ...messagesSection(recovery.messages, md),
    ...leftOutSection(recovery.leftOut, md),
    '### Timings',
    timingsTable([...recovery.phases, { phase: 'everything', seconds: recovery.totalSeconds }], md),
    ...(trouble === undefined && result.wayBack.length > 0
      ? ['### The way back', ...stepsSection(result.wayBack, md)]
      : []),
    ...findingsSection(result.findings, md),
  ]
    .join('\n\n')
    .concat('\n');
}

/** Pure; every word from outside is redacted and escaped. */
export function failedIncidentReport(
  words: FailureWords,
  news: Partial<RunNews>,
  now: Date,
  redact: (text: string) => string,
): string {
  const md = new Markdown(redact);
  const { occasion, phases = [], checks = [] } = news;
  const known = (what: string, value: string | undefined): Fact[] =>
    value === undefined ? [] : [[what, md.code(value)]];
  const facts: Fact[] = [
    ...known('backup', news.backupId),
    ...known('from', news.backupUri),
    ...known('target', news.targetFingerprint),
    ...known('new database', news.newDatabase),
    ...known('former database', news.formerDatabase),
    ...known('strategy', news.strategy),
    ...known('failed while', news.stage),
    ...safetyFacts(news.safetyBackup, md),
  ];
  return [
    `# ${md.text(words.title)}`,
    `**What happened:** ${md.code(words.code)}: ${md.text(sentence(words.happened))}`,
    ...[...words.problems, ...words.causes.map((cause) => `Because: ${cause}`)].map((line) => `- ${md.text(line)}`),
    `**What is safe:** ${md.text(words.safety)}`,
    `**What to do:** ${md.text(words.action)}`,
    ...stepsSection(words.toType, md),
    ...occasionSection(occasion, now, facts, md),
    ...timelineSection(news.timeline ?? [], md),
    ...checksSection(checks, md),
    ...messagesSection(news.messages ?? [], md),
    ...(phases.length === 0 ? [] : ['### Timings', timingsTable(phases, md)]),
    ...findingsSection(news.findings ?? [], md),
  ]
    .join('\n\n')
    .concat('\n');
}

type Fact = readonly [what: string, markdown: string];

function safetyFacts(safetyBackup: SafetyBackup | undefined, md: Markdown): Fact[] {
  return safetyBackup === undefined
    ? []
    : [['safety backup', `${md.code(safetyBackup.id)} in ${md.code(safetyBackup.uri)}`]];
}

/** Who, when, why; then `facts`. */
function occasionSection(occasion: Occasion | undefined, now: Date, facts: readonly Fact[], md: Markdown): string[] {
  const rows: Fact[] = [];
  if (occasion !== undefined) {
    const { actor, triggeringActor = actor, reason, run, startedAt, action } = occasion;
    const seconds = secondsSince(startedAt, now);
    rows.push(
      [
        'who',
        triggeringActor === actor ? md.code(actor) : `${md.code(actor)}, run again by ${md.code(triggeringActor)}`,
      ],
      ...(reason === undefined ? [] : ([['why', md.text(reason)]] as const)),
      ['begun', md.text(startedAt)],
      ['ended', `${md.text(now.toISOString())}, after ${formatDuration(seconds)}`],
      ...(run === null
        ? []
        : ([['run', `${md.code(run.repository)}, ${md.code(run.workflow)}, ${md.text(run.url)}`]] as const)),
      ['action', md.code(action.version)],
    );
  }
  return ['### Who, when, what', md.table(['', ''], [...rows, ...facts])];
}

function timelineSection(timeline: readonly TimelineEntry[], md: Markdown): string[] {
  if (timeline.length === 0) return [];
  return [
    '### Timeline (UTC)',
    md.table(
      ['when', 'what'],
      timeline.map(({ at, what }) => [md.text(at), md.text(what)]),
    ),
  ];
}

function checksSection(checks: RestoreResult['recovery']['checks'], md: Markdown): string[] {
  return checks.length === 0
    ? []
    : ['### What was checked', checksTable(checks, md), ...checkDetails(checks, md, 'in the log')];
}
