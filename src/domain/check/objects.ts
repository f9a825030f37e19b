/** Objects in a state in which they do not do what everybody thinks they do. */
import { countOf, formatAge, formatCount } from '../words.ts';
import { healthCheck, noneOf } from './model.ts';

const MAX_DEAD_PERCENT = 40;
/** Fewer dead rows are everyday life. */
const LEAST_DEAD_ROWS = 10_000;

export const OBJECTS = [
  healthCheck({
    code: 'invalid-indexes',
    group: 'danger',
    needs: 'invalidIndexes',
    words:
      'Fails for indexes that are invalid: one that CREATE INDEX CONCURRENTLY left behind costs every write and helps no query.',
    judge: (names) =>
      noneOf(names, 'failed', {
        none: 'Every index is valid',
        some: `${countOf(names.length, 'index is', 'indexes are')} invalid`,
        action: 'Remove what made it fail (duplicates, mostly), then `REINDEX INDEX CONCURRENTLY` it, or drop it.',
      }),
  }),
  healthCheck({
    code: 'not-validated',
    group: 'danger',
    needs: 'notValidated',
    words: 'Warns about constraints that are NOT VALID: rows from before may break them, and nobody knows.',
    judge: (names) =>
      noneOf(names, 'warning', {
        none: 'Every constraint is validated',
        some: `${countOf(names.length, 'constraint is', 'constraints are')} not validated`,
        action: 'ALTER TABLE … VALIDATE CONSTRAINT …; it reads the table and blocks nobody who writes.',
      }),
  }),
  healthCheck({
    code: 'autovacuum',
    group: 'danger',
    needs: 'autovacuum',
    words:
      'Fails when autovacuum, or the counting that it goes by, is switched off; warns about tables for which it is.',
    judge: ({ on, counting, tablesOff }) => {
      if (!on || !counting) {
        return {
          status: 'failed',
          seen: `\`${on ? 'track_counts' : 'autovacuum'}\` is off: nothing cleans up, and transaction ids run out in the end`,
          action: `ALTER SYSTEM SET ${on ? 'track_counts' : 'autovacuum'} = on; SELECT pg_reload_conf();`,
        };
      }
      return noneOf(tablesOff, 'warning', {
        none: 'Autovacuum is on, for every table',
        some: `Autovacuum is switched off for ${countOf(tablesOff.length, 'table')}`,
        action: 'ALTER TABLE … RESET (autovacuum_enabled), unless something else vacuums it.',
      });
    },
  }),
  healthCheck({
    code: 'dead-rows',
    group: 'danger',
    needs: 'deadRows',
    words: `Tables with more than ${formatCount(LEAST_DEAD_ROWS)} dead rows, and more of all rows than the limit: autovacuum has not reached them. Warns.`,
    limit: { value: MAX_DEAD_PERCENT, unit: 'percent' },
    judge: (tables, { limit }) => {
      const bloated = tables
        .map((table) => ({ ...table, percent: Math.round((table.dead / Math.max(1, table.dead + table.live)) * 100) }))
        .filter(({ dead, percent }) => dead > LEAST_DEAD_ROWS && percent > limit);
      return noneOf(
        bloated.map(
          ({ name, dead, percent, secondsSince }) =>
            `${name}: ${formatCount(dead)} dead rows (${percent} %), ${secondsSince === null ? 'never vacuumed' : `vacuumed ${formatAge(secondsSince)} ago`}`,
        ),
        'warning',
        {
          none: 'Vacuum keeps up with every table',
          some: `${countOf(bloated.length, 'table is', 'tables are')} full of dead rows`,
          action: 'VACUUM (VERBOSE) one and read what holds it back: mostly a long transaction or a replication slot.',
        },
      );
    },
  }),
  healthCheck({
    code: 'collations',
    group: 'danger',
    needs: 'collations',
    words:
      'Fails when a collation in use, or that of the database, was made with another version of the system’s library than the one that runs now: indexes on text may be out of order, and find nothing.',
    judge: (collations) =>
      noneOf(
        collations.map(({ name, recorded, actual }) => `${name}: made with ${recorded}, now ${actual}`),
        'failed',
        {
          none: 'Collations are of the versions that they were made with',
          some: `${countOf(collations.length, 'collation has', 'collations have')} changed under the indexes`,
          action:
            'REINDEX the indexes on text, then ALTER COLLATION … REFRESH VERSION or ALTER DATABASE … REFRESH COLLATION VERSION.',
        },
      ),
  }),
  healthCheck({
    code: 'extension-updates',
    group: 'danger',
    needs: 'extensions',
    words:
      'Warns about extensions whose files on the server are of another version than what is installed in the database.',
    judge: (extensions) => {
      const old = extensions.filter(({ version, available }) => available !== version);
      return noneOf(
        old.map(
          ({ name, version, available }) =>
            `${name}: ${version}, ${available === null ? 'and the server has no files of it' : `${available} is there`}`,
        ),
        'warning',
        {
          none:
            extensions.length === 0
              ? 'There are no extensions'
              : 'Every extension is of the version that the server has',
          some: `${countOf(old.length, 'extension')} could be updated`,
          action: 'Read its release notes, then ALTER EXTENSION … UPDATE.',
        },
      );
    },
  }),
  healthCheck({
    code: 'unlogged-tables',
    group: 'danger',
    needs: 'unlogged',
    words: 'Warns about unlogged tables: a crash of the server empties them, and no replica has them.',
    judge: (names) =>
      noneOf(names, 'warning', {
        none: 'No table is unlogged',
        some: `${countOf(names.length, 'table is', 'tables are')} unlogged`,
        action: 'ALTER TABLE … SET LOGGED, unless losing all of its rows is fine.',
      }),
  }),
  healthCheck({
    code: 'prepared-transactions',
    group: 'danger',
    needs: 'prepared',
    words:
      'Fails for prepared transactions that nobody ended within the limit: they hold locks, and hold vacuum back, for ever.',
    limit: { value: 10, unit: 'minutes' },
    judge: (prepared, { limit }) => {
      const old = prepared.filter(({ seconds }) => seconds > limit * 60);
      return noneOf(
        old.map(({ gid, database, seconds }) => `${gid} in ${database}: ${formatAge(seconds)}`),
        'failed',
        {
          none: 'No prepared transaction was left over',
          some: `${countOf(old.length, 'prepared transaction was', 'prepared transactions were')} left over`,
          action: "Ask whoever prepared it, then COMMIT PREPARED '…' or ROLLBACK PREPARED '…'.",
        },
      );
    },
  }),
];
