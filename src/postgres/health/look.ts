/** Asks a server everything that a check judges, one short question after the other. */
import type { FactName, HealthFacts } from '../../domain/check/facts.ts';
import type { Looked, Seen } from '../../domain/check/model.ts';
import { readCache, readLockWaits, readReplication, readSessions, readStatements } from './load.ts';
import {
  readAutovacuum,
  readCollations,
  readDeadRows,
  readInstalledExtensions,
  readInvalidIndexes,
  readNotValidated,
  readTableCount,
  readUnlogged,
  readWithoutPrimaryKey,
} from './objects.ts';
import { readConnections, readDatabaseSize, readSlots, readTempFiles } from './room.ts';
import { readSequenceRoom } from './sequences.ts';
import { readAges, readChecksums, readDurability, readPrepared, type ServerContext } from './server.ts';
import { grantMonitor, type HealthSession } from './session.ts';

/** `undefined`: there is nothing of the kind, and so nothing to judge. */
type Read<Name extends FactName> = (
  session: HealthSession,
  context: ServerContext,
) => Promise<HealthFacts[Name] | undefined>;

/** Facts that one question answers. */
const READERS: { readonly [Name in FactName]?: Read<Name> } = {
  connections: readConnections,
  database: readDatabaseSize,
  tempFiles: readTempFiles,
  slots: readSlots,
  sessions: readSessions,
  lockWaits: readLockWaits,
  cache: readCache,
  statements: readStatements,
  replication: readReplication,
  ages: readAges,
  sequences: readSequenceRoom,
  invalidIndexes: readInvalidIndexes,
  notValidated: readNotValidated,
  autovacuum: readAutovacuum,
  deadRows: readDeadRows,
  collations: readCollations,
  checksums: readChecksums,
  extensions: readInstalledExtensions,
  prepared: readPrepared,
  unlogged: readUnlogged,
  durability: readDurability,
  tables: readTableCount,
  withoutPrimaryKey: readWithoutPrimaryKey,
};

const ROUND_TRIPS = 10;
const LATENCY_SECONDS = 30;

/** Throws only when the session or the run is lost for good. */
export async function lookAtHealth(
  session: HealthSession,
  context: ServerContext,
  isWanted: (fact: FactName) => boolean,
): Promise<Looked> {
  const looked: Partial<Record<FactName, Seen<unknown>>> = {};
  for (const [name, read] of Object.entries(READERS) as [FactName, Read<FactName>][]) {
    if (!isWanted(name)) continue;
    const seen = await session.see(() => read(session, context), grantMonitor(context.role));
    if ('hidden' in seen || seen.seen !== undefined) looked[name] = seen;
  }
  const { version, major, isStandby } = context;
  return { ...looked, server: { seen: { version, major, isStandby } } } as Looked;
}

/** Milliseconds of ten round trips. */
export async function measureLatency(session: HealthSession, now: () => number): Promise<HealthFacts['latency']> {
  return await session.lend(async (client) => {
    const milliseconds: number[] = [];
    for (let round = 0; round < ROUND_TRIPS; round += 1) {
      const from = now();
      await client.query('SELECT 1');
      milliseconds.push(now() - from);
    }
    return { milliseconds };
  }, LATENCY_SECONDS);
}
