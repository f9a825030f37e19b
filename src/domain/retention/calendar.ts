/** Into which hour, day, week, month and year of a time zone a moment falls. */
import { DAY_MS } from '../time.ts';
import type { SlotKind } from './policy.ts';

/** The name of a slot: `2026-11-21 02:00+01:00`, `2026-11-21`, `2026-W47`, `2026-11`, `2026`. */
export type NameSlot = (kind: SlotKind, at: Date) => string;

/** Whether the runtime knows a time zone of this name. */
export function isTimeZone(name: string): boolean {
  try {
    return clockOf(name) !== undefined;
  } catch {
    return false;
  }
}

/** Throws a RangeError for a time zone that is none. */
export function slotsIn(timeZone: string): NameSlot {
  const clock = clockOf(timeZone);
  return (kind, at) => {
    const local = localTime(clock, at);
    const day = local.toISOString().slice(0, 10);
    switch (kind) {
      case 'hourly':
        // In autumn an hour comes twice; its distance from UTC tells the two apart.
        return `${day} ${local.toISOString().slice(11, 13)}:00${offsetOf(local, at)}`;
      case 'daily':
        return day;
      case 'weekly':
        return isoWeek(local);
      case 'monthly':
        return day.slice(0, 7);
      case 'yearly':
        return day.slice(0, 4);
    }
  };
}

function clockOf(timeZone: string): Intl.DateTimeFormat {
  const two = '2-digit';
  const fields = { year: 'numeric', month: two, day: two, hour: two, minute: two, second: two } as const;
  return new Intl.DateTimeFormat('en-US', { timeZone, calendar: 'gregory', hourCycle: 'h23', ...fields });
}

/** What a clock on the wall there shows, written as if it were UTC. To the second. */
function localTime(clock: Intl.DateTimeFormat, at: Date): Date {
  const parts = new Map(clock.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const of = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  return new Date(Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second')));
}

/** `+01:00`; of local mean time in past centuries to the minute. */
function offsetOf(local: Date, at: Date): string {
  const minutes = Math.round((local.getTime() - at.getTime()) / 60_000);
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(hours)}:${two(rest)}`;
}

/** ISO 8601: weeks begin on Monday, and one belongs to the year of its Thursday. */
function isoWeek(local: Date): string {
  const weekday = (local.getUTCDay() + 6) % 7;
  const thursday = new Date(Date.UTC(local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate() - weekday + 3));
  const year = thursday.getUTCFullYear();
  const week = 1 + Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * DAY_MS));
  return `${year}-W${String(week).padStart(2, '0')}`;
}
