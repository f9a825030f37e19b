/** Looks into critical tables: how many rows, and how old the newest is. The only question of a check that reads rows. */

import { type CriticalRule, parseCriticalRule } from '../../domain/check/critical-rule.ts';
import type { CriticalFacts, CriticalTable } from '../../domain/check/facts.ts';
import { parseTablePattern } from '../../domain/name-pattern.ts';
import { type QualifiedName, quoteIdentifier, quoteQualified } from '../../domain/relations.ts';
import { matchPatterns } from '../catalog/patterns.ts';
import { type HealthSession, unlessMistaken } from './session.ts';

/** Counting all rows of a large table takes its time; what takes longer is not run. */
const COUNT_SECONDS = 60;

export interface CriticalRequest {
  /** Lines of `critical-tables`. */
  rules: readonly string[];
  /** Every row is counted, for the comparison with a backup; otherwise no more than the rule needs. */
  exact: boolean;
}

/** Throws `ERR_PATTERN`, and when the session is lost for good. */
export async function readCritical(
  session: HealthSession,
  { rules, exact }: CriticalRequest,
): Promise<CriticalFacts[]> {
  const parsed = rules.map(parseCriticalRule);
  const found = await resolve(session, parsed);
  const facts: CriticalFacts[] = [];
  for (const [index, rule] of rules.entries()) {
    const tables: CriticalTable[] = [];
    for (const table of found[index] ?? [])
      tables.push(await lookInto(session, table, parsed[index] as CriticalRule, exact));
    facts.push({ rule, tables });
  }
  return facts;
}

/** Tables of each rule, as pg_dump would find them. */
async function resolve(session: HealthSession, rules: readonly CriticalRule[]): Promise<QualifiedName[][]> {
  return await session.transaction(async (client) => {
    const patterns = rules.map(({ pattern }) => ({
      input: 'critical-tables' as const,
      pattern: parseTablePattern(pattern),
    }));
    const found = await matchPatterns(client, patterns);
    const { rows } = await client.query<QualifiedName & { oid: number }>(
      `SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'm', 'f') AND c.oid = ANY ($1::pg_catalog.oid[]) ORDER BY 2, 3`,
      [found.flatMap((oids) => [...oids])],
    );
    return found.map((oids) => rows.filter(({ oid }) => oids.has(oid)).map(({ schema, name }) => ({ schema, name })));
  });
}

async function lookInto(
  session: HealthSession,
  { schema, name }: QualifiedName,
  { least = 1, newest }: CriticalRule,
  exact: boolean,
): Promise<CriticalTable> {
  const table = quoteQualified({ schema, name });
  const from = exact ? table : `(SELECT FROM ${table} LIMIT ${least}) AS enough`;
  const counted = await session.see(
    async () =>
      (
        await session.ask<{ rows: number }>(`SELECT count(*)::float8 AS rows FROM ${from}`, { seconds: COUNT_SECONDS })
      )[0],
    '',
  );
  if ('hidden' in counted) return { schema, name, rows: 0, hidden: counted.hidden };
  const rows = counted.seen?.rows ?? 0;
  if (newest === undefined) return { schema, name, rows };
  return { schema, name, rows, ...(await ageOf(session, table, newest.column)) };
}

async function ageOf(
  session: HealthSession,
  table: string,
  column: string,
): Promise<Pick<CriticalTable, 'newestSeconds' | 'hidden' | 'mistake'>> {
  const sql = `SELECT extract(epoch FROM clock_timestamp() - max(${quoteIdentifier(column)}))::float8 AS seconds FROM ${table}`;
  const seen = await session.see(
    () => unlessMistaken(() => session.ask<{ seconds: number | null }>(sql, { seconds: COUNT_SECONDS })),
    '',
  );
  if ('hidden' in seen) return { hidden: seen.hidden };
  return 'mistake' in seen.seen ? seen.seen : { newestSeconds: seen.seen[0]?.seconds ?? null };
}
