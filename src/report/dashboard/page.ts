/**
 * The dashboard: what status knows, as one page of HTML. It holds no script, asks nobody for anything (its own policy
 * forbids it), and is the same bytes for the same report. No name from inside a database stands on it.
 */
import { createHash } from 'node:crypto';
import { LEVELS, type SeriesStatus, type StatusReport } from '../../domain/status/model.ts';
import { minuteOf } from '../../domain/time.ts';
import { countOf } from '../../domain/words.ts';
import { findingsSection } from './findings.ts';
import { Html, Markup, NOTHING } from './markup.ts';
import { restoreSection } from './restore-steps.ts';
import { overview, seriesSection } from './series-section.ts';
import { storageSection } from './storage-section.ts';
import { STYLES } from './styles.ts';
import { verdictOf } from './verdict.ts';

export interface DashboardOptions {
  /** Of this action. */
  version: string;
  /** Takes secrets out of text. */
  redact: (text: string) => string;
  /** Of the run that made the page; linked when it is an `https:` address. */
  runUrl?: string;
}

/** In full, the worst first. Together with the limit of points in pictures it keeps the page below 2 MB. */
const SERIES_SHOWN = 50;
/** Nothing but the style sheet of the page itself; the icon of the tab is in the page too. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLES).digest('base64')}'`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');
const ICON_COLOURS = { info: '1f8a45', warning: 'c77700', critical: 'c21f2b' } as const;
const TITLES = { info: 'Backups: fine', warning: 'Backups: warning', critical: 'Backups: CRITICAL' } as const;

export function dashboardPage(report: StatusReport, { version, redact, runUrl }: DashboardOptions): string {
  const markup = new Markup(redact);
  const shown = shownSeries(report);
  const numberOf = (series: SeriesStatus): number | undefined => {
    const index = shown.indexOf(series);
    return index === -1 ? undefined : index + 1;
  };
  const sections = shown.map((series, index) =>
    seriesSection(series, { number: index + 1, report, seriesShown: shown.length }, markup),
  );
  const hidden = report.series.length - shown.length;
  return markup.html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Html(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex, nofollow">
<title>${TITLES[report.level]}</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E%3Ccircle cx='4' cy='4' r='4' fill='%23${ICON_COLOURS[report.level]}'/%3E%3C/svg%3E">
<style>${new Html(STYLES)}</style>
</head>
<body>
<div class="wide">
${header(report, version, markup)}
${navigation(report, shown, markup)}
<main>
${findingsSection(report, markup)}
${
  report.series.length > 1
    ? markup.html`<section aria-labelledby="all"><h2 id="all">All of them</h2>
<div class="card">${overview(report, numberOf, markup)}${hidden > 0 ? markup.html`<p class="muted">Below are the ${shown.length} that are worst off.</p>` : NOTHING}</div></section>`
    : NOTHING
}
${sections}
${storageSection(report, markup)}
${restoreSection(markup)}
</main>
${footer(version, runUrl, markup)}
</div>
</body>
</html>
`.source;
}

/** By name, unless there are too many: then the worst are taken. */
function shownSeries({ series }: StatusReport): readonly SeriesStatus[] {
  if (series.length <= SERIES_SHOWN) return series;
  const worst = series
    .toSorted((one, other) => LEVELS.indexOf(other.level) - LEVELS.indexOf(one.level))
    .slice(0, SERIES_SHOWN);
  return series.filter((each) => worst.includes(each));
}

function header(report: StatusReport, version: string, markup: Markup): Html {
  const { sentence, more } = verdictOf(report);
  const iso = report.now.toISOString();
  return markup.html`<header>
<div class="verdict ${report.level}"><h1>${unbroken(sentence)}</h1>
${more.map(
  (each) => markup.html`<p>${each}</p>
`,
)}<p>${countsOf(report)}</p></div>
<div class="made"><time datetime="${iso}">${minuteOf(report.now)} UTC</time>
<p>This page was made then, by db-backup-action ${version}, and does not change. <strong>If that is more than a day ago, status itself has stopped</strong>: an old page proves nothing.</p></div>
</header>`;
}

/** A number stays on the line of its unit. */
function unbroken(sentence: string): string {
  return sentence.replaceAll(/(?<=\d) (?=(?:ms|s|min|h|days?)\b)/g, '\u00A0');
}

function countsOf({ findings }: StatusReport): string {
  const counts = LEVELS.toReversed().flatMap((level) => {
    const count = findings.filter((finding) => finding.level === level).length;
    if (count === 0) return [];
    return [level === 'critical' ? `${count} critical` : countOf(count, level === 'info' ? 'note' : 'warning')];
  });
  return counts.length === 0 ? 'Nothing was found that needs anybody.' : `Found: ${counts.join(', ')}.`;
}

function navigation({ series }: StatusReport, shown: readonly SeriesStatus[], markup: Markup): Html {
  const [only] = shown;
  const ofSeries =
    series.length > 1
      ? markup.html`<li><a href="#all">All ${series.length}</a></li>`
      : only === undefined
        ? NOTHING
        : markup.html`<li><a href="#series-1">${only.name}</a></li>`;
  return markup.html`<nav aria-label="On this page"><ul><li><a href="#findings">What was found</a></li>${ofSeries}<li><a href="#storage">Storage</a></li><li><a href="#restore">How to bring one back</a></li></ul></nav>`;
}

function footer(version: string, runUrl: string | undefined, markup: Markup): Html {
  const run =
    runUrl === undefined
      ? NOTHING
      : runUrl.startsWith('https://')
        ? markup.html` Made in <a href="${runUrl}" rel="noreferrer">this run</a>.`
        : markup.html` Made in <code>${runUrl}</code>.`;
  return markup.html`<footer>db-backup-action ${version}. All times are UTC; sizes are in units of 1,024. Read from the storage alone: from what lies there and from what each backup says of itself.${run}</footer>`;
}
