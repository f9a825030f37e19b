/** Counters that run full, and that stop the server or the application when they do. */
import { countOf, formatCount } from '../words.ts';
import type { DatabaseAge } from './facts.ts';
import { healthCheck, type Judgement } from './model.ts';

/** At this age the server refuses every write until it is vacuumed (docs: routine-vacuuming, wraparound). */
const WRAPAROUND = 2 ** 31;
const MAX_AGE_PERCENT = 60;
/** Autovacuum begins at 10 % by default: four times that says that it cannot keep up. */
const NOTE_AGE_PERCENT = 40;
const MAX_SEQUENCE_PERCENT = 80;

export const COUNTERS = [
  healthCheck({
    code: 'transaction-age',
    group: 'danger',
    needs: 'ages',
    words: `The oldest transaction id of any database of the server, in percent of the 2³¹ at which it stops taking writes. Warns from ${NOTE_AGE_PERCENT} % on (or the limit, where that is lower), fails above the limit.`,
    limit: { value: MAX_AGE_PERCENT, unit: 'percent' },
    judge: (ages, { limit }) => judgeAge(ages, ({ transactions }) => transactions, 'transaction', limit),
  }),
  healthCheck({
    code: 'multixact-age',
    group: 'danger',
    needs: 'ages',
    words: 'The same of multixact ids, which row locks use up.',
    limit: { value: MAX_AGE_PERCENT, unit: 'percent' },
    judge: (ages, { limit }) => judgeAge(ages, ({ multixacts }) => multixacts, 'multixact', limit),
  }),
  healthCheck({
    code: 'sequences',
    group: 'danger',
    needs: 'sequences',
    words:
      'How far sequences are towards their end, or that of the column that they fill: an `integer` column is full at 2,147,483,647 whatever its sequence can do. Identity columns too; cycling ones are left out. Fails above the limit.',
    limit: { value: MAX_SEQUENCE_PERCENT, unit: 'percent' },
    judge: ({ sequences, unreadable }, { limit }) => {
      const over = sequences.filter(({ percent }) => percent > limit);
      const most = sequences[0]?.percent ?? 0;
      if (over.length > 0) {
        return {
          status: 'failed',
          seen: `${countOf(over.length, 'sequence is', 'sequences are')} more than ${limit} % used up`,
          action:
            'Change the column and its sequence to `bigint` before inserts fail: ALTER TABLE … ALTER COLUMN … TYPE bigint rewrites the table.',
          details: over.map(
            ({ name, column, percent }) => `${name}: ${percent} %${column === null ? '' : `, fills ${column}`}`,
          ),
          value: most,
        };
      }
      if (unreadable.length > 0) {
        return {
          status: 'not-run',
          seen: `This role may not read ${countOf(unreadable.length, 'sequence')}`,
          action: 'GRANT SELECT ON ALL SEQUENCES IN SCHEMA … TO it, or the role pg_read_all_data.',
          details: unreadable,
        };
      }
      const seen = sequences.length === 0 ? 'There is no sequence' : `No sequence is more than ${most} % used up`;
      return { status: 'passed', seen, value: most };
    },
  }),
];

function judgeAge(
  ages: readonly DatabaseAge[],
  age: (each: DatabaseAge) => number,
  what: string,
  limit: number,
): Judgement {
  const oldest = ages.toSorted((one, other) => age(other) - age(one))[0];
  const count = oldest === undefined ? 0 : age(oldest);
  const value = (count / WRAPAROUND) * 100;
  const percent = value < 1 ? 'less than 1' : String(Math.round(value));
  const seen = `The oldest ${what} id is ${formatCount(count)} ids old (${percent} % of the way to the end), in ${oldest?.name ?? 'no database'}`;
  if (value <= Math.min(limit, NOTE_AGE_PERCENT)) return { status: 'passed', seen, value };
  return {
    status: value > limit ? 'failed' : 'warning',
    seen,
    action: `Run \`VACUUM (FREEZE)\` in ${oldest?.name ?? 'it'} now, and find what holds vacuum back: a long or prepared transaction, a replication slot. At 100 % the server takes no more writes.`,
    value,
  };
}
