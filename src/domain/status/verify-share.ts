/** Which sets are read again today: each once in so many days, and always the same ones on the same day. */
import { createHash } from 'node:crypto';
import { DAY_MS } from '../time.ts';

/** @param days `verify-stored-days`: in so many days in a row every set has its day once */
export function isDueToday(id: string, days: number, now: Date): boolean {
  const day = Math.floor(now.getTime() / DAY_MS);
  return createHash('sha256').update(id).digest().readUInt32BE() % days === day % days;
}
