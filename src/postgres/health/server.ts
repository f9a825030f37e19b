/** Reads what kind of server this is, and settings under which it loses data. */
import type { HealthFacts } from '../../domain/check/facts.ts';
import type { HealthSession } from './session.ts';

/** What questions depend on. */
export interface ServerContext {
  version: string;
  major: number;
  isStandby: boolean;
  /** `current_user`. */
  role: string;
  database: string;
  /** Schemas that the provider keeps for itself: their state is not for users to mend. */
  managed: readonly string[];
}

export async function readServerContext(session: HealthSession): Promise<Omit<ServerContext, 'managed'>> {
  const [row] = await session.ask<ServerContext>(`
    SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int / 10000 AS major,
           pg_is_in_recovery() AS "isStandby", current_user::text AS role, current_database()::text AS database`);
  if (row === undefined) throw new Error('The server gave no row where it always has one');
  return row;
}

export async function readDurability(session: HealthSession): Promise<HealthFacts['durability']> {
  const [row] = await session.ask<HealthFacts['durability']>(
    `SELECT current_setting('fsync')::bool AS fsync, current_setting('full_page_writes')::bool AS "fullPageWrites"`,
  );
  return row ?? { fsync: true, fullPageWrites: true };
}

export async function readChecksums(session: HealthSession): Promise<HealthFacts['checksums']> {
  const [row] = await session.ask<HealthFacts['checksums']>(
    `SELECT current_setting('data_checksums')::bool AS "on", coalesce(sum(checksum_failures), 0)::float8 AS failures FROM pg_stat_database`,
  );
  return row ?? { on: false, failures: 0 };
}

export async function readPrepared(session: HealthSession): Promise<HealthFacts['prepared']> {
  return await session.ask(`
    SELECT gid, database::text AS database, extract(epoch FROM clock_timestamp() - prepared)::float8 AS seconds
      FROM pg_prepared_xacts ORDER BY 3 DESC LIMIT 50`);
}

export async function readAges(session: HealthSession): Promise<HealthFacts['ages']> {
  return await session.ask(`
    SELECT datname::text AS name, age(datfrozenxid)::float8 AS transactions, mxid_age(datminmxid)::float8 AS multixacts
      FROM pg_database`);
}

/** Seconds by which the server's clock is ahead, the way there and back halved. */
export async function readClock(session: HealthSession, now: () => Date): Promise<HealthFacts['clock']> {
  const before = now().getTime();
  const [row] = await session.ask<{ at: number }>('SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS at');
  const after = now().getTime();
  return { differenceSeconds: ((row?.at ?? after) - (before + after) / 2) / 1000 };
}
