import { describe, expect, test } from 'vitest';
import { creatableRoles, type RoleTarget, roleStatements } from '../../src/domain/globals.ts';

/** As pg_dumpall 17 writes it. */
const GLOBALS = `--
-- PostgreSQL database cluster dump
--

\\restrict iVQyVGxDkMZd3jCuFoNg0B8rhg

SET default_transaction_read_only = off;

--
-- Roles
--

CREATE ROLE "Odd ""Name; --";
ALTER ROLE "Odd ""Name; --" WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB LOGIN NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 5 VALID UNTIL '2030-01-01 00:00:00+00';
CREATE ROLE boss;
ALTER ROLE boss WITH SUPERUSER INHERIT CREATEROLE NOCREATEDB NOLOGIN REPLICATION BYPASSRLS;
COMMENT ON ROLE boss IS 'two
CREATE ROLE forged;
lines; it''s';
CREATE ROLE postgres;
ALTER ROLE postgres WITH SUPERUSER INHERIT CREATEROLE CREATEDB LOGIN REPLICATION BYPASSRLS;

--
-- User Configurations
--

ALTER ROLE boss SET search_path TO 'a', 'B c';
ALTER ROLE boss SET log_line_prefix TO E'\\\\; DROP ROLE postgres; --';

GRANT boss TO "Odd ""Name; --" WITH ADMIN OPTION, INHERIT TRUE GRANTED BY postgres;
GRANT boss TO outsider WITH INHERIT TRUE GRANTED BY postgres;
GRANT pg_read_all_data TO boss WITH INHERIT FALSE, SET FALSE GRANTED BY postgres;

\\unrestrict iVQyVGxDkMZd3jCuFoNg0B8rhg
`;
const NAMES = ['boss', 'Odd "Name; --'];
const SUPERUSER: RoleTarget = { superuser: true, major: 17, roles: ['postgres', 'pg_read_all_data'] };

describe('roles of pg_dumpall', () => {
  test('are told by name, whatever stands in quotes', () => {
    expect(creatableRoles(GLOBALS)).toEqual(['Odd "Name; --', 'boss', 'postgres']);
  });

  test('come back as recorded for a superuser, and only those that are wanted', () => {
    const { create, memberships, ignored } = roleStatements(GLOBALS, NAMES, SUPERUSER);
    expect(create).toEqual([
      'CREATE ROLE "Odd ""Name; --"',
      `ALTER ROLE "Odd ""Name; --" WITH INHERIT NOCREATEROLE NOCREATEDB LOGIN CONNECTION LIMIT 5 VALID UNTIL '2030-01-01 00:00:00+00'`,
      'CREATE ROLE boss',
      'ALTER ROLE boss WITH SUPERUSER INHERIT CREATEROLE NOCREATEDB NOLOGIN REPLICATION BYPASSRLS',
      "ALTER ROLE boss SET search_path TO 'a', 'B c'",
    ]);
    expect(memberships).toEqual([
      'GRANT "boss" TO "Odd ""Name; --" WITH ADMIN OPTION, INHERIT TRUE',
      'GRANT "pg_read_all_data" TO "boss" WITH INHERIT FALSE, SET FALSE',
    ]);
    expect(ignored).toEqual([
      { what: expect.stringContaining('log_line_prefix'), why: 'it has a form that is not read' },
      { what: 'membership of outsider in boss', why: 'the target has no role outsider' },
    ]);
  });

  test('lose what only a superuser may give, each with a word', () => {
    const { create, memberships, ignored } = roleStatements(GLOBALS, ['boss'], { ...SUPERUSER, superuser: false });
    expect(create).toEqual(['CREATE ROLE boss', 'ALTER ROLE boss WITH INHERIT CREATEROLE NOCREATEDB NOLOGIN']);
    expect(memberships).toEqual(['GRANT boss TO CURRENT_USER']);
    const lost = ignored.map(({ what }) => what);
    for (const attribute of ['SUPERUSER', 'REPLICATION', 'BYPASSRLS']) {
      expect(lost).toContain(`attribute ${attribute} of role boss`);
    }
    expect(lost).toContain('membership of boss in pg_read_all_data');
    expect(lost.some((what) => what.includes('search_path'))).toBe(true);
  });

  test('do without options of memberships that older servers do not know', () => {
    const { memberships } = roleStatements(GLOBALS, NAMES, { ...SUPERUSER, major: 15 });
    expect(memberships).toEqual([
      'GRANT "boss" TO "Odd ""Name; --" WITH ADMIN OPTION',
      'GRANT "pg_read_all_data" TO "boss"',
    ]);
  });

  test('nothing is made of what nobody asked for', () => {
    expect(roleStatements(GLOBALS, [], SUPERUSER)).toEqual({ create: [], memberships: [], ignored: [] });
  });
});
