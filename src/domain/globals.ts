/** Roles out of what `pg_dumpall --globals-only --no-role-passwords` wrote, as statements that are safe to run. */
import type { LeftOut } from './recovery.ts';
import { quoteIdentifier } from './relations.ts';
import { splitStatements } from './sql-script.ts';

export interface RoleStatements {
  /** `CREATE ROLE` and `ALTER ROLE`, in order. None holds a password: nobody can log in by one until it is set. */
  create: string[];
  /** `GRANT role TO role`, to be run after all of them. */
  memberships: string[];
  /** What of these roles is not brought back, or could not be read. */
  ignored: LeftOut[];
}

export interface RoleTarget {
  /** Whether the connecting role is a superuser: others may not give away what they do not have. */
  superuser: boolean;
  major: number;
  /** Roles that are there already. */
  roles: readonly string[];
}

const NAME = '"(?:[^"]|"")+"|[a-z_][a-z0-9_$]*';
const CREATE = new RegExp(`^CREATE ROLE (${NAME})$`);
const ATTRIBUTES = new RegExp(
  `^ALTER ROLE (${NAME}) WITH ([A-Z ]+?)( CONNECTION LIMIT -?\\d+)?( VALID UNTIL '[^'\\\\]*')?$`,
);
/** Plain words and plain literals only; whatever has a backslash in it is not read. */
const SETTING = new RegExp(
  `^ALTER ROLE (${NAME}) SET [a-z_."]+ TO (?:'(?:[^'\\\\]|'')*'|[\\w.-]+)(?:, ?(?:'(?:[^'\\\\]|'')*'|[\\w.-]+))*$`,
  'i',
);
const MEMBERSHIP = new RegExp(`^GRANT (${NAME}) TO (${NAME})(?: WITH ([A-Z, ]+?))?(?: GRANTED BY (?:${NAME}))?$`);
const ABOUT = new RegExp(`^(?:ALTER|COMMENT ON) ROLE (${NAME})[\\s;]`);
const PLAIN_ATTRIBUTES = [
  'INHERIT',
  'NOINHERIT',
  'CREATEROLE',
  'NOCREATEROLE',
  'CREATEDB',
  'NOCREATEDB',
  'LOGIN',
  'NOLOGIN',
];
const SUPERUSERS_ATTRIBUTES = ['SUPERUSER', 'REPLICATION', 'BYPASSRLS'];
const ALWAYS_ALLOWED = SUPERUSERS_ATTRIBUTES.map((attribute) => `NO${attribute}`);
/** `INHERIT` and `SET` of a membership came with 16. */
const MEMBERSHIP_OPTIONS_MAJOR = 16;

/** Names of all roles that the text creates. */
export function creatableRoles(globalsSql: string): string[] {
  return splitStatements(globalsSql).flatMap((statement) => {
    const name = CREATE.exec(statement)?.[1];
    return name === undefined ? [] : [unquote(name)];
  });
}

/**
 * What creates `names`, and the memberships between them and roles that are there. The text is pg_dumpall's own, in
 * which every statement has one of few forms; what has another form is left out and listed, never run.
 */
export function roleStatements(globalsSql: string, names: readonly string[], target: RoleTarget): RoleStatements {
  const result: RoleStatements = { create: [], memberships: [], ignored: [] };
  const wanted = new Set(names);
  for (const statement of splitStatements(globalsSql)) {
    const created = CREATE.exec(statement)?.[1];
    if (created !== undefined) {
      if (!wanted.has(unquote(created))) continue;
      result.create.push(statement);
      // Only members of a role may make it the owner of something; whoever creates a role may join it.
      if (!target.superuser) result.memberships.push(`GRANT ${created} TO CURRENT_USER`);
    } else if (!addMembership(statement, wanted, target, result)) addAboutRole(statement, wanted, target, result);
  }
  return result;
}

function addAboutRole(
  statement: string,
  wanted: ReadonlySet<string>,
  target: RoleTarget,
  result: RoleStatements,
): void {
  const about = ABOUT.exec(`${statement};`)?.[1];
  if (about === undefined || !wanted.has(unquote(about))) return;
  const attributes = ATTRIBUTES.exec(statement);
  if (attributes !== null) {
    result.create.push(alterRole(attributes, target, result));
  } else if (SETTING.test(statement) && target.superuser) {
    result.create.push(statement);
  } else if (statement.startsWith('ALTER ')) {
    const why = SETTING.test(statement)
      ? 'only a superuser may give settings to a role for certain'
      : 'it has a form that is not read';
    result.ignored.push({ what: `a setting of role ${unquote(about)}: ${statement.replaceAll(/\s+/g, ' ')}`, why });
  }
}

/** As recorded; what only a superuser may give is left out where there is none. */
function alterRole(match: RegExpExecArray, { superuser }: RoleTarget, { ignored }: RoleStatements): string {
  const [, name = '', words = '', limit = '', until = ''] = match;
  const kept: string[] = [];
  for (const word of words.split(' ')) {
    const isReserved = SUPERUSERS_ATTRIBUTES.includes(word);
    if (PLAIN_ATTRIBUTES.includes(word) || (isReserved && superuser)) kept.push(word);
    else if (!ALWAYS_ALLOWED.includes(word)) {
      const why = isReserved ? 'only a superuser may give it, and the role of the target is none' : 'it is not known';
      ignored.push({ what: `attribute ${word} of role ${unquote(name)}`, why });
    }
  }
  return `ALTER ROLE ${name} WITH ${kept.join(' ')}${limit}${until}`;
}

/** True when the statement is a membership, whether or not it is taken. */
function addMembership(
  statement: string,
  wanted: ReadonlySet<string>,
  target: RoleTarget,
  { memberships, ignored }: RoleStatements,
): boolean {
  const match = MEMBERSHIP.exec(statement);
  if (match === null) return false;
  const [role = '', member = ''] = match.slice(1, 3).map((name) => unquote(name));
  if (!wanted.has(role) && !wanted.has(member)) return true;
  const what = `membership of ${member} in ${role}`;
  const missing = [role, member].find((name) => !wanted.has(name) && !target.roles.includes(name));
  const existing = [role, member].find((name) => !wanted.has(name));
  if (missing !== undefined) ignored.push({ what, why: `the target has no role ${missing}` });
  else if (existing !== undefined && !target.superuser) {
    ignored.push({ what, why: `only a superuser may change the memberships of ${existing} for certain` });
  } else
    memberships.push(`GRANT ${quoteIdentifier(role)} TO ${quoteIdentifier(member)}${withOptions(match[3], target)}`);
  return true;
}

/** The grantor is left out: it need not exist on the target. */
function withOptions(options: string | undefined, { major }: RoleTarget): string {
  if (options === undefined) return '';
  const known = options
    .split(', ')
    .filter((option) => /^(?:ADMIN (?:OPTION|TRUE)|(?:INHERIT|SET|ADMIN) (?:TRUE|FALSE))$/.test(option));
  if (major >= MEMBERSHIP_OPTIONS_MAJOR) return known.length === 0 ? '' : ` WITH ${known.join(', ')}`;
  return known.some((option) => option === 'ADMIN OPTION' || option === 'ADMIN TRUE') ? ' WITH ADMIN OPTION' : '';
}

function unquote(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}
