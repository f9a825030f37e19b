/** The newest backups of one series. */
import type { BackupPoint, SeriesStatus } from '../../domain/status/model.ts';
import { minuteOf } from '../../domain/time.ts';
import { countOf, formatBytes, formatCount, formatDuration } from '../../domain/words.ts';
import { type Html, type Markup, NOTHING } from './markup.ts';
import { badge, scrolling } from './words.ts';

const SHOWN = 20;

/** @param locations of the destinations, in the order in which the page numbers them */
export function backupTable({ name, backups }: SeriesStatus, locations: readonly string[], markup: Markup): Html {
  if (backups.length === 0) return markup.html`<p>No backup is here.</p>`;
  const rows = backups
    .slice(-SHOWN)
    .reverse()
    .map((backup) => row(backup, locations, markup));
  const all =
    backups.length > SHOWN
      ? `The newest ${SHOWN} of ${countOf(backups.length, 'backup')}`
      : countOf(backups.length, 'backup');
  const where = locations.length > 1;
  const table = markup.html`<table><thead><tr><th scope="col">taken (UTC)</th><th scope="col">verdict</th><th scope="col">label</th><th scope="col" class="number">plain</th><th scope="col" class="number">stored</th><th scope="col" class="number">rows</th><th scope="col" class="number">took</th>${where ? markup.html`<th scope="col">where</th>` : NOTHING}<th scope="col">id</th></tr></thead>
<tbody>
${rows}</tbody></table>`;
  const note = `${all}${where ? '. What the numbers under “where” mean stands under Storage.' : '.'}`;
  return scrolling(`Newest backups of ${name}`, table, markup, note);
}

function row(backup: BackupPoint, locations: readonly string[], markup: Markup): Html {
  const { id, at, label, plainBytes, storedBytes, rows, seconds } = backup;
  const where = locations.flatMap((location, index) => (backup.locations.includes(location) ? [index + 1] : []));
  const cell =
    locations.length > 1 ? markup.html`<td>${where.length === 0 ? 'nowhere whole' : where.join(', ')}</td>` : NOTHING;
  return markup.html`<tr><th scope="row">${minuteOf(at)}</th><td>${verdictBadges(backup, markup)}</td><td>${label}</td><td class="number">${formatBytes(plainBytes)}</td><td class="number">${formatBytes(storedBytes)}</td><td class="number">${formatCount(rows)}</td><td class="number">${formatDuration(seconds)}</td>${cell}<td><code>${id}</code></td></tr>
`;
}

function verdictBadges({ verdict, restored, whole, keepForever }: BackupPoint, markup: Markup): Html {
  return markup.html`${verdict === 'proven' ? badge('good', 'proven', markup) : badge('bad', 'unproven', markup)}${restored ? markup.html` ${badge('good', 'restored', markup)}` : NOTHING}${whole ? NOTHING : markup.html` ${badge('plain', 'a part', markup)}`}${keepForever ? markup.html` ${badge('plain', 'kept for ever', markup)}` : NOTHING}`;
}
