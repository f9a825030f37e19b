/** Parsers of the values of `status`. */
import { type Parse, quoted, rejected } from './values.ts';

const HOURS = { m: 1 / 60, h: 1, d: 24, w: 168 } as const;
const LEAST_HOURS = 0.25;
const MOST_HOURS = 24 * 366;

/** `24h`, `1d`, `30m`, `1w`, in hours. */
export const timeSpanHours: Parse<number> = (text) => {
  const [, number = '', unit] = /^(\d{1,6})\s*([mhdw])$/.exec(text) ?? [];
  const hours = unit === undefined ? Number.NaN : Number(number) * HOURS[unit as keyof typeof HOURS];
  if (hours >= LEAST_HOURS && hours <= MOST_HOURS) return hours;
  throw rejected(`${quoted(text)} is not a time from 15m to a year. Write a whole number and m, h, d or w: 24h.`);
};
