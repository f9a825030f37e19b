/** Size, duration and recovery time over time: pictures, each said in words, with the numbers behind them in tables. */
import type { DrillPoint, SeriesStatus } from '../../domain/status/model.ts';
import { dayOf, minuteOf } from '../../domain/time.ts';
import { countOf, formatBytes, formatCount, formatDuration } from '../../domain/words.ts';
import { lineChart, lineKey, markChart, markKey, type Period } from './chart.ts';
import { type Html, type Markup, NOTHING } from './markup.ts';
import { bytesScale, secondsScale } from './scale.ts';
import { type TrendPoint, trendOf } from './trend-points.ts';
import { scrolling } from './words.ts';

/** @param id of the series' section */
export function trends(
  series: SeriesStatus,
  place: { id: string; now: Date; seriesShown: number },
  markup: Markup,
): Html {
  const { id, now, seriesShown } = place;
  const { points, drills, words } = trendOf(series, seriesShown);
  const from = [points[0]?.at, drills[0]?.at]
    .filter((at) => at !== undefined)
    .sort((one, other) => one.getTime() - other.getTime())[0];
  if (from === undefined) return markup.html`<p class="muted">${words} No drill has been made.</p>`;
  const period = { from, to: now };
  const figures = [
    ...(points.length === 0
      ? []
      : [sizes(`${id}-size`, points, period, markup), durations(`${id}-time`, points, period, markup)]),
    drills.length === 0 ? noDrills(markup) : recoveries(`${id}-drill`, series, drills, period, markup),
  ];
  return markup.html`<div class="charts">
${figures}</div>
<p class="muted small">${words}${series.drills.length > drills.length ? ` Of the drills the last ${drills.length}.` : ''}</p>
${points.length === 0 ? NOTHING : pointTable(series.name, points, markup)}${drills.length === 0 ? NOTHING : drillTable(series.name, drills, markup)}`;
}

function sizes(id: string, points: readonly TrendPoint[], period: Period, markup: Markup): Html {
  const plain = points.map(({ at, plainBytes }) => ({ at, value: plainBytes }));
  const stored = points.map(({ at, storedBytes }) => ({ at, value: storedBytes }));
  const frame = {
    id,
    title: 'Size of the backups',
    description: `Plain ${rangeOf(plain, formatBytes)}. Stored ${rangeOf(stored, formatBytes)}.`,
    period,
    scale: bytesScale(Math.max(...plain.map(({ value }) => value), ...stored.map(({ value }) => value))),
  };
  const lines = [
    { style: 'first', points: plain },
    { style: 'second', points: stored },
  ] as const;
  return markup.html`<figure><figcaption><strong>Size</strong>${lineKey('first', markup)}plain ${changeOf(plain, formatBytes)} ${lineKey('second', markup)}stored ${changeOf(stored, formatBytes)}</figcaption>
${lineChart(frame, lines, markup)}</figure>
`;
}

function durations(id: string, points: readonly TrendPoint[], period: Period, markup: Markup): Html {
  const line = points.map(({ at, seconds }) => ({ at, value: seconds }));
  const frame = {
    id,
    title: 'Duration of the backups',
    description: `Taking a backup took ${rangeOf(line, formatDuration)}.`,
    period,
    scale: secondsScale(Math.max(...line.map(({ value }) => value))),
  };
  return markup.html`<figure><figcaption><strong>Duration</strong>${lineKey('first', markup)}of taking a backup: ${changeOf(line, formatDuration)}</figcaption>
${lineChart(frame, [{ style: 'first', points: line }], markup)}</figure>
`;
}

function recoveries(
  id: string,
  { drillSuccessPercent }: SeriesStatus,
  drills: readonly DrillPoint[],
  period: Period,
  markup: Markup,
): Html {
  const marks = drills.map(({ at, verdict, recoverySeconds }) => ({
    at,
    verdict,
    ...(recoverySeconds === undefined ? {} : { value: recoverySeconds }),
  }));
  const measured = marks.flatMap(({ at, value }) => (value === undefined ? [] : [{ at, value }]));
  const counts = countOf(drills.length, 'drill');
  const failed = drills.filter(({ verdict }) => verdict === 'failed').length;
  const took =
    measured.length === 0 ? 'none came to its proof' : `bringing back took ${rangeOf(measured, formatDuration)}`;
  const frame = {
    id,
    title: 'Recovery time of drills',
    description: `${counts}, ${failed} failed; ${took}.`,
    period,
    scale: secondsScale(Math.max(0, ...measured.map(({ value }) => value))),
  };
  const last = measured.at(-1);
  const passed =
    drillSuccessPercent === undefined ? '' : `; ${Math.round(drillSuccessPercent)} % of the last year's passed`;
  return markup.html`<figure><figcaption><strong>Recovery time</strong>${last === undefined ? 'never measured' : `last measured: ${formatDuration(last.value)}`}${passed}<br>${markKey('passed', markup)}passed ${markKey('partial', markup)}partial ${markKey('failed', markup)}failed</figcaption>
${markChart(frame, marks, markup)}</figure>
`;
}

function noDrills(markup: Markup): Html {
  return markup.html`<div><p class="small"><strong>Recovery time</strong><br>No drill has brought one back yet, so nobody knows how long it takes.</p></div>
`;
}

type Values = readonly { value: number }[];

/** `from 1 GiB to 2 GiB, 1.5 GiB at last` */
function rangeOf(values: Values, words: (value: number) => string): string {
  const all = values.map(({ value }) => value);
  return `from ${words(Math.min(...all))} to ${words(Math.max(...all))}, ${words(all.at(-1) ?? 0)} at last`;
}

/** `1.5 GiB (+12 %)`: the newest, and against the first that is drawn. */
function changeOf(values: Values, words: (value: number) => string): string {
  const [first, last] = [values[0]?.value ?? 0, values.at(-1)?.value ?? 0];
  if (values.length < 2 || first === 0) return words(last);
  const percent = Math.round((last / first - 1) * 100);
  return `${words(last)} (${percent > 0 ? '+' : percent < 0 ? '−' : '±'}${Math.abs(percent)} %)`;
}

function pointTable(name: string, points: readonly TrendPoint[], markup: Markup): Html {
  const rows = points.toReversed().map(
    ({ at, plainBytes, storedBytes, seconds, rows: count }) =>
      markup.html`<tr><th scope="row">${dayOf(at)}</th><td class="number">${formatBytes(plainBytes)}</td><td class="number">${formatBytes(storedBytes)}</td><td class="number">${formatDuration(seconds)}</td><td class="number">${formatCount(count)}</td></tr>
`,
  );
  const table = markup.html`<table><thead><tr><th scope="col">day (UTC)</th><th scope="col" class="number">plain</th><th scope="col" class="number">stored</th><th scope="col" class="number">took</th><th scope="col" class="number">rows</th></tr></thead>
<tbody>
${rows}</tbody></table>`;
  return markup.html`<details><summary>Sizes and durations of ${name} as a table</summary>
${scrolling(`Sizes and durations of ${name}`, table, markup)}</details>
`;
}

function drillTable(name: string, drills: readonly DrillPoint[], markup: Markup): Html {
  const rows = drills.toReversed().map(
    ({ at, backupId, verdict, recoverySeconds }) =>
      markup.html`<tr><th scope="row">${minuteOf(at)}</th><td>${verdict}</td><td class="number">${recoverySeconds === undefined ? '–' : formatDuration(recoverySeconds)}</td><td><code>${backupId}</code></td></tr>
`,
  );
  const table = markup.html`<table><thead><tr><th scope="col">drill (UTC)</th><th scope="col">verdict</th><th scope="col" class="number">recovery time</th><th scope="col">backup</th></tr></thead>
<tbody>
${rows}</tbody></table>`;
  return markup.html`<details><summary>Drills of ${name} as a table</summary>
${scrolling(`Drills of ${name}`, table, markup)}</details>
`;
}
