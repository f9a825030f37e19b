/** The last thirty days as a calendar: each day has a sign and words besides its colour. */
import type { HealthVerdict } from '../../domain/check/model.ts';
import type { RecoveryVerdict } from '../../domain/recovery.ts';
import type { DayState, SeriesStatus, StatusDay } from '../../domain/status/model.ts';
import { DAY_MS } from '../../domain/time.ts';
import { countOf } from '../../domain/words.ts';
import type { Html, Markup } from './markup.ts';
import type { Tone } from './words.ts';

const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] as const;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

const STATES: Readonly<Record<DayState, { sign: string; tone: Tone; words: string }>> = {
  proven: { sign: '✓', tone: 'good', words: 'proven' },
  unproven: { sign: '!', tone: 'doubt', words: 'unproven' },
  missed: { sign: '×', tone: 'bad', words: 'missed' },
  none: { sign: '–', tone: 'plain', words: 'none expected' },
};

const DRILLS: Readonly<Record<RecoveryVerdict, { sign: string; words: string }>> = {
  passed: { sign: 'D✓', words: 'drill passed' },
  partial: { sign: 'D!', words: 'drill partial' },
  failed: { sign: 'D×', words: 'drill failed' },
};

const CHECKS: Readonly<Record<HealthVerdict, { sign: string; words: string }>> = {
  passed: { sign: 'H✓', words: 'health check passed' },
  warning: { sign: 'H!', words: 'health check with warnings' },
  failed: { sign: 'H×', words: 'health check failed' },
};

/** A row a week, beginning on Monday. Signs of health checks are explained where there were any. */
export function calendar({ name, days }: SeriesStatus, markup: Markup): Html {
  const today = days.at(-1)?.day;
  const rows = weeksOf(days).map(({ monday, cells }) => {
    const body = cells.map((cell) =>
      cell === undefined ? markup.html`<td></td>` : dayCell(cell, cell.day === today, markup),
    );
    return markup.html`<tr><th scope="row"><span class="hidden">week of </span>${shortDay(monday)}</th>${body}</tr>
`;
  });
  const heads = DAYS.map((day) => markup.html`<th scope="col"><abbr title="${day}">${day.slice(0, 2)}</abbr></th>`);
  return markup.html`<table class="calendar"><caption>Backups and drills of ${name}, the last ${days.length} days (UTC)</caption>
<thead><tr><th scope="col"><span class="hidden">Week</span></th>${heads}</tr></thead>
<tbody>
${rows}</tbody></table>
${legend(
  days.some(({ check }) => check !== undefined),
  markup,
)}`;
}

function dayCell({ day, state, backups, drill, check }: StatusDay, isToday: boolean, markup: Markup): Html {
  const { sign, tone, words } = STATES[state];
  const drilled = drill === undefined ? undefined : DRILLS[drill];
  const checked = check === undefined ? undefined : CHECKS[check];
  const spoken = [
    words,
    ...(backups > 0 ? [countOf(backups, 'backup')] : []),
    ...(drilled === undefined ? [] : [drilled.words]),
    ...(checked === undefined ? [] : [checked.words]),
    ...(isToday ? ['today'] : []),
  ].join(', ');
  const signs = [drilled, checked].flatMap((each) => each?.sign ?? []).join(' ');
  const date = new Date(`${day}T00:00:00Z`);
  return markup.html`<td><span class="day ${tone}${isToday ? ' today' : ''}" title="${day}: ${spoken}"><span aria-hidden="true">${date.getUTCDate()}<b>${sign}</b>${signs}</span><span class="hidden">${shortDay(date)}: ${spoken}</span></span></td>`;
}

function legend(hasChecks: boolean, markup: Markup): Html {
  const all = [...Object.values(STATES), ...Object.values(DRILLS), ...(hasChecks ? Object.values(CHECKS) : [])];
  const entries = all.map(({ sign, words }) => markup.html`<li><b>${sign}</b> ${words}</li>`);
  return markup.html`<ul class="legend" aria-label="Signs of the calendar">${entries}</ul>`;
}

interface Week {
  monday: Date;
  cells: readonly (StatusDay | undefined)[];
}

function weeksOf(days: readonly StatusDay[]): Week[] {
  const weeks = new Map<number, (StatusDay | undefined)[]>();
  for (const day of days) {
    const at = Date.parse(`${day.day}T00:00:00Z`);
    const weekday = (new Date(at).getUTCDay() + 6) % 7;
    const monday = at - weekday * DAY_MS;
    const cells = weeks.get(monday) ?? Array.from({ length: 7 }, () => undefined);
    cells[weekday] = day;
    weeks.set(monday, cells);
  }
  return Array.from(weeks, ([monday, cells]) => ({ monday: new Date(monday), cells }));
}

/** `9 Nov` */
function shortDay(date: Date): string {
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
}
