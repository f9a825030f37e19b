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
import { inLastSession } from './last-session.ts';

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
const LOOK_AGAIN_MS = 100;

/** How one attempt ended: an error of the server's does not end the run, as another attempt may do. */
type Attempted = { ok: true; findings: Finding[] } | { ok: false; error: unknown; pid: number | undefined };

/**
 * @throws BackupError ERR_SWAP_FAILED: the old database is in its place, unless the words say that nobody knows;
 * ERR_TARGET_BUSY: the same, because of sessions that could not be ended; or the reason of the run's cancellation
 */
export async function swapDatabases(parts: SwapParts): Promise<Swapped> {
  const { access, facts, restored, log } = parts;
  const restoredOid = await access.use('swap', facts.maintenanceDatabase, ({ client }) => oidOf(client, restored));
  for (let attempt = 1; ; attempt += 1) {
    const attempted = await swapOnce(parts, restoredOid);
    if (attempted.ok) return { findings: attempted.findings, wayBack: wayBack(parts) };
    const { error, pid } = attempted;
    const state = await whereItStands(parts, restoredOid, pid);
    if (state === 'swapped') return { findings: [], wayBack: wayBack(parts) };
    if (state === 'unknown') throw lost(parts, error);
    if (!BUSY.has(sqlState(error) ?? '') || attempt === ATTEMPTS) throw await refused(parts, error);
    log.info(`${facts.database.name} was still in use. Trying again.`);
  }
}

async function swapOnce(parts: SwapParts, restoredOid: number): Promise<Attempted> {
  const { access, facts, properties, clock } = parts;
  const { maintenanceDatabase } = facts;
  let over = false;
  let pid: number | undefined;
  const failed = (error: unknown): Attempted => ({ ok: false, error, pid });
  // Whoever it could not end makes RENAME fail, which says so better.
  const ending = access.use('swap: ending clients', maintenanceDatabase, ({ client }) =>
    keepEnding(client, [properties.oid, restoredOid], clock, () => over).catch(() => undefined),
  );
  try {
    return await access.use('swap', maintenanceDatabase, async ({ client, session }): Promise<Attempted> => {
      pid = session.pid;
      return await rename(client, parts).then((findings) => ({ ok: true, findings }), failed);
    });
  } catch (error) {
    return failed(error);
  } finally {
    over = true;
    await ending.catch(() => undefined);
  }
}

async function rename(client: pg.Client, parts: SwapParts): Promise<Finding[]> {
  const { facts, restored, former, properties } = parts;
  const step = async (name: SwapStep): Promise<void> => await parts.onStep?.(name);
  const name = facts.database.name;
  const findings = await inTransaction(client, async () => {
    await client.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT_SECONDS}s'`);
    await step('ready');
    const left = await applyProperties(client, restored, properties);
    await step('properties');
    await client.query(renameSql(name, former));
    await step('old-renamed');
    await client.query(renameSql(restored, name));
    await step('swapped');
    return left;
  });
  await step('committed');
  return findings;
}

function renameSql(from: string, to: string): string {
  return `ALTER DATABASE ${quoteIdentifier(from)} RENAME TO ${quoteIdentifier(to)}`;
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

/**
 * A session that dies with COMMIT on its way does not tell how that ended: the names do, once the server process that
 * had to rename is gone.
 */
async function whereItStands(
  { access, facts, properties, clock, log }: SwapParts,
  restoredOid: number,
  pid: number | undefined,
): Promise<'swapped' | 'as before' | 'unknown'> {
  const { name } = facts.database;
  try {
    return await inLastSession(access.connection(facts.maintenanceDatabase), { clock, log }, async (client) => {
      while (pid !== undefined && (await isAlive(client, pid))) await clock.sleep(LOOK_AGAIN_MS);
      if ((await databaseName(client, restoredOid)) === name) return 'swapped';
      return (await databaseName(client, properties.oid)) === name ? 'as before' : 'unknown';
    });
  } catch {
    return 'unknown';
  }
}

async function isAlive(client: pg.Client, pid: number): Promise<boolean> {
  const { rowCount } = await client.query('SELECT FROM pg_catalog.pg_stat_activity WHERE pid = $1', [pid]);
  return rowCount !== 0;
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

async function refused(
  { access, facts, restored, properties, clock, log }: SwapParts,
  cause: unknown,
): Promise<BackupError> {
  // The run was cancelled, or the server fell silent: that says it all.
  if (cause instanceof BackupError) return cause;
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
  const sessions = await inLastSession(access.connection(facts.maintenanceDatabase), { clock, log }, (client) =>
    otherSessions(client, properties.oid, 'own too'),
  ).catch(() => []);
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
  return [
    {
      words: `The database as it was before is ${former}. To swap back, what was written since stays in ${restored}; repeat it if clients are faster:`,
      commands: [
        `${psql} <<'SQL'`,
        end,
        'BEGIN;',
        `${renameSql(name, restored)};`,
        `${renameSql(former, name)};`,
        'COMMIT;',
        'SQL',
      ],
    },
    {
      words: `When nobody needs ${former} any more, drop it: until then it takes its room on the disk:`,
      commands: [`${psql} --command ${shellQuote(`DROP DATABASE ${quoteIdentifier(former)};`)}`],
    },
  ];
}
