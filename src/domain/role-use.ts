/** Roles that the SQL of single entries names: rights, default rights and policies, which the list says nothing of. */
import { splitStatements } from './sql-script.ts';

/** Types whose SQL names roles besides the owner. */
export const NAMES_ROLES = ['ACL', 'DEFAULT ACL', 'POLICY', 'USER MAPPING'] as const;

/** What each entry names, by dump id; entries without any are absent. */
export type RoleUse = ReadonlyMap<number, readonly string[]>;

/** Words that stand where a role may stand. */
const NO_ROLES = ['PUBLIC', 'CURRENT_USER', 'SESSION_USER', 'CURRENT_ROLE'];
const NAME = '"(?:[^"]|"")+"|[^\\s",;()]+';
const NAMES = `(?:${NAME})(?:, (?:${NAME}))*`;
/**
 * As `buildACLCommands`, `buildDefaultACLCommands`, `dumpPolicy` and `dumpUserMappings` of pg_dump write them. What is
 * granted ON may hold anything in quotes, so the last TO or FROM of a statement counts.
 */
const STATEMENTS = [
  new RegExp(`^(?:ALTER DEFAULT PRIVILEGES .*)?GRANT .* TO (${NAMES})(?: WITH GRANT OPTION)?$`, 's'),
  new RegExp(`^(?:ALTER DEFAULT PRIVILEGES .*)?REVOKE .* FROM (${NAMES})$`, 's'),
  new RegExp(`^ALTER DEFAULT PRIVILEGES FOR ROLE (${NAME}) `, 's'),
  new RegExp(`^SET SESSION AUTHORIZATION (${NAME})$`, 's'),
  new RegExp(
    `^CREATE POLICY (?:${NAME}) ON (?:${NAME}|\\.)+ (?:AS RESTRICTIVE )?(?:FOR [A-Z]+ )?TO (${NAMES})(?: |$)`,
    's',
  ),
  new RegExp(`^CREATE USER MAPPING FOR (${NAME}) SERVER `, 's'),
];

/**
 * Reads what `pg_restore --verbose --file=-` prints for entries of {@link NAMES_ROLES}. A role that stands in a form
 * that is not known is not found; its statement then fails in words of Postgres.
 */
export function rolesNamed(sql: string): RoleUse {
  const use = new Map<number, string[]>();
  const parts = sql.split(/^-- TOC entry (\d+) \(class \d+ OID \d+\)$/m);
  for (let at = 1; at < parts.length; at += 2) {
    const roles = splitStatements(parts[at + 1] ?? '').flatMap(rolesOf);
    if (roles.length > 0) use.set(Number(parts[at]), [...new Set(roles)]);
  }
  return use;
}

function rolesOf(statement: string): string[] {
  const lists = STATEMENTS.flatMap((form) => form.exec(statement)?.[1] ?? []);
  return lists
    .flatMap((list) => [...list.matchAll(new RegExp(NAME, 'g'))].map(([name]) => name))
    .filter((name) => !NO_ROLES.includes(name))
    .map((name) => (name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name));
}
