/** What belongs to a database as a whole and is not in it: owner, rights, comment, settings, limit of connections. */
import { quoteIdentifier } from './relations.ts';
import { sqlLiteral } from './restore-guide/step.ts';

/** One right of one role. */
export interface DatabaseGrant {
  /** Absent: PUBLIC. */
  grantee?: string;
  privilege: string;
  grantor: string;
  grantable: boolean;
}

/** `ALTER DATABASE … SET`, or `ALTER ROLE … IN DATABASE … SET`. */
export interface DatabaseSetting {
  /** Absent: for everybody. */
  role?: string;
  name: string;
  /** As pg_db_role_setting keeps it. */
  value: string;
}

export interface DatabaseProperties {
  oid: number;
  name: string;
  owner: string;
  /** All of them, those of a list that was never touched too. */
  grants: readonly DatabaseGrant[];
  comment?: string;
  settings: readonly DatabaseSetting[];
  /** -1: none. */
  connectionLimit: number;
}

export interface PropertyStatement {
  /** For words: `the setting work_mem`. */
  what: string;
  sql: string;
  /** The role that has to say it; absent: whoever is connected. */
  as?: string;
  /** Without it the copy must not take the original's place: who may enter, and who owns it. */
  essential: boolean;
}

/** Gives the database `name`, which is as `from`, the properties `to`. Its OID and name stay its own. */
export function propertyStatements(
  name: string,
  from: DatabaseProperties,
  to: DatabaseProperties,
): PropertyStatement[] {
  const database = quoteIdentifier(name);
  const statement = (what: string, sql: string): PropertyStatement => ({ what, sql, essential: false });
  return [
    ...from.settings
      .filter((old) => !to.settings.some((one) => one.role === old.role && one.name === old.name))
      .map((old) =>
        statement(`the setting ${old.name}`, `${alter(database, old.role)} RESET ${settingName(old.name)}`),
      ),
    ...to.settings.map((one) => statement(`the setting ${one.name}`, setSql(database, one))),
    statement(
      'the comment',
      `COMMENT ON DATABASE ${database} IS ${to.comment === undefined ? 'NULL' : sqlLiteral(to.comment)}`,
    ),
    statement('the limit of connections', `ALTER DATABASE ${database} CONNECTION LIMIT ${to.connectionLimit}`),
    ...(from.owner === to.owner
      ? []
      : [
          {
            what: `the owner ${to.owner}`,
            sql: `ALTER DATABASE ${database} OWNER TO ${quoteIdentifier(to.owner)}`,
            essential: true,
          },
        ]),
    // An owner's rights go to the new owner with the database.
    ...grantStatements(
      name,
      from.grants.map((grant) => handedOver(grant, from.owner, to.owner)),
      to,
    ),
  ];
}

function handedOver(grant: DatabaseGrant, from: string, to: string): DatabaseGrant {
  return {
    ...grant,
    ...(grant.grantee === from ? { grantee: to } : {}),
    grantor: grant.grantor === from ? to : grant.grantor,
  };
}

/** From one list of rights to another; first what goes, then what comes, grants of the owner before those of others. */
function grantStatements(
  name: string,
  from: readonly DatabaseGrant[],
  to: Pick<DatabaseProperties, 'grants' | 'owner'>,
): PropertyStatement[] {
  const database = quoteIdentifier(name);
  const gone = from.filter((grant) => !to.grants.some((other) => sameGrant(grant, other)));
  const come = to.grants.filter((grant) => !from.some((other) => sameGrant(grant, other)));
  const by = ({ grantor }: DatabaseGrant) => (grantor === to.owner ? {} : { as: grantor });
  return [
    ...gone.map((grant) => ({
      what: `${grant.privilege} of ${granteeWords(grant)}`,
      sql: `REVOKE ${grant.privilege} ON DATABASE ${database} FROM ${granteeSql(grant)}`,
      essential: true,
      ...by(grant),
    })),
    ...come
      .toSorted((left, right) => Number(left.grantor !== to.owner) - Number(right.grantor !== to.owner))
      .map((grant) => ({
        what: `${grant.privilege} for ${granteeWords(grant)}`,
        sql: `GRANT ${grant.privilege} ON DATABASE ${database} TO ${granteeSql(grant)}${grant.grantable ? ' WITH GRANT OPTION' : ''}`,
        essential: true,
        ...by(grant),
      })),
  ];
}

function sameGrant(left: DatabaseGrant, right: DatabaseGrant): boolean {
  return (
    left.grantee === right.grantee &&
    left.privilege === right.privilege &&
    left.grantor === right.grantor &&
    left.grantable === right.grantable
  );
}

export function granteeSql({ grantee }: DatabaseGrant): string {
  return grantee === undefined ? 'PUBLIC' : quoteIdentifier(grantee);
}

function granteeWords({ grantee }: DatabaseGrant): string {
  return grantee ?? 'everybody';
}

function alter(database: string, role: string | undefined): string {
  return role === undefined
    ? `ALTER DATABASE ${database}`
    : `ALTER ROLE ${quoteIdentifier(role)} IN DATABASE ${database}`;
}

/** Settings whose value is a list of names, each quoted by itself: `variable_is_guc_list_quote` of pg_dump. */
const LISTS_OF_NAMES = new Set([
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
]);

function setSql(database: string, { role, name, value }: DatabaseSetting): string {
  const values = LISTS_OF_NAMES.has(name.toLowerCase()) ? namesOfList(value) : [value];
  const text = values.length === 0 ? "''" : values.map(sqlLiteral).join(', ');
  return `${alter(database, role)} SET ${settingName(name)} TO ${text}`;
}

/** A setting of an extension has a dot in its name. */
function settingName(name: string): string {
  return name.split('.').map(quoteIdentifier).join('.');
}

/** `"$user", public`: names with commas or quotes stand in double quotes. */
function namesOfList(value: string): string[] {
  return [...value.matchAll(/"((?:[^"]|"")*)"|([^\s,][^,]*)/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '').trim() : quoted.replaceAll('""', '"'),
  );
}
