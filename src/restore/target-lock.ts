/** One restore into a target at a time. */
import { createHash } from 'node:crypto';
import { BackupError } from '../domain/errors.ts';
import type { TargetFacts } from '../domain/target.ts';
import type { Log } from '../ports.ts';
import type { TargetAccess } from './access.ts';

export interface TargetLock {
  /** Bounded, never rejects. */
  release(): Promise<void>;
}

/** "dbba": tells the locks of this action from those of others. */
const LOCK_CLASS = 0x64626261;

/**
 * Holds an advisory lock in a session of its own until it is released, or until this process ends in whatever way. The
 * lock is that of the target's name, in the maintenance database, where it hinders no renaming; restores that see another
 * maintenance database, because their roles differ, do not see each other's locks.
 *
 * @throws BackupError ERR_TARGET_BUSY
 */
export async function lockTarget(access: TargetAccess, facts: TargetFacts, log: Log): Promise<TargetLock> {
  const { name } = facts.database;
  const session = await access.open('restore lock', facts.maintenanceDatabase);
  const { client } = session;
  try {
    if (facts.server.major >= 14) await client.query('SET idle_session_timeout = 0');
    const key = keyOf(name);
    const { rows } = await client.query<{ locked: boolean }>(
      'SELECT pg_catalog.pg_try_advisory_lock($1, $2) AS locked',
      [LOCK_CLASS, key],
    );
    if (rows[0]?.locked !== true) {
      const { rows: holders } = await client.query<{ since: string }>(HOLDER, [LOCK_CLASS, key]);
      throw busy(facts, holders[0]?.since);
    }
  } catch (error) {
    await session.end();
    throw error;
  }
  let released = false;
  client.once('end', () => {
    if (!released) log.warning(`The session that keeps other restores out of ${name} has ended. Start no other one.`);
  });
  return {
    release: async () => {
      released = true;
      await session.end();
    },
  };
}

const HOLDER = `SELECT pg_catalog.to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"') AS since
  FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
 WHERE l.locktype = 'advisory' AND l.granted AND l.classid = $1 AND l.objid::int8 = $2::int8 & 4294967295`;

/** 32 bits, signed, as advisory locks take them. */
function keyOf(database: string): number {
  return createHash('sha256').update(`restore\0${database}`).digest().readInt32BE();
}

function busy({ fingerprint }: TargetFacts, since: string | undefined): BackupError {
  return new BackupError(
    'ERR_TARGET_BUSY',
    `Another restore into ${fingerprint} is at work${since === undefined ? '' : `, since ${since}`}`,
    {
      op: 'lock the target',
      hint: 'Wait until it has ended, and look at what it did before you start another one. This one has touched nothing.',
      retryable: true,
    },
  );
}
