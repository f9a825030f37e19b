import { describe, expect, test } from 'vitest';
import { rolesNamed } from '../../src/domain/role-use.ts';
import { describeEntry, parseToc } from '../../src/domain/toc.ts';

const HEAD = `;
; Archive created at 2026-11-21 15:45:05 UTC
;     dbname: shop
;     TOC Entries: 12
;     Dumped from database version: 17.10
;     Dumped by pg_dump version: 17.11
;
;
; Selected TOC Entries:
;
`;

const listing = (...lines: string[]): string => `${HEAD}${lines.join('\n')}\n`;

describe('a table of contents', () => {
  test('gives each entry its type, schema, name and owner', () => {
    const { serverVersion, entries } = parseToc(
      listing(
        '4242; 0 0 ENCODING - ENCODING ',
        '14; 2615 16387 SCHEMA - shapes postgres',
        '3; 3079 16427 EXTENSION - hstore ',
        '669; 1255 17431 FUNCTION shapes twice(value integer) postgres',
        '243; 1259 17555 TABLE shapes product shop_owner',
        ';\tdepends on: 14 3 3 14',
        '4208; 0 17555 TABLE DATA shapes product shop_owner',
        ';\tdepends on: 243',
        '4022; 2606 17652 FK CONSTRAINT shapes employee employee_boss_fkey postgres',
        '4192; 6106 17767 PUBLICATION TABLE shapes some_changes employee postgres',
        '2810; 826 17752 DEFAULT ACL - DEFAULT PRIVILEGES FOR FUNCTIONS shop_owner',
        '4242; 2613 910003 BLOB METADATA - 910003..910004 postgres',
        '4461; 0 0 STATISTICS DATA shapes all_dropped ',
      ),
    );
    expect(serverVersion).toBe('17.10');
    const told = entries.map(({ type, schema, name, owner }) => [type, schema, name, owner]);
    expect(told).toEqual([
      ['ENCODING', undefined, 'ENCODING', ''],
      ['SCHEMA', undefined, 'shapes', 'postgres'],
      ['EXTENSION', undefined, 'hstore', ''],
      ['FUNCTION', 'shapes', 'twice(value integer)', 'postgres'],
      ['TABLE', 'shapes', 'product', 'shop_owner'],
      ['TABLE DATA', 'shapes', 'product', 'shop_owner'],
      ['FK CONSTRAINT', 'shapes', 'employee employee_boss_fkey', 'postgres'],
      ['PUBLICATION TABLE', 'shapes', 'some_changes employee', 'postgres'],
      ['DEFAULT ACL', undefined, 'DEFAULT PRIVILEGES FOR FUNCTIONS', 'shop_owner'],
      ['BLOB METADATA', undefined, '910003..910004', 'postgres'],
      ['STATISTICS DATA', 'shapes', 'all_dropped', ''],
    ]);
    expect(entries[4]).toMatchObject({ dumpId: 243, dependencies: [14, 3] });
    expect(entries[4]?.line).toBe('243; 1259 17555 TABLE shapes product shop_owner');
    expect(entries.map(describeEntry)).toContain('table data shapes.product');
  });

  test('takes names with blanks apart by the schemas and roles that there are', () => {
    const { entries } = parseToc(
      listing(
        '22; 2615 17805 SCHEMA - line break postgres',
        '23; 2615 17806 SCHEMA - line postgres',
        '224; 1259 17832 TABLE line break crlf   postgres',
        '225; 1259 17833 TABLE line broken postgres',
        '244; 1259 17899 TABLE public stdin awkward -- role "x"',
        '245; 1259 17900 TABLE DATA x postgres',
      ),
      { roles: ['awkward -- role "x"'] },
    );
    const told = entries.map(({ type, schema, name, owner }) => [type, schema, name, owner]);
    expect(told.slice(2)).toEqual([
      ['TABLE', 'line break', 'crlf  ', 'postgres'],
      ['TABLE', 'line', 'broken', 'postgres'],
      ['TABLE', 'public', 'stdin', 'awkward -- role "x"'],
      // A schema may be called DATA.
      ['TABLE', 'DATA', 'x', 'postgres'],
    ]);
  });

  test.each([
    ['243; 1259 17555 WORMHOLE public x postgres', 'of a kind that is not known'],
    ['TABLE public x postgres', 'another form'],
    ['243; 1259 TABLE public x postgres', 'another form'],
    ['243; 1259 17555 TABLE public', 'another form'],
  ])('refuses %s', (line, why) => {
    expect(() => parseToc(listing(line))).toThrow(why);
  });

  test('is not a table of contents without the version of its server', () => {
    expect(() => parseToc('243; 1259 17555 TABLE public x postgres\n')).toThrow('which server was dumped');
  });
});

describe('roles that entries name', () => {
  const entry = (id: number, sql: string): string => `--
-- TOC entry ${id} (class 0 OID 0)
-- Dependencies: 14
-- Name: x; Type: ACL; Schema: public; Owner: postgres
--

${sql}


`;

  test('are those of rights, default rights, policies and user mappings', () => {
    const use = rolesNamed(
      [
        entry(
          1,
          'GRANT SELECT ON TABLE shapes.product TO reader WITH GRANT OPTION;\nGRANT ALL ON TABLE shapes.product TO PUBLIC;',
        ),
        entry(2, 'REVOKE ALL ON FUNCTION f(value integer) FROM PUBLIC;'),
        entry(3, 'ALTER DEFAULT PRIVILEGES FOR ROLE boss IN SCHEMA shapes GRANT SELECT ON TABLES TO "Odd ""one";'),
        entry(4, 'CREATE POLICY own ON shapes."no; te" TO a, "b c" USING ((owner = CURRENT_USER));'),
        entry(5, 'CREATE USER MAPPING FOR mapped SERVER elsewhere OPTIONS (\n    "user" \'reader\'\n);'),
        entry(6, 'SET SESSION AUTHORIZATION granter;\nGRANT SELECT ON TABLE x TO y;\nRESET SESSION AUTHORIZATION;'),
        entry(7, 'CREATE POLICY every ON shapes.note AS RESTRICTIVE FOR SELECT USING ((id > 0));'),
        entry(8, 'GRANT SELECT ON TABLE public."t TO nobody;\n" TO somebody;'),
      ].join(''),
    );
    expect(Object.fromEntries(use)).toEqual({
      1: ['reader'],
      3: ['Odd "one', 'boss'],
      4: ['a', 'b c'],
      5: ['mapped'],
      6: ['granter', 'y'],
      8: ['somebody'],
    });
  });
});
