/**
 * The proof of a restored backup: rows, sequences, large objects and structure of the restored database, read by our
 * own sessions in one snapshot, held against contents.json. Content and structure are read side by side.
 */
import type pg from 'pg';
import type { Check } from '../domain/checks.ts';
import type { SequenceState } from '../domain/facts.ts';
import type { Finding } from '../domain/findings.ts';
import type { RecoveryPhase } from '../domain/recovery.ts';
import type { CriticalTables } from '../domain/restored-proof/rows.ts';
import type { DatabaseState } from '../domain/restored-proof/state.ts';
import { sequencesToProve } from '../domain/restored-proof/values.ts';
import { judgeRestored } from '../domain/restored-proof.ts';
import { digestLargeObjectRights } from '../postgres/large-object-digest.ts';
import { readCriticalTables, readPartitionRoots, readSequenceValues, readState } from '../postgres/restored-state.ts';
import { enterSnapshot, readContent, withoutLimits } from './prove/content.ts';
import type { RestoredProofParts, SharedSnapshot } from './prove/parts.ts';
import { readStructure } from './prove/structure.ts';

export interface RestoredProof {
  checks: Check[];
  phases: RecoveryPhase[];
  /** As read in the restored database. */
  totals: { tables: number; rows: number; largeObjects: number };
  findings: Finding[];
}

/**
 * Reads the restored database and judges it. What the server refuses to show makes a check partial; only a lost
 * session, a pattern that is wrong (`ERR_PATTERN`) or the signal throws.
 */
export async function proveRestored(given: RestoredProofParts): Promise<RestoredProof> {
  const stop = new AbortController();
  const parts = { ...given, signal: AbortSignal.any([given.signal, stop.signal]) };
  const { access, database, clock } = parts;
  const holder = await access.open('proof snapshot', database);
  try {
    const snapshot = await access.watch(holder, database, exportSnapshot(holder.client));
    const content = timed(clock, 'prove: content', readContent(parts, snapshot));
    const structure = timed(clock, 'prove: structure', readCatalogAndStructure(parts, snapshot));
    const both = [content, structure].map((part) => part.catch((error: unknown) => stop.abort(error)));
    await Promise.all(both);
    const [{ result: read, phase: first }, { result: seen, phase: second }] = await Promise.all([content, structure]);
    const { digests, unread, largeObjects } = read;
    const { checks, findings } = judgeRestored({
      ...parts,
      rows: { digests, unread, roots: seen.roots },
      sequences: seen.sequences,
      ...(largeObjects === undefined ? {} : { largeObjects }),
      critical: seen.critical,
      state: seen.state,
      structure: seen.structure,
    });
    const rows = [...digests.values()].reduce((sum, digest) => sum + digest.rows, 0);
    const count = largeObjects === undefined || largeObjects instanceof Error ? 0 : largeObjects.count;
    return { checks, phases: [first, second], totals: { tables: digests.size, rows, largeObjects: count }, findings };
  } finally {
    await holder.end();
  }
}

async function exportSnapshot(client: pg.Client): Promise<SharedSnapshot> {
  await withoutLimits(client);
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const { rows } = await client.query<SharedSnapshot>('SELECT pg_catalog.pg_export_snapshot() AS id');
  return rows[0] as SharedSnapshot;
}

interface Seen {
  state: DatabaseState;
  roots: ReadonlyMap<string, string>;
  critical: readonly CriticalTables[];
  sequences: ReadonlyMap<string, SequenceState | Error>;
}

async function readCatalogAndStructure(parts: RestoredProofParts, snapshot: SharedSnapshot) {
  const { access, database, contents, plan, criticalTables } = parts;
  const { largeObjectRights, ...seen } = await access.use('proof catalog', database, async ({ client }) => {
    await enterSnapshot(client, snapshot, contents.settings);
    const catalog: Omit<Seen, 'sequences'> = {
      state: await readState(client),
      roots: await readPartitionRoots(client),
      critical: await readCriticalTables(client, criticalTables, contents.database.name),
    };
    const largeObjectRights = await digestLargeObjectRights(client);
    await client.query('ROLLBACK');
    // Outside the transaction: values of sequences are in no snapshot, and a refusal must not end it.
    const sequences = await readSequenceValues(client, sequencesToProve(contents, plan));
    return { largeObjectRights, ...catalog, sequences };
  });
  const { state } = seen;
  return { ...seen, structure: await readStructure(parts, snapshot, { state, largeObjectRights }) };
}

async function timed<T>(
  clock: RestoredProofParts['clock'],
  phase: string,
  work: Promise<T>,
): Promise<{ result: T; phase: RecoveryPhase }> {
  const startedAt = clock.now().getTime();
  const result = await work;
  return { result, phase: { phase, seconds: (clock.now().getTime() - startedAt) / 1000 } };
}
