/** Names of things inside a database. */
import { listWords } from './words.ts';

/** A schema-qualified name, both parts as they are in the catalog (no quoting, any character). */
export interface QualifiedName {
  schema: string;
  name: string;
}

/** A key for maps that no name can forge: names may hold any character but NUL. */
export function relationKey(relation: QualifiedName): string {
  return `${relation.schema}\0${relation.name}`;
}

/** `"schema"."name"`, always quoted: valid SQL whatever the name holds. */
export function quoteQualified(relation: QualifiedName): string {
  return `${quoteIdentifier(relation.schema)}.${quoteIdentifier(relation.name)}`;
}

export function quoteIdentifier(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}

/** For people: quotes only where Postgres would need them. */
export function displayName(relation: QualifiedName): string {
  const plain = (part: string): string => (/^[a-z_][a-z0-9_$]*$/.test(part) ? part : quoteIdentifier(part));
  return `${plain(relation.schema)}.${plain(relation.name)}`;
}

/** `a.b, c.d and 12 more` */
export function listNames(names: readonly QualifiedName[], most?: number): string {
  return listWords(names.map(displayName), most === undefined ? {} : { most });
}
