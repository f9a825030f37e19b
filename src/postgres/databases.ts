/** Databases as a whole: made, marked, dropped, and their properties read and given to another. */
import pg from 'pg';
import {
  type DatabaseGrant,
  type DatabaseProperties,
  type DatabaseSetting,
  type PropertyStatement,
  propertyStatements,
} from '../domain/database-properties.ts';
import { BackupError, messageOf } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { quoteIdentifier } from '../domain/relations.ts';
import { copyMark } from '../domain/restore-mark.ts';
import type { CreationPlan } from '../domain/strategy/creation.ts';
import { isServerAnswer, sqlState } from './session.ts';

/** Runs `body` in one transaction, which neither a timeout nor an idle moment ends. */
export async function inTransaction<T>(client: pg.Client, body: () => Promise<T>): Promise<T> {
  await client.query('BEGIN');
  try {
    await client.query('SET LOCAL statement_timeout = 0');
    await client.query('SET LOCAL idle_in_transaction_session_timeout = 0');
    const result = await body();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // A dead session says so in the error that is on its way.
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/**
 * Creates a database that nobody can enter until it is marked and PUBLIC's right to connect is gone, so that only its
 * owner, members of that and superusers ever see it before {@link finishDatabase}. When it throws, there is none.
 *
 * @param client a session in another database
 * @throws BackupError ERR_TARGET_UNFIT
 */
export async function createDatabase(client: pg.Client, { name, sql, mark }: CreationPlan): Promise<void> {
  const database = quoteIdentifier(name);
  try {
    await client.query(sql);
  } catch (error) {
    throw isServerAnswer(error) ? uncreated(name, error) : error;
  }
  try {
    await inTransaction(client, async () => {
      await client.query(`REVOKE CONNECT ON DATABASE ${database} FROM PUBLIC`);
      await client.query(`COMMENT ON DATABASE ${database} IS ${pg.escapeLiteral(mark)}`);
      await client.query(`ALTER DATABASE ${database} WITH ALLOW_CONNECTIONS true CONNECTION LIMIT -1`);
    });
  } catch (error) {
    await dropDatabase(client, name).catch(() => undefined);
    throw error;
  }
}

const REMEDIES: Readonly<Record<string, string>> = {
  '42501': 'Give the role CREATEDB, or use `strategy: in-place`.',
  '42P04': 'Run the restore again: it then takes another name.',
  '53100': 'Make room on the server, or restore on another one.',
};

function uncreated(name: string, cause: unknown): BackupError {
  return new BackupError('ERR_TARGET_UNFIT', `The database ${name} could not be created: ${messageOf(cause)}`, {
    op: 'create the database',
    hint: `${REMEDIES[sqlState(cause) ?? ''] ?? 'Let the server offer what the message names, or create an empty database by hand and restore into it with `strategy: in-place`.'} Nothing else was touched.`,
    cause,
  });
}

/** Everybody's usual rights, and a comment that says where it came from. */
export async function finishDatabase(client: pg.Client, name: string, backupId: string): Promise<void> {
  await inTransaction(client, async () => {
    await client.query(`GRANT CONNECT ON DATABASE ${quoteIdentifier(name)} TO PUBLIC`);
    await client.query(`COMMENT ON DATABASE ${quoteIdentifier(name)} IS ${pg.escapeLiteral(copyMark(backupId))}`);
  });
}

/** Ends sessions in it first. Nothing happens when there is none. */
export async function dropDatabase(client: pg.Client, name: string): Promise<void> {
  await client.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)} WITH (FORCE)`);
}

/** The present name of the database with that OID; `undefined` when it is gone. */
export async function databaseName(client: pg.Client, oid: number): Promise<string | undefined> {
  const { rows } = await client.query<{ name: string }>(
    'SELECT datname::text AS name FROM pg_catalog.pg_database WHERE oid = $1',
    [oid],
  );
  return rows[0]?.name;
}

/** `undefined` when there is no such database. */
export async function readProperties(client: pg.Client, name: string): Promise<DatabaseProperties | undefined> {
  const { rows } = await client.query<{ oid: number; owner: string; limit: number; comment: string | null }>(
    `SELECT d.oid, pg_catalog.pg_get_userbyid(d.datdba)::text AS owner, d.datconnlimit AS "limit",
            pg_catalog.shobj_description(d.oid, 'pg_database') AS comment
       FROM pg_catalog.pg_database d WHERE d.datname = $1`,
    [name],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  const { oid, owner, limit, comment } = row;
  return {
    oid,
    name,
    owner,
    connectionLimit: limit,
    ...(comment === null ? {} : { comment }),
    grants: await readGrants(client, oid),
    settings: await readSettings(client, oid),
  };
}

async function readGrants(client: pg.Client, oid: number): Promise<DatabaseGrant[]> {
  const { rows } = await client.query<Omit<DatabaseGrant, 'grantee'> & { grantee: string | null }>(
    `SELECT CASE WHEN a.grantee <> 0 THEN pg_catalog.pg_get_userbyid(a.grantee)::text END AS grantee,
            a.privilege_type AS privilege, pg_catalog.pg_get_userbyid(a.grantor)::text AS grantor, a.is_grantable AS grantable
       FROM pg_catalog.pg_database d,
            pg_catalog.aclexplode(COALESCE(d.datacl, pg_catalog.acldefault('d', d.datdba))) WITH ORDINALITY
              AS a(grantor, grantee, privilege_type, is_grantable, position)
      WHERE d.oid = $1 ORDER BY a.position`,
    [oid],
  );
  return rows.map(({ grantee, ...grant }) => ({ ...(grantee === null ? {} : { grantee }), ...grant }));
}

async function readSettings(client: pg.Client, oid: number): Promise<DatabaseSetting[]> {
  const { rows } = await client.query<{ role: string | null; setting: string }>(
    `SELECT r.rolname::text AS role, c.setting FROM pg_catalog.pg_db_role_setting s
       LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole, pg_catalog.unnest(s.setconfig) WITH ORDINALITY AS c(setting, position)
      WHERE s.setdatabase = $1 ORDER BY r.rolname NULLS FIRST, c.position`,
    [oid],
  );
  return rows.map(({ role, setting }) => {
    const equals = setting.indexOf('=');
    return {
      ...(role === null ? {} : { role }),
      name: setting.slice(0, equals),
      value: setting.slice(equals + 1),
    };
  });
}

/**
 * Gives a database the properties of another, inside the caller's transaction. What only a superuser may give (a
 * setting, a grant in another's name) and this role may not is left out and told; owner and access must be given.
 */
export async function applyProperties(client: pg.Client, name: string, wanted: DatabaseProperties): Promise<Finding[]> {
  const present = await readProperties(client, name);
  if (present === undefined) throw new Error(`There is no database ${name} any more`);
  const findings: Finding[] = [];
  for (const statement of propertyStatements(name, present, wanted)) {
    const refusal = await attempt(client, statement);
    if (refusal === undefined) continue;
    const { what, sql, as, essential } = statement;
    // Another grantor's name is a nicety; the right itself is not.
    if (as !== undefined && (await attempt(client, { what, sql, essential })) === undefined) continue;
    if (essential) throw refusal;
    findings.push({
      code: 'property-left-out',
      severity: 'warning',
      seen: `${what} of the former database could not be given to the restored one: ${messageOf(refusal)}`,
      action: `As a superuser run \`${sql};\``,
    });
  }
  return findings;
}

/** The server's refusal, after which the transaction goes on. */
async function attempt(client: pg.Client, { sql, as }: PropertyStatement): Promise<Error | undefined> {
  await client.query('SAVEPOINT property');
  try {
    if (as !== undefined) await client.query(`SET LOCAL ROLE ${quoteIdentifier(as)}`);
    await client.query(sql);
    if (as !== undefined) await client.query('RESET ROLE');
    await client.query('RELEASE SAVEPOINT property');
    return undefined;
  } catch (error) {
    if (!isServerAnswer(error)) throw error;
    await client.query('ROLLBACK TO SAVEPOINT property');
    return error as Error;
  }
}
