/**
 * Puts the restored database in the place of the old one. Everything happens in one transaction, so there is no moment
 * at which the name leads nowhere. Measured on 13 and 17: RENAME takes the lock that every new session must have for a
 * moment, so whoever comes waits at the door until the transaction ends, and nobody needs to be forbidden anything; those
 * who are inside already are ended by a second session while RENAME waits for them, which it does for 5 seconds.
 */
import type pg from 'pg';
import type { WayBack } from '../command.ts';
import type { DatabaseProperties } from '../domain/database-properties.ts';
import { BackupError, messageOf } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { quoteIdentifier } from '../domain/relations.ts';
import { shellQuote } from '../domain/restore-guide/step.ts';
import type { TargetFacts } from '../domain/target.ts';
import type { Clock, Log } from '../ports.ts';
import { applyProperties, databaseName, inTransaction } from '../postgres/databases.ts';
import { keepEnding, otherSessions } from '../postgres/other-sessions.ts';
import { sqlState } from '../postgres/session.ts';
import type { TargetAccess } from './access.ts';

/** `ready`: nothing has begun. `swapped`: both renames are done and not committed. */
export type SwapStep = 'ready' | 'properties' | 'old-renamed' | 'swapped' | 'committed';

export interface SwapParts {
  access: TargetAccess;
  facts: TargetFacts;
  /** The restored database, and the name under which the old one goes on. */
  restored: string;
  former: string;
  /** Of the old database, as they were before any pause. */
  properties: DatabaseProperties;
  clock: Clock;
  log: Log;
  /** Called after each step, before the next. */
  onStep?: (step: SwapStep) => Promise<void>;
}

export interface Swapped {
  findings: readonly Finding[];
  wayBack: readonly WayBack[];
}

/** RENAME gives up after 5 s (CountOtherDBBackends of the server); clients that come back at once are caught later. */
const ATTEMPTS = 4;
/** The server's answers that another attempt may change: sessions that were still there, a lock that was held. */
const BUSY = new Set(['55006', '55P03']);
const LOCK_TIMEOUT_SECONDS = 10;

/**
 * @throws BackupError ERR_SWAP_FAILED: the old database is in its place, unless the words say that nobody knows;
 * ERR_TARGET_BUSY: the same, because of sessions that could not be ended
 */
export async function swapDatabases(parts: SwapParts): Promise<Swapped> {
  const { access, facts, restored, log } = parts;
  const restoredOid = await access.use(
    'swap',
    facts.maintenanceDatabase,
    async ({ client }) => await oidOf(client, restored),
  );
  for (let attempt = 1; ; attempt += 1) {
    try {
      const findings = await swapOnce(parts, restoredOid);
      return { findings, wayBack: wayBack(parts) };
    } catch (error) {
      const state = await whereItStands(parts, restoredOid);
      if (state === 'swapped') return { findings: [], wayBack: wayBack(parts) };
      if (state === 'unknown') throw lost(parts, error);
      if (BUSY.has(sqlState(error) ?? '') && attempt < ATTEMPTS) {
        log.info(`${facts.database.name} was still in use. Trying again.`);
        continue;
      }
      throw await refused(parts, error);
    }
  }
}

async function swapOnce(parts: SwapParts, restoredOid: number): Promise<Finding[]> {
  const { access, facts, restored, former, properties, clock } = parts;
  const step = async (name: SwapStep): Promise<void> => await parts.onStep?.(name);
  const name = facts.database.name;
  let over = false;
  const ending = access.use('swap: ending clients', facts.maintenanceDatabase, ({ client }) =>
    keepEnding(client, [properties.oid, restoredOid], clock, () => over),
  );
  try {
    return await access.use('swap', facts.maintenanceDatabase, async ({ client }) => {
      const findings = await inTransaction(client, async () => {
        await client.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT_SECONDS}s'`);
        await step('ready');
        const left = await applyProperties(client, restored, properties);
        await step('properties');
        await client.query(`ALTER DATABASE ${quoteIdentifier(name)} RENAME TO ${quoteIdentifier(former)}`);
        await step('old-renamed');
        await client.query(`ALTER DATABASE ${quoteIdentifier(restored)} RENAME TO ${quoteIdentifier(name)}`);
        await step('swapped');
        return left;
      });
      await step('committed');
      return findings;
    });
  } finally {
    over = true;
    // Whoever it could not end makes RENAME fail, which says so better.
    await ending.catch(() => undefined);
  }
}

async function oidOf(client: pg.Client, name: string): Promise<number> {
  const { rows } = await client.query<{ oid: number }>('SELECT oid FROM pg_catalog.pg_database WHERE datname = $1', [
    name,
  ]);
  const [row] = rows;
  if (row !== undefined) return row.oid;
  throw new BackupError('ERR_SWAP_FAILED', `There is no database ${name} on the target any more`, {
    op: 'swap the databases',
    hint: 'Somebody dropped or renamed it. The old database is untouched. Run the restore again.',
  });
}

/** A session that dies with COMMIT on its way does not tell how that ended: the names do. */
async function whereItStands(
  { access, facts, properties }: SwapParts,
  restoredOid: number,
): Promise<'swapped' | 'as before' | 'unknown'> {
  const { name } = facts.database;
  try {
    return await access.use('swap', facts.maintenanceDatabase, async ({ client }) => {
      if ((await databaseName(client, restoredOid)) === name) return 'swapped';
      return (await databaseName(client, properties.oid)) === name ? 'as before' : 'unknown';
    });
  } catch {
    return 'unknown';
  }
}

function lost({ facts, restored, former }: SwapParts, cause: unknown): BackupError {
  const { name } = facts.database;
  return new BackupError(
    'ERR_SWAP_FAILED',
    `The server went away while ${name} and ${restored} changed places: ${messageOf(cause)}. Both renames are one transaction, so either ${name} is the old database still, or it is the restored one and the old one is ${former}`,
    {
      op: 'swap the databases',
      hint: `Look which: \`psql --dbname ${facts.maintenanceDatabase} --command '\\l'\`. If ${restored} is listed, nothing was swapped. No content is lost either way.`,
      cause,
    },
  );
}

async function refused({ access, facts, restored, properties }: SwapParts, cause: unknown): Promise<BackupError> {
  const { name } = facts.database;
  const kept = `${name} is in its place and serves as before; the restored copy is ${restored}`;
  if (!BUSY.has(sqlState(cause) ?? '')) {
    return new BackupError(
      'ERR_SWAP_FAILED',
      `${name} and ${restored} could not change places: ${messageOf(cause)}. ${kept}`,
      {
        op: 'swap the databases',
        hint: 'Correct what the message names. The copy is proven: rename by hand when you are ready, or run the restore again.',
        cause,
      },
    );
  }
  const sessions = await access
    .use('swap', facts.maintenanceDatabase, ({ client }) => otherSessions(client, properties.oid, 'own too'))
    .catch(() => []);
  const who = sessions.length === 0 ? '' : ` by ${sessions.join(', ')}`;
  return new BackupError(
    'ERR_TARGET_BUSY',
    `${name} stays in use${who}: a database that is in use cannot be renamed. ${kept}`,
    {
      op: 'swap the databases',
      hint: 'Stop what connects again and again (applications, poolers, prepared transactions), and run the restore again.',
      retryable: true,
      cause,
    },
  );
}

function wayBack({ facts, restored, former }: SwapParts): WayBack[] {
  const { name } = facts.database;
  const psql = `psql --no-psqlrc --set ON_ERROR_STOP=1 --dbname ${shellQuote(facts.maintenanceDatabase)}`;
  const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name.replaceAll("'", "''")}';`;
  const rename = (from: string, to: string) =>
    `ALTER DATABASE ${quoteIdentifier(from)} RENAME TO ${quoteIdentifier(to)};`;
  return [
    {
      words: `The database as it was before is ${former}. To swap back, what was written since stays in ${restored}; repeat it if clients are faster:`,
      commands: [`${psql} <<'SQL'`, end, 'BEGIN;', rename(name, restored), rename(former, name), 'COMMIT;', 'SQL'],
    },
    {
      words: `When nobody needs ${former} any more, drop it: until then it takes its room on the disk:`,
      commands: [`${psql} --command ${shellQuote(`DROP DATABASE ${quoteIdentifier(former)};`)}`],
    },
  ];
}
