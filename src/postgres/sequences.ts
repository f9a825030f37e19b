/** Sequences: their definitions from the catalog, their values from themselves. Values live outside snapshots. */
import type pg from 'pg';
import type { SequenceFacts, SequenceState } from '../domain/facts.ts';
import { type QualifiedName, quoteQualified } from '../domain/relations.ts';
import type { Relation } from './catalog/relations.ts';
import { isServerAnswer } from './session.ts';

/** Sequences read by one statement: a long UNION ALL costs the planner more than round trips. */
const BATCH = 200;

/** Definition and value of each. Throws the server's error when one is gone or must not be read. */
export async function readSequences(client: pg.Client, sequences: readonly Relation[]): Promise<SequenceFacts[]> {
  const { rows } = await client.query<{ oid: number; increment: string; cycles: boolean }>(
    `SELECT s.seqrelid AS oid, s.seqincrement::text AS increment, s.seqcycle AS cycles
       FROM pg_catalog.pg_sequence s WHERE s.seqrelid = ANY ($1::oid[])`,
    [sequences.map(({ oid }) => oid)],
  );
  const definitions = new Map(rows.map((row) => [row.oid, row]));
  const states = await readStates(client, sequences);
  return sequences.flatMap(({ oid, schema, name }, index) => {
    const definition = definitions.get(oid);
    const before = states[index];
    if (definition === undefined || before === undefined) return [];
    return [{ oid, schema, name, increment: definition.increment, cycles: definition.cycles, before }];
  });
}

/** Values in the order of `sequences`. Throws the server's error. */
async function readStates(client: pg.Client, sequences: readonly QualifiedName[]): Promise<SequenceState[]> {
  const states: SequenceState[] = [];
  for (let from = 0; from < sequences.length; from += BATCH) {
    states.push(...(await readBatch(client, sequences.slice(from, from + BATCH))));
  }
  return states;
}

async function readBatch(client: pg.Client, sequences: readonly QualifiedName[]): Promise<SequenceState[]> {
  const selects = sequences.map(
    (sequence, index) =>
      `SELECT ${index} AS i, last_value::text AS "lastValue", is_called AS "isCalled" FROM ${quoteQualified(sequence)}`,
  );
  const { rows } = await client.query<SequenceState>(`${selects.join('\nUNION ALL ')}\nORDER BY 1`);
  return rows.map(({ lastValue, isCalled }) => ({ lastValue, isCalled }));
}

/**
 * Reads all values again and fills `after`; a sequence that cannot be read keeps none. Must run inside a transaction,
 * which survives the server's errors through savepoints. Throws only when the session itself is gone.
 */
export async function readSequencesAgain(client: pg.Client, sequences: readonly SequenceFacts[]): Promise<void> {
  for (let from = 0; from < sequences.length; from += BATCH) {
    const batch = sequences.slice(from, from + BATCH);
    if (await fillAfter(client, batch)) continue;
    for (const sequence of batch) await fillAfter(client, [sequence]);
  }
}

async function fillAfter(client: pg.Client, batch: readonly SequenceFacts[]): Promise<boolean> {
  await client.query('SAVEPOINT sequences');
  try {
    const states = await readBatch(client, batch);
    batch.forEach((sequence, index) => {
      const state = states[index];
      if (state !== undefined) sequence.after = state;
    });
    await client.query('RELEASE SAVEPOINT sequences');
    return true;
  } catch (error) {
    if (!isServerAnswer(error)) throw error;
    await client.query('ROLLBACK TO SAVEPOINT sequences');
    return false;
  }
}
