/** What the role may not read, and the statement that grants it. */
import type { Finding } from '../findings.ts';
import { listNames, type QualifiedName, quoteIdentifier } from '../relations.ts';
import { countOf, listWords } from '../words.ts';

/** Of everything that the scope selects. */
export interface RightsFacts {
  role: string;
  /** Tables with data whose row-level security applies to the role. */
  rowSecured: QualifiedName[];
  /** Schemas without USAGE. */
  schemas: string[];
  /** Tables without SELECT. */
  tables: QualifiedName[];
  /** Sequences without SELECT. */
  sequences: QualifiedName[];
  largeObjects: {
    /** In the database, selected or not. */
    total: number;
    /** Selected and without SELECT. */
    unreadable: number;
    /** The first of the unreadable ones. */
    sample: number[];
  };
}

export function assessRights(rights: RightsFacts, major: number): Finding[] {
  return [...assessRowSecurity(rights), ...assessReading(rights, major), ...assessLargeObjects(rights)];
}

function assessRowSecurity({ role, rowSecured }: RightsFacts): Finding[] {
  if (rowSecured.length === 0) return [];
  return [
    {
      code: 'row-level-security',
      severity: 'error',
      seen: `Row-level security hides rows from the role \`${role}\` in ${countOf(rowSecured.length, 'table')}: ${listNames(rowSecured)}`,
      action: `As a superuser run \`ALTER ROLE ${quoteIdentifier(role)} BYPASSRLS;\`, or connect as a role that has it or owns these tables (on Supabase: \`postgres\`).`,
    },
  ];
}

function assessReading({ role, schemas, tables, sequences }: RightsFacts, major: number): Finding[] {
  const name = quoteIdentifier(role);
  const grants = (inSchema: string): string =>
    major >= 14
      ? `Run \`GRANT pg_read_all_data TO ${name};\`. Where the provider lets nobody do that, docs/permissions.md has the grants one by one.`
      : `Run \`${inSchema}\`.`;
  const finding = (code: string, seen: string, action: string): Finding => ({ code, severity: 'error', seen, action });
  const found: Finding[] = [];
  if (schemas.length > 0) {
    const all = schemas.map(quoteIdentifier).join(', ');
    found.push(
      finding(
        'schema-not-usable',
        `The role \`${role}\` may not use ${countOf(schemas.length, 'schema')} in scope: ${listWords(schemas)}`,
        grants(`GRANT USAGE ON SCHEMA ${all} TO ${name};`),
      ),
    );
  }
  if (tables.length > 0) {
    found.push(
      finding(
        'table-not-readable',
        `The role \`${role}\` may not read ${countOf(tables.length, 'table')} in scope: ${listNames(tables)}`,
        grants(`GRANT SELECT ON ALL TABLES IN SCHEMA ${schemasOf(tables)} TO ${name};`),
      ),
    );
  }
  if (sequences.length > 0) {
    found.push(
      finding(
        'sequence-not-readable',
        `The role \`${role}\` may not read ${countOf(sequences.length, 'sequence')} in scope: ${listNames(sequences)}`,
        grants(`GRANT SELECT ON ALL SEQUENCES IN SCHEMA ${schemasOf(sequences)} TO ${name};`),
      ),
    );
  }
  return found;
}

/** Measured on 14 to 18: `pg_read_all_data` does not cover large objects. */
function assessLargeObjects({ role, largeObjects }: RightsFacts): Finding[] {
  const { unreadable, sample } = largeObjects;
  if (unreadable === 0) return [];
  return [
    {
      code: 'large-object-not-readable',
      severity: 'error',
      seen: `The role \`${role}\` may not read ${countOf(unreadable, 'large object')}: ${listWords(sample.map(String), { all: unreadable })}`,
      action: `As their owner or a superuser run \`DO $$ DECLARE o oid; BEGIN FOR o IN SELECT oid FROM pg_largeobject_metadata LOOP EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO %I', o, '${role.replaceAll("'", "''")}'); END LOOP; END $$;\`; \`pg_read_all_data\` does not cover them.`,
    },
  ];
}

function schemasOf(names: readonly QualifiedName[]): string {
  return [...new Set(names.map(({ schema }) => schema))].map(quoteIdentifier).join(', ');
}
