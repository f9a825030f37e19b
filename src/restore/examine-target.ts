/** What is known of a target before anything is touched there. Reads only. */
import { readFile, statfs } from 'node:fs/promises';
import path from 'node:path';
import type pg from 'pg';
import type { AliveParts } from '../backup/alive.ts';
import { addressOf, lookAtServer, refusedAddresses, stopAtErrors } from '../backup/first-look.ts';
import { ownSessions } from '../backup/sessions.ts';
import type { CommandContext } from '../command.ts';
import { type ConnectionHost, type ConnectionRequest, isUnixSocket } from '../domain/connection.ts';
import { BackupError } from '../domain/errors.ts';
import type { DatabaseFacts } from '../domain/facts.ts';
import { sourceFingerprint } from '../domain/fingerprint.ts';
import { assessPooler } from '../domain/poolers.ts';
import { recogniseProvider } from '../domain/providers.ts';
import { assessWritable } from '../domain/strategy/server.ts';
import { type TargetFacts, targetFingerprint } from '../domain/target.ts';
import { readDatabase, readRoles, readServer } from '../postgres/catalog/database.ts';
import { readSystemIdentifier } from '../postgres/preflight.ts';
import { readSigns } from '../postgres/surroundings.ts';
import {
  hasIcu,
  isReadOnly,
  missingLocales,
  readAvailableExtensions,
  readDatabaseUse,
  readDataDirectory,
  readNeighbourhood,
  readTargetContent,
  readTargetRole,
} from '../postgres/target.ts';
import type { Supervisor } from '../runner/supervisor.ts';
import { TargetAccess } from './access.ts';

export interface ExamineParts {
  context: CommandContext;
  supervisor: Supervisor;
  stallSeconds: number;
  connectWindowSeconds: number;
}

export interface ExaminedTarget {
  facts: TargetFacts;
  access: TargetAccess;
}

/** Where a server is asked for its databases when the one that is named does not exist, or must be left alone. */
const MAINTENANCE = ['postgres', 'defaultdb'];
/** Databases that are tried in vain before the target itself has to do. */
const ATTEMPTS = 4;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '::1']);

/**
 * The database that the URL names may be absent: then `facts.exists` is false, and the server was looked at from the
 * maintenance database. A server that is no place for a restore at all (a transaction pooler, a standby) is refused.
 *
 * @throws BackupError what `connect` throws, ERR_POOLER, ERR_PREFLIGHT, ERR_TARGET_UNFIT, ERR_DUMP_STALLED
 */
export async function examineTarget(request: ConnectionRequest, parts: ExamineParts): Promise<ExaminedTarget> {
  stopAtErrors(refusedAddresses(request));
  const named = ownSessions(request);
  const { look, exists } = await lookWhereItIs(named, parts);
  const { host, evidence, facts: seen } = look;
  const pooler = assessPooler(addressOf(request, host), evidence);
  stopAtErrors([...(pooler === undefined ? [] : [pooler]), ...assessWritable(seen.server)]);
  const connection: ConnectionRequest = { ...named, hosts: [host] };
  const access = new TargetAccess({ connection, ...parts });
  const maintenanceDatabase = await findMaintenance(access, seen.neighbourhood.open, request.dbname, exists);
  const around = await access.use('examine', maintenanceDatabase, async ({ client }) => ({
    readOnly: await isReadOnly(client),
    use: await readDatabaseUse(client, request.dbname),
  }));
  const address = addressOf(request, host);
  const { systemIdentifier } = seen;
  const source = sourceFingerprint({ ...address, ...(systemIdentifier === undefined ? {} : { systemIdentifier }) });
  const provider = recogniseProvider(address.host, seen.signs);
  const freeBytes = await freeSpaceOf(host, seen.data);
  const { databases, leftovers, pause, madeByUs, tablespace } = seen.neighbourhood;
  const { otherSessions, lastingSessions, preparedTransactions } = around.use;
  return {
    access,
    facts: {
      fingerprint: targetFingerprint(address),
      server: seen.server,
      database: exists ? seen.database : { ...seen.database, name: request.dbname, sizeBytes: 0 },
      exists,
      ...(exists ? seen.content : { objects: 0, examples: [], objectsBySchema: [] }),
      source,
      ...(provider === undefined ? {} : { provider }),
      role: seen.role,
      roles: seen.roles,
      availableExtensions: seen.availableExtensions,
      maintenanceDatabase,
      databases,
      leftovers,
      ...(tablespace === undefined ? {} : { tablespace }),
      ...(pause === undefined ? {} : { pause }),
      madeByUs,
      otherSessions,
      lastingSessions,
      preparedTransactions,
      readOnly: { target: seen.readOnly, maintenance: around.readOnly },
      icu: seen.icu,
      ...(freeBytes === undefined ? {} : { freeBytes }),
    },
  };
}

/** Locales of the backup's database that the target's system does not know; to be asked before a database is created. */
export async function findMissingLocales(
  access: TargetAccess,
  facts: TargetFacts,
  recorded: Pick<DatabaseFacts, 'collate' | 'ctype'>,
): Promise<string[]> {
  return await access.use('examine', facts.maintenanceDatabase, ({ client }) =>
    missingLocales(client, [recorded.collate, recorded.ctype]),
  );
}

async function lookWhereItIs(connection: ConnectionRequest, parts: ExamineParts) {
  const alive = (dbname: string): AliveParts => ({ ...parts, connection: { ...connection, dbname } });
  const read = (client: pg.Client) => readSeen(client, connection.dbname);
  let missing: unknown;
  for (const dbname of [connection.dbname, ...MAINTENANCE, 'template1']) {
    try {
      return { look: await lookAtServer('examine', alive(dbname), read), exists: dbname === connection.dbname };
    } catch (error) {
      const absent = error instanceof BackupError && error.code === 'ERR_DATABASE_MISSING';
      // Another database may keep this role out; that the one that was asked for is missing is what matters then.
      if (!absent && missing === undefined) throw error;
      missing ??= error;
    }
  }
  throw missing;
}

async function readSeen(client: pg.Client, target: string) {
  const server = await readServer(client);
  return {
    server,
    systemIdentifier: await readSystemIdentifier(client),
    signs: await readSigns(client),
    database: await readDatabase(client, server.major),
    content: await readTargetContent(client),
    role: await readTargetRole(client, target),
    roles: await readRoles(client),
    availableExtensions: await readAvailableExtensions(client),
    neighbourhood: await readNeighbourhood(client, target),
    readOnly: await isReadOnly(client),
    icu: await hasIcu(client),
    data: await readDataDirectory(client),
  };
}

/**
 * A session in template1 keeps everybody from creating databases, so it comes last; the target itself serves only where
 * the server has nothing else for this role. The choice is the same for every run, since locks are held there.
 */
async function findMaintenance(
  access: TargetAccess,
  open: readonly string[],
  target: string,
  exists: boolean,
): Promise<string> {
  const others = open.filter((name) => name !== target && !name.startsWith('template'));
  const wanted = [...MAINTENANCE, ...others, 'template1'].filter((name) => name !== target && open.includes(name));
  for (const name of [...new Set(wanted)].slice(0, ATTEMPTS)) {
    if (await letsIn(access, name)) return name;
  }
  if (exists) return target;
  throw new BackupError('ERR_TARGET_UNFIT', `No database of the server lets this role in beside ${target}`, {
    op: 'examine the target',
    hint: 'Grant the role CONNECT on `postgres`, or create the database by hand and name it in `target-database-url`.',
  });
}

/** pg_hba.conf may keep a role out of a database that it has every right to. */
async function letsIn(access: TargetAccess, database: string): Promise<boolean> {
  try {
    await (await access.open('examine', database)).end();
    return true;
  } catch (error) {
    const kept = error instanceof BackupError && ['ERR_AUTH', 'ERR_DATABASE_MISSING'].includes(error.code);
    if (kept) return false;
    throw error;
  }
}

/**
 * A port of this machine may lead into a container, whose paths mean nothing here. The server is here if the file that
 * it keeps in its data folder names that very port.
 */
async function freeSpaceOf(
  host: ConnectionHost,
  data: { folder: string; port: string } | undefined,
): Promise<number | undefined> {
  const near = isUnixSocket(host) || LOOPBACK.has(host.hostaddr ?? host.host);
  if (!near || data === undefined || !path.isAbsolute(data.folder)) return undefined;
  try {
    const lines = (await readFile(path.join(data.folder, 'postmaster.pid'), 'utf8')).split('\n');
    if (lines[3]?.trim() !== data.port || Number(data.port) !== host.port) return undefined;
    const { bavail, bsize } = await statfs(data.folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}
