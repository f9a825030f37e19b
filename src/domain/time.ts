/** Spans between times, and how times are written. All of it in UTC. */
import { formatAge } from './words.ts';

export const DAY_MS = 86_400_000;

/** Never negative: clocks may be set back. @param from as a `Date` or ISO 8601 */
export function secondsSince(from: Date | string, now: Date): number {
  return Math.max(0, (now.getTime() - new Date(from).getTime()) / 1000);
}

/** `3 h 5 min`, `12 days`: how long ago it was. */
export function ageOf(at: Date | string, now: Date): string {
  return formatAge(secondsSince(at, now));
}

/** Negative when `to` comes first. */
export function hoursBetween(from: Date, to: Date): number {
  return (to.getTime() - from.getTime()) / 3_600_000;
}

/** `2026-11-21` */
export function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10);
}

/** `2026-11-21 02:00`. @param at as a `Date` or as `toISOString` writes it */
export function minuteOf(at: Date | string): string {
  return (typeof at === 'string' ? at : at.toISOString()).slice(0, 16).replace('T', ' ');
}
