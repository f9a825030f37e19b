/** Keeps other roles out of the target while it is saved and replaced, and lets them in again, whatever happens between. */
import pg from 'pg';
import type { ConnectionRequest } from '../domain/connection.ts';
import type { DatabaseProperties } from '../domain/database-properties.ts';
import { BackupError } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { type PauseNote, parsePauseNote, planPause, resumeStatements } from '../domain/pause.ts';
import { quoteIdentifier } from '../domain/relations.ts';
import { pausedMark } from '../domain/restore-mark.ts';
import type { TargetFacts } from '../domain/target.ts';
import { listWords } from '../domain/words.ts';
import type { Clock, Log } from '../ports.ts';
import { databaseName, inTransaction, readProperties } from '../postgres/databases.ts';
import { endOthersFor } from '../postgres/other-sessions.ts';
import type { TargetAccess } from './access.ts';
import { inLastSession } from './last-session.ts';

/** How long sessions may take to end after they were told to. */
const ENDING_SECONDS = 10;
/** Roles that are named in a finding. */

export interface PausePorts {
  clock: Clock;
  log: Log;
  /**
   * Called before anything is paused, so that the post step can give access back after a SIGKILL.
   * @param giveAccessBack SQL, for people
   */
  remember: (note: string, giveAccessBack: readonly string[]) => void;
}

export interface PausedAccess {
  /** JSON for {@link resumeFromNote}; holds no secret. */
  note: string;
  /** Of the database before the pause. */
  properties: DatabaseProperties;
  /** Who could not be kept out, or not be ended. */
  findings: readonly Finding[];
  /** Gives access back, under whatever name the database has by then. Idempotent. */
  resume(): Promise<void>;
}

/**
 * Owner, rights, settings and the like of the target, for a swap without a pause.
 * @throws BackupError ERR_TARGET_UNFIT when there is no such database
 */
export async function readTargetProperties(access: TargetAccess, facts: TargetFacts): Promise<DatabaseProperties> {
  const { maintenanceDatabase, database } = facts;
  const found = await access.use('properties', maintenanceDatabase, ({ client }) =>
    readProperties(client, database.name),
  );
  if (found !== undefined) return found;
  throw new BackupError('ERR_TARGET_UNFIT', `There is no database ${database.name} on the target any more`, {
    op: 'read the target',
    hint: 'Somebody dropped or renamed it.',
  });
}

/** @throws BackupError ERR_TARGET_UNFIT before anything, when the role may not */
export async function pauseAccess(access: TargetAccess, facts: TargetFacts, ports: PausePorts): Promise<PausedAccess> {
  const { database, maintenanceDatabase, role } = facts;
  const { log, clock } = ports;
  if (!role.ownsDatabase) throw mayNotPause(facts);
  const properties = await readTargetProperties(access, facts);
  const { note, statements } = planPause(properties, role.superuser, maintenanceDatabase);
  const text = JSON.stringify(note);
  ports.remember(text, resumeStatements(note, database.name));
  tellWayBack(note, log);
  const mark = `COMMENT ON DATABASE ${quoteIdentifier(database.name)} IS ${pg.escapeLiteral(pausedMark(text))}`;
  const resume = (): Promise<void> => resumeFromNote(text, access.connection(maintenanceDatabase), { clock, log });
  try {
    const findings = await access.use('pause', maintenanceDatabase, async ({ client }) => {
      await inTransaction(client, async () => {
        for (const statement of [mark, ...statements]) await client.query(statement);
      });
      return await sendAway(client, facts, properties.oid, clock);
    });
    log.info(`Access of others to ${database.name} is paused.`);
    return { note: text, properties, findings, resume };
  } catch (error) {
    await resume().catch(() => undefined);
    throw error;
  }
}

/**
 * For the post step of a run that was killed: does what `resume` of that run would have done, over a connection of its
 * own that no cancellation ends. What is paused no more is left as it is.
 *
 * @param connection to any database of that server
 * @throws BackupError what `connect` throws; ERR_INTERNAL for what is not a note
 */
export async function resumeFromNote(
  text: string,
  connection: ConnectionRequest,
  ports: { clock: Clock; log: Log },
): Promise<void> {
  const note = parsePauseNote(text);
  if (note === undefined) {
    throw new BackupError('ERR_INTERNAL', 'The note of the pause cannot be read', {
      op: 'give access back',
      hint: 'The log of the restore says in SQL how to give access back.',
    });
  }
  const request = { ...connection, dbname: note.maintenanceDatabase };
  await inLastSession(request, ports, (client) => giveBack(client, note, ports.log));
}

/** A pause that is over left the comment of the database without the note, and is not ended again. */
async function giveBack(client: pg.Client, note: PauseNote, log: Log): Promise<void> {
  const name = await databaseName(client, note.oid);
  const present = name === undefined ? undefined : await readProperties(client, name);
  if (name === undefined || present === undefined) {
    log.info(`${note.database} is gone: there is nothing to give access back to.`);
    return;
  }
  if (present.comment !== pausedMark(JSON.stringify(note))) return;
  await inTransaction(client, async () => {
    for (const statement of resumeStatements(note, name)) await client.query(statement);
  });
  log.info(`Access to ${name} is as it was before.`);
}

function tellWayBack(note: PauseNote, log: Log): void {
  const lines = resumeStatements(note, note.database).map((statement) => `  ${statement};`);
  log.info(
    `Access of others to ${note.database} is paused now, and given back in the end. If this run and its post step die both, run this as ${note.revoked.length > 0 ? 'its owner' : 'a superuser'}:\n${lines.join('\n')}`,
  );
}

function mayNotPause({ role, database }: TargetFacts): BackupError {
  return new BackupError(
    'ERR_TARGET_UNFIT',
    `${role.name} does not own the database ${database.name}, so it cannot keep others from writing meanwhile`,
    {
      op: 'pause access',
      hint: 'Connect as its owner or as a superuser; or stop everything that writes, and set `pause-writes: false`.',
    },
  );
}

/** Ends what is there; who is left, and who may come back. */
async function sendAway(client: pg.Client, facts: TargetFacts, oid: number, clock: Clock): Promise<Finding[]> {
  const { database, role } = facts;
  const left = await endOthersFor(client, oid, ENDING_SECONDS, clock);
  const able = await stillAble(client, oid, role.superuser);
  const findings: Finding[] = [];
  if (left.length > 0) {
    findings.push({
      code: 'sessions-not-ended',
      severity: 'warning',
      seen: `These sessions in ${database.name} could not be ended and may still write: ${left.join(', ')}`,
      action: 'Stop them where they come from. What they write after the safety backup is in no backup.',
    });
  }
  if (able.length > 0) {
    findings.push({
      code: 'not-kept-out',
      severity: 'warning',
      seen: `No right can keep these roles out of ${database.name}: ${listWords(able)}`,
      action:
        'Stop what connects as one of them until the restore is over: what it writes after the safety backup is in no backup.',
    });
  }
  return findings;
}

/**
 * Roles that can log in and still connect. The restore's own is one of them, since an application often has the same;
 * a superuser who restores is not, because it is the one role that must be able to.
 */
async function stillAble(client: pg.Client, oid: number, superuser: boolean): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT r.rolname::text AS name FROM pg_catalog.pg_roles r
      WHERE r.rolcanlogin AND pg_catalog.has_database_privilege(r.oid, $1::oid, 'CONNECT')
        AND ${superuser ? 'r.rolsuper' : 'true'} ORDER BY 1`,
    [oid],
  );
  return rows.map(({ name }) => name);
}
