/** The schemas that go, and the schema public as a new database has it. */

import type { CatalogObject, DropFacts } from '../drop-plan.ts';
import { quoteIdentifier } from '../relations.ts';

/** First major whose schema public belongs to the owner of the database, and lets nobody else create in it. */
const FIRST_WITH_DATABASE_OWNER = 15;

export function schemaStatements(
  schemas: readonly CatalogObject[],
  facts: Pick<DropFacts, 'major' | 'publicOwner'>,
  createsPublic: boolean,
): string[] {
  if (schemas.length === 0) return [];
  const drop = `DROP SCHEMA ${schemas.map(({ identity }) => identity).join(', ')} CASCADE`;
  return schemas.some(({ name }) => name === 'public') && !createsPublic ? [drop, ...newPublic(facts)] : [drop];
}

/** What initdb makes, so that pg_dump finds nothing of it worth a line (`getNamespaces`: "predetermined default"). */
function newPublic({ major, publicOwner }: Pick<DropFacts, 'major' | 'publicOwner'>): string[] {
  const modern = major >= FIRST_WITH_DATABASE_OWNER;
  const owner = modern ? 'pg_database_owner' : publicOwner;
  return [
    `CREATE SCHEMA public${owner === undefined ? '' : ` AUTHORIZATION ${quoteIdentifier(owner)}`}`,
    `GRANT ${modern ? 'USAGE' : 'ALL'} ON SCHEMA public TO PUBLIC`,
    "COMMENT ON SCHEMA public IS 'standard public schema'",
  ];
}
