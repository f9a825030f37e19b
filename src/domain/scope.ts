/** Which part of a database a backup holds. Patterns are psql's, as pg_dump reads them. */

export type Content = 'all' | 'schema' | 'data';

export interface Scope {
  content: Content;
  schemas: readonly string[];
  excludeSchemas: readonly string[];
  tables: readonly string[];
  excludeTables: readonly string[];
  excludeTableData: readonly string[];
}

/** Everything: nothing chosen, nothing excluded. */
export const WHOLE: Scope = {
  content: 'all',
  schemas: [],
  excludeSchemas: [],
  tables: [],
  excludeTables: [],
  excludeTableData: [],
};

/** True when the dump covers the whole database, large objects and extensions included. */
export function isWholeDatabase(scope: Scope): boolean {
  return scope.schemas.length === 0 && scope.tables.length === 0;
}

/** True when no selection and no exclusion leaves anything of the database out. `content` is another matter. */
export function leavesNothingOut(scope: Scope): boolean {
  const excluded = [...scope.excludeSchemas, ...scope.excludeTables, ...scope.excludeTableData];
  return isWholeDatabase(scope) && excluded.length === 0;
}

/** Whether the archive of this scope holds the large objects: pg_dump leaves them out of selected schemas and tables. */
export function bringsLargeObjects(scope: Scope): boolean {
  return scope.content !== 'schema' && isWholeDatabase(scope);
}
