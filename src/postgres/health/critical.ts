/** Looks into critical tables: how many rows, and how old the newest is. The only question of a check that reads rows. */

import { type CriticalRule, parseCriticalRule } from '../../domain/check/critical-rule.ts';
import type { CriticalFacts, CriticalTable } from '../../domain/check/facts.ts';
import { parseTablePattern } from '../../domain/name-pattern.ts';
import { type QualifiedName, quoteIdentifier, quoteQualified } from '../../domain/relations.ts';
import { matchPatterns } from '../catalog/patterns.ts';
import type { HealthSession } from './session.ts';

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
  const seen = await session.see(async (): Promise<CriticalTable> => {
    const from = exact ? table : `(SELECT FROM ${table} LIMIT ${least}) AS enough`;
    const [row] = await session.ask<{ rows: number }>(`SELECT count(*)::float8 AS rows FROM ${from}`, {
      seconds: COUNT_SECONDS,
    });
    const rows = row?.rows ?? 0;
    if (newest === undefined) return { schema, name, rows };
    const [age] = await session.ask<{ seconds: number | null }>(
      `SELECT extract(epoch FROM clock_timestamp() - max(${quoteIdentifier(newest.column)}))::float8 AS seconds FROM ${table}`,
      { seconds: COUNT_SECONDS },
    );
    return { schema, name, rows, newestSeconds: age?.seconds ?? null };
  }, '');
  return 'seen' in seen ? seen.seen : { schema, name, rows: 0, hidden: seen.hidden };
}
