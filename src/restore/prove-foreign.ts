/** A look at a restored dump that was made by other means: what there is, counted, for a verdict never above partial. */
import type pg from 'pg';
import { BackupError, messageOf } from '../domain/errors.ts';
import type { TableFacts } from '../domain/facts.ts';
import { judgeForeign } from '../domain/restored-proof/foreign.ts';
import { readRelations } from '../postgres/catalog/relations.ts';
import { readTableFacts } from '../postgres/catalog/tables.ts';
import { readCriticalTables, readState } from '../postgres/restored-state.ts';
import { countTableRows } from '../postgres/row-counts.ts';
import { withoutLimits } from './prove/content.ts';
import type { RestoredProofParts } from './prove/parts.ts';
import type { RestoredProof } from './prove.ts';

export type ForeignProofParts = Pick<RestoredProofParts, 'access' | 'database' | 'criticalTables' | 'signal' | 'clock'>;

/** Counts every table in one snapshot. Throws a lost session, `ERR_PATTERN`, or the signal's reason. */
export async function proveForeign(parts: ForeignProofParts): Promise<RestoredProof> {
  const { access, database, criticalTables, signal, clock } = parts;
  const startedAt = clock.now().getTime();
  return await access.use('proof', database, async ({ client }) => {
    await withoutLimits(client);
    // Otherwise counts would silently leave rows out.
    await client.query("SELECT pg_catalog.set_config('row_security', 'off', false)");
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await client.query("SET LOCAL search_path TO ''");
    const state = await readState(client);
    const critical = await readCriticalTables(client, criticalTables, database);
    const facts = await listTables(client);
    const counting = await countTableRows(client, facts, signal).then(() => 'done' as const, asError);
    signal.throwIfAborted();
    const tables = facts.map(({ schema, name, rows }) => ({ schema, name, rows: rows ?? 0 }));
    const { rows } = await client.query<{ count: string }>(
      'SELECT pg_catalog.count(*) FROM pg_catalog.pg_largeobject_metadata',
    );
    await client.query('COMMIT');
    return {
      checks: judgeForeign({ tables, counting, critical, state }),
      phases: [{ phase: 'prove: content', seconds: (clock.now().getTime() - startedAt) / 1000 }],
      totals: {
        tables: tables.length,
        rows: tables.reduce((sum, table) => sum + table.rows, 0),
        largeObjects: Number(rows[0]?.count ?? 0),
      },
      findings: [],
    };
  });
}

/** Tables of users with rows of their own. */
async function listTables(client: pg.Client): Promise<TableFacts[]> {
  const relations = await readRelations(client);
  const chosen = relations.filter(
    ({ kind, schema, ofExtension }) => kind === 'r' && !ofExtension && !/^pg_|^information_schema$/.test(schema),
  );
  const selected = chosen.map((relation) => ({ relation, hasData: true, critical: false }));
  return await readTableFacts(client, selected, relations);
}

/** In the server's own words: those around them speak of a backup's source. */
function asError(error: unknown): Error {
  const cause = error instanceof BackupError ? error.cause : error;
  return cause instanceof Error ? cause : new Error(messageOf(error));
}
