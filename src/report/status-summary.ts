/** The job summary of a status, and the last line of its log. */
import type { StatusResult } from '../command.ts';
import type { HealthVerdict } from '../domain/check/model.ts';
import type { RecoveryVerdict } from '../domain/recovery.ts';
import type { BackupPoint, DayState, Level, SeriesStatus, StatusDay, StatusReport } from '../domain/status/model.ts';
import { ageOf } from '../domain/time.ts';
import { countOf, formatAge, formatBytes } from '../domain/words.ts';
import { Markdown } from './markdown.ts';
import { findingsSection, troubleSection } from './sections.ts';
import { describeUnwell, newestOf, storageFacts } from './status-words.ts';

const SERIES_SHOWN = 50;
const NAME_CHARACTERS = 24;

const SIGNS: Readonly<Record<Level, string>> = { info: '✅', warning: '⚠️', critical: '❌' };
const VERDICTS: Readonly<Record<Level, string>> = {
  info: 'All is well with the backups',
  warning: 'The backups need a look',
  critical: 'The backups are in danger',
};
const DAYS: Readonly<Record<DayState, string>> = { proven: '●', unproven: '○', missed: '×', none: '·' };
const DRILLS: Readonly<Record<RecoveryVerdict, string>> = { passed: '✓', partial: '~', failed: '✗' };
const CHECKS: Readonly<Record<HealthVerdict, string>> = { passed: '✓', warning: '~', failed: '✗' };

/** Pure; every word from outside is redacted and escaped. */
export function statusSummary(result: StatusResult, redact: (text: string) => string): string {
  const { report, name } = result;
  const md = new Markdown(redact);
  const of = name === undefined ? '' : ` of ${md.code(name)}`;
  return [
    `## ${SIGNS[report.level]} ${VERDICTS[report.level]}${of}`,
    ...troubleSection(describeUnwell(result), md),
    ...findingsSection(result.findings, md),
    ...seriesSection(report, md),
    ...destinationsSection(report, md),
    ...verifiedSection(report),
  ].join('\n\n');
}

function seriesSection({ series, now }: StatusReport, md: Markdown): string[] {
  if (series.length === 0) return [];
  const shown = series.slice(0, SERIES_SHOWN);
  const rows = shown.map((each) => seriesRow(each, now, md));
  const more = series.length - shown.length;
  return [
    '### Series',
    md.table(['', 'series', 'newest proven', 'newest restored', 'last drill', 'every', 'backups:', 'stored:'], rows),
    ...(more > 0 ? [`${countOf(more, 'more is', 'more are')} not shown.`] : []),
    '### The last 30 days',
    md.block(picture(shown).join('\n')),
    '● a proven backup, ○ unproven or broken off, × missed, · none was expected. Drills: ✓ passed, ~ partial, ✗ failed. Health checks, the worst of a day: ✓ passed, ~ warning, ✗ failed. The last character is today; days are those of UTC.',
  ];
}

function seriesRow(each: SeriesStatus, now: Date, md: Markdown): string[] {
  const { name, level, newestProven, newestRestored, lastDrill, cadenceHours, backups, storedBytes } = each;
  const point = (backup: BackupPoint | undefined): string =>
    backup === undefined ? '–' : `${md.code(backup.id)}, ${md.text(ageOf(backup.at, now))} old`;
  const drill = lastDrill === undefined ? '–' : `${lastDrill.verdict}, ${md.text(ageOf(lastDrill.at, now))} ago`;
  return [
    SIGNS[level],
    md.code(name),
    point(newestProven),
    point(newestRestored),
    drill,
    cadenceHours === undefined ? '–' : md.text(formatAge(cadenceHours * 3600)),
    String(backups.length),
    formatBytes(storedBytes),
  ];
}

/** One line a series, and one for its drills and one for its health checks where there were any. */
function picture(series: readonly SeriesStatus[]): string[] {
  const width = Math.min(NAME_CHARACTERS, Math.max('drills'.length + 2, ...series.map(({ name }) => name.length)));
  const label = (text: string): string => (text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width));
  return series.flatMap(({ name, days }) => [
    `${label(name)}  ${days.map(({ state }) => DAYS[state]).join('')}`,
    ...line(label('  drills'), days, ({ drill }) => (drill === undefined ? undefined : DRILLS[drill])),
    ...line(label('  checks'), days, ({ check }) => (check === undefined ? undefined : CHECKS[check])),
  ]);
}

function line(label: string, days: readonly StatusDay[], sign: (day: StatusDay) => string | undefined): string[] {
  const signs = days.map(sign);
  return signs.every((each) => each === undefined)
    ? []
    : [`${label}  ${signs.map((each) => each ?? ' ').join('')}`.trimEnd()];
}

function destinationsSection({ destinations, storage }: StatusReport, md: Markdown): string[] {
  const rows = destinations.map(({ location, sets, storedBytes, error }) => [
    md.code(location),
    sets === undefined ? '–' : String(sets),
    storedBytes === undefined ? '–' : formatBytes(storedBytes),
    error === undefined ? 'read' : `**not looked at:** ${md.text(error)}`,
  ]);
  const facts = storageFacts(storage);
  return [
    '### Destinations',
    md.table(['destination', 'sets:', 'stored:', ''], rows),
    ...(facts.length === 0 ? [] : [`${facts.join(', ')}.`]),
  ];
}

function verifiedSection({ verified }: StatusReport): string[] {
  if (verified === undefined) return [];
  const { sets, bytes, damaged } = verified;
  const found = damaged.length === 0 ? 'nothing is damaged' : `**${countOf(damaged.length, 'set')} damaged**`;
  return [`Read again today: ${countOf(sets, 'copy of a set', 'copies of sets')}, ${formatBytes(bytes)}; ${found}.`];
}

export function statusLine({ report }: StatusResult): string {
  const newest = newestOf(report);
  const counts = (['critical', 'warning'] as const).flatMap((level) => {
    const count = report.findings.filter((finding) => finding.level === level).length;
    return count === 0 ? [] : [countOf(count, level === 'critical' ? 'critical finding' : 'warning')];
  });
  const words = counts.length === 0 ? VERDICTS.info : counts.join(', ');
  return newest === undefined ? words : `${words}; the newest proven backup is ${newest.id}, in ${newest.uri}`;
}
