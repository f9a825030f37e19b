/** Everything about one series: its facts, calendar, pictures, newest backups, and what to type. */
import type { SeriesStatus, StatusReport } from '../../domain/status/model.ts';
import { minuteOf } from '../../domain/time.ts';
import { countOf, formatBytes, formatDuration, shareOf } from '../../domain/words.ts';
import { backupTable } from './backup-table.ts';
import { calendar } from './calendar.ts';
import { findingLinks } from './findings.ts';
import { type Html, type Markup, NOTHING } from './markup.ts';
import { restoreCommands } from './restore-steps.ts';
import { trends } from './trends.ts';
import { isRecoverable } from './verdict.ts';
import { ageAt, badge, scrolling, type Tone, withoutZero } from './words.ts';

export interface SeriesPlace {
  /** From 1; the same in {@link overview} and {@link seriesSection}. */
  number: number;
  report: StatusReport;
  /** How many series are shown in full. */
  seriesShown: number;
}

export function seriesSection(
  series: SeriesStatus,
  { number, report, seriesShown }: SeriesPlace,
  markup: Markup,
): Html {
  const id = `series-${number}`;
  const locations = report.destinations.map(({ location }) => location);
  return markup.html`<section aria-labelledby="${id}"><h2 id="${id}">${series.name} ${recoverableBadge(series, markup)}</h2>
<div class="card">
${findingLinks(series, report, markup)}
${facts(series, report.now, markup)}
<div class="halves"><div>
${calendar(series, markup)}</div><div>
${restoreCommands(series, markup)}</div></div>
<h3>Trends of ${series.name}</h3>
${trends(series, { id, now: report.now, seriesShown }, markup)}
<h3>Newest backups of ${series.name}</h3>
${backupTable(series, locations, markup)}</div></section>
`;
}

/** One line each, with a link to those that are shown in full. */
export function overview(
  { series, now }: StatusReport,
  numberOf: (series: SeriesStatus) => number | undefined,
  markup: Markup,
): Html {
  const rows = series.map((each) => {
    const { name, newestProven, lastDrill, storedBytes } = each;
    const number = numberOf(each);
    return markup.html`<tr><th scope="row">${number === undefined ? name : markup.html`<a href="#series-${number}">${name}</a>`}</th><td>${recoverableBadge(each, markup)}</td><td>${newestProven === undefined ? 'none' : `${ageAt(now, newestProven.at)} ago`}</td><td>${lastDrill === undefined ? 'never' : `${lastDrill.verdict}, ${ageAt(now, lastDrill.at)} ago`}</td><td class="number">${formatBytes(storedBytes)}</td></tr>
`;
  });
  const table = markup.html`<table><thead><tr><th scope="col">name</th><th scope="col">today</th><th scope="col">last proven backup</th><th scope="col">last drill</th><th scope="col" class="number">stored</th></tr></thead>
<tbody>
${rows}</tbody></table>`;
  return scrolling('The list of all of them', table, markup);
}

function recoverableBadge(series: SeriesStatus, markup: Markup): Html {
  const [tone, words]: [Tone, string] = !isRecoverable(series)
    ? ['bad', series.newestProven === undefined ? 'not recoverable' : 'uncertain']
    : series.level === 'warning'
      ? ['doubt', 'recoverable, warnings']
      : ['good', 'recoverable'];
  return badge(tone, words, markup);
}

function facts(series: SeriesStatus, now: Date, markup: Markup): Html {
  const { newestProven, newestRestored, lastDrill, drillSuccessPercent, cadenceHours, backups, storedBytes } = series;
  const drilled =
    drillSuccessPercent === undefined ? undefined : `${Math.round(drillSuccessPercent)} % of the last year's passed`;
  const { health } = series;
  return markup.html`<dl class="facts">
${fact('Last proven backup', newestProven === undefined ? 'none' : `${ageAt(now, newestProven.at)} ago`, newestProven && `${minuteOf(newestProven.at)} UTC, ${formatBytes(newestProven.plainBytes)}, ${countOf(newestProven.rows, 'row')}`, markup)}
${fact('Newest restored by a drill', newestRestored === undefined ? 'none' : `${ageAt(now, newestRestored.at)} old`, newestRestored && `taken ${minuteOf(newestRestored.at)} UTC`, markup)}
${fact('Last drill', lastDrill === undefined ? 'never' : `${lastDrill.verdict}, ${ageAt(now, lastDrill.at)} ago`, [lastDrill?.recoverySeconds === undefined ? undefined : `back in ${formatDuration(lastDrill.recoverySeconds)}`, drilled].filter((part) => part !== undefined).join('; '), markup)}
${fact('Backups', countOf(backups.length, 'backup'), `${cadenceHours === undefined ? '' : `every ${withoutZero(formatDuration(cadenceHours * 3600))}; `}${formatBytes(storedBytes)} stored at all destinations`, markup)}
${health === undefined ? NOTHING : fact('Health of the database', `${health.last.verdict}, ${ageAt(now, health.last.at)} ago`, `answered ${shareOf(health.reached, health.checks, 'check')} in 30 days, ${health.failed} failed`, markup)}
</dl>`;
}

function fact(name: string, value: string, more: string | undefined, markup: Markup): Html {
  return markup.html`<div><dt>${name}</dt><dd><strong>${value}</strong>${more === undefined || more === '' ? NOTHING : markup.html`<br><span class="muted small">${more}</span>`}</dd></div>`;
}
