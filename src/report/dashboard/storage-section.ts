/** Where backups are kept, and how full it is. */
import type { DestinationStatus, StatusReport } from '../../domain/status/model.ts';
import { WARN_PERCENT } from '../../domain/status/storage-use.ts';
import { DAY_MS, dayOf } from '../../domain/time.ts';
import { countOf, formatBytes, formatCount } from '../../domain/words.ts';
import { type Html, type Markup, NOTHING } from './markup.ts';
import { badge, listed, scrolling } from './words.ts';

/** Further ahead a guess is none. */
const FORESEEN_DAYS = 3_650;
const BAR_WIDTH = 300;

export function storageSection(report: StatusReport, markup: Markup): Html {
  return markup.html`<section aria-labelledby="storage"><h2 id="storage">Storage</h2>
<div class="card">
${usage(report, markup)}
${destinationTable(report.destinations, markup)}
${verifiedWords(report, markup)}</div></section>
`;
}

function usage({ storage, now }: StatusReport, markup: Markup): Html {
  const { bytes, budgetBytes, bytesPerDay, fullInDays } = storage;
  const growth =
    bytesPerDay === undefined
      ? 'How fast it grows cannot be told yet.'
      : bytesPerDay > 0
        ? `It grows by ${formatBytes(bytesPerDay)} a day.`
        : bytesPerDay < 0
          ? `It shrinks by ${formatBytes(-bytesPerDay)} a day.`
          : 'It does not grow.';
  const full =
    fullInDays === undefined || fullInDays > FORESEEN_DAYS
      ? ''
      : fullInDays <= 0
        ? ' The budget is full.'
        : ` The budget is full in ${countOf(Math.round(fullInDays), 'day')}, about ${dayOf(new Date(now.getTime() + fullInDays * DAY_MS))}.`;
  if (budgetBytes === undefined || budgetBytes <= 0) {
    return markup.html`<p><strong>${formatBytes(bytes)}</strong> at the fullest destination. ${growth} No budget is given (<code>storage-budget-gb</code>).</p>`;
  }
  const percent = (bytes / budgetBytes) * 100;
  return markup.html`<p><strong>${formatBytes(bytes)}</strong> of ${formatBytes(budgetBytes)} (${Math.round(percent)} %) at the fullest destination. ${growth}${full}</p>
${bar(percent, markup)}`;
}

/** The numbers stand beside it in words. */
function bar(percent: number, markup: Markup): Html {
  const tone = percent >= 100 ? 'bad' : percent >= WARN_PERCENT ? 'doubt' : 'good';
  const width = Math.round((Math.min(100, Math.max(0, percent)) / 100) * BAR_WIDTH);
  return markup.html`<svg class="bar" viewBox="0 0 ${BAR_WIDTH} 10" preserveAspectRatio="none" aria-hidden="true"><rect class="bar-ground" width="${BAR_WIDTH}" height="10" rx="3"/><rect class="bar-${tone}" width="${width}" height="10" rx="3"/></svg>`;
}

function destinationTable(destinations: readonly DestinationStatus[], markup: Markup): Html {
  if (destinations.length === 0) return NOTHING;
  const rows = destinations.map(
    (
      { location, sets, storedBytes, error },
      index,
    ) => markup.html`<tr><td class="number">${index + 1}</td><th scope="row" class="words"><code>${location}</code></th><td>${error === undefined ? badge('good', 'listed', markup) : badge('bad', 'not listed', markup)}</td><td class="number">${sets === undefined ? '–' : formatCount(sets)}</td><td class="number">${storedBytes === undefined ? '–' : formatBytes(storedBytes)}</td><td class="words">${error === undefined ? NOTHING : markup.prose(error)}</td></tr>
`,
  );
  const failed = destinations.some(({ error }) => error !== undefined);
  const table = markup.html`<table><thead><tr><th scope="col" class="number">no.</th><th scope="col">where</th><th scope="col">read</th><th scope="col" class="number">backups</th><th scope="col" class="number">stored</th><th scope="col">${failed ? 'why not' : markup.html`<span class="hidden">Why not</span>`}</th></tr></thead>
<tbody>
${rows}</tbody></table>`;
  const note = failed ? 'One could not be listed: nothing on this page is known of it.' : undefined;
  return scrolling('Destinations', table, markup, note);
}

function verifiedWords({ verified }: StatusReport, markup: Markup): Html {
  if (verified === undefined) return NOTHING;
  const { sets, bytes, damaged } = verified;
  const read = `Today ${countOf(sets, 'backup')} (${formatBytes(bytes)}) ${sets === 1 ? 'was' : 'were'} read again, every byte: `;
  return damaged.length === 0
    ? markup.html`<p>${read}nothing is damaged.</p>`
    : markup.html`<p>${badge('bad', 'damaged', markup)} ${read}${countOf(damaged.length, 'is', 'are')} damaged: ${listed(damaged, 20)}.</p>`;
}
