/** Steps of RESTORE.md that make what the archive needs: roles, the database, its schemas. */

import { OBJECT_NAMES } from '../set-layout.ts';
import type { RestoreGuideInput } from './input.ts';
import { type GuideStep, sqlLiteral } from './step.ts';

const MAINTENANCE = `--dbname "\${PGDATABASE:-postgres}"`;

export function creationSteps(input: RestoreGuideInput): GuideStep[] {
  const { scope } = input;
  if (scope.content === 'data') return [];
  return [
    ...roles(input),
    createDatabase(input),
    ...(scope.schemas.length > 0 ? [dropPublic()] : []),
    ...(scope.tables.length > 0 ? [createSchemas()] : []),
  ];
}

function roles(input: RestoreGuideInput): GuideStep[] {
  if (!input.objects.some(({ role }) => role === 'globals')) return [];
  return [
    {
      title: 'Create the roles',
      words: `Errors that a role "already exists" are harmless; so are those about rights that a hosted service does not give.
The file also sets the attributes of roles that exist, so look through it on a server that is shared with others.`,
      commands: [`psql --no-psqlrc --quiet ${MAINTENANCE} --file "$BACKUP_DIR/${OBJECT_NAMES.globals}"`],
    },
  ];
}

/** A name comes in as a variable of psql, which quotes it: no name can break out. */
function createDatabase(input: RestoreGuideInput): GuideStep {
  const { database } = input;
  return {
    title: 'Create the database',
    words: `Empty, from \`template0\`, with the encoding and the collation of the original. If it exists already, this fails, and
nothing is overwritten: choose another name.`,
    commands: [
      `psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set target="$TARGET_DATABASE" ${MAINTENANCE} <<'SQL'`,
      ...providerClause(input),
      'CREATE DATABASE :"target" TEMPLATE template0',
      `  ENCODING ${sqlLiteral(database.encoding)}`,
      `  LC_COLLATE ${sqlLiteral(database.collate)} LC_CTYPE ${sqlLiteral(database.ctype)}`,
      '  :provider;',
      'SQL',
    ],
    notes: [
      `If the server does not know the locale, install it there (Debian: \`dpkg-reconfigure locales\`) or take another one; then
texts sort in another order, and indexes on texts are built for that order.`,
    ],
  };
}

/** LOCALE_PROVIDER came with 15; a server of 13 or 14 knows libc alone. */
function providerClause({ database }: RestoreGuideInput): string[] {
  const locale = database.locale === undefined ? '' : sqlLiteral(database.locale);
  const clauses: Record<string, string> = {
    icu: `LOCALE_PROVIDER icu ICU_LOCALE ${locale}`,
    builtin: `LOCALE_PROVIDER builtin BUILTIN_LOCALE ${locale}`,
  };
  const clause = locale === '' ? undefined : clauses[database.localeProvider];
  if (clause !== undefined) return [`\\set provider ${psqlWord(clause)}`];
  return [
    "SELECT CASE WHEN current_setting('server_version_num')::int >= 150000 THEN 'LOCALE_PROVIDER libc' ELSE '' END AS provider",
    '\\gset',
  ];
}

/** One argument of a backslash command of psql. */
function psqlWord(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** Measured: `pg_dump --schema=public` writes CREATE SCHEMA public, which a new database already has. */
function dropPublic(): GuideStep {
  return {
    title: 'Make room for the schema public',
    words: `A dump of chosen schemas creates each of them, and a new database has \`public\` already. It is still empty, so it can
go.`,
    commands: [
      `if pg_restore --list "$BACKUP_DIR/${OBJECT_NAMES.archive}" | grep -E '^[0-9]+; [0-9]+ [0-9]+ SCHEMA - public ' >/dev/null; then`,
      '  psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --dbname "$target" --command \'DROP SCHEMA public\'',
      'fi',
    ],
  };
}

function createSchemas(): GuideStep {
  return {
    title: 'Create the schemas',
    words: `A dump of chosen tables holds neither their schemas nor types and functions of others that they use. The schemas can
be made from \`contents.json\`; create the rest by hand where the next step misses it.`,
    commands: [
      `jq -r '`,
      String.raw`  def ident: "\"" + gsub("\""; "\"\"") + "\"";`,
      '  [(.tables + .definedOnly)[].schema] | unique[] | "CREATE SCHEMA IF NOT EXISTS \\(ident);"',
      `' "$BACKUP_DIR/${OBJECT_NAMES.contents}" |`,
      '  psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --dbname "$target"',
    ],
  };
}
