import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { ArchiveReport } from '../../src/domain/archive-report.ts';
import { ArchiveReader } from '../../src/postgres/archive-reader.ts';
import { RowsDigester } from '../../src/postgres/digest/rows-digester.ts';

const PREAMBLE = `--
-- PostgreSQL database dump
--

\\restrict dTb1

-- Dumped from database version 17.10

SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);

SET default_tablespace = '';

`;
const CLOSING = `--
-- PostgreSQL database dump complete
--

\\unrestrict dTb1

`;

function header(type: string, name: string, schema = 'public', prefix = ''): string {
  return `--\n-- ${prefix}Name: ${name}; Type: ${type}; Schema: ${schema}; Owner: me\n--\n\n`;
}

function rowsOf(table: string, lines: readonly string[]): string {
  return `${header('TABLE DATA', 'any', 'public', 'Data for ')}COPY ${table} FROM stdin;\n${lines.map((line) => `${line}\n`).join('')}\\.\n\n\n`;
}

function read(text: string | Buffer, size = 1 << 20): ArchiveReport {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  const reader = new ArchiveReader();
  for (let at = 0; at < bytes.length; at += size) reader.write(bytes.subarray(at, at + size));
  return reader.end();
}

function archive(...parts: string[]): string {
  return PREAMBLE + parts.join('') + CLOSING;
}

function digest(lines: readonly string[]) {
  const digester = new RowsDigester();
  for (const line of lines) digester.feedRows(Buffer.from(`${line}\n`));
  return digester.finish();
}

function sha256(...statements: string[]): string {
  return createHash('sha256')
    .update(statements.map((statement) => `${statement}\n`).join(''))
    .digest('hex');
}

function notProven(words: string) {
  return expect.objectContaining({ code: 'ERR_NOT_PROVEN', message: expect.stringContaining(words) });
}

describe('the archive reader', () => {
  const lines = ['1\tone', '2\t\\N', '', '\\\\.', '3\t; -- Name: x; Type: TABLE; Schema: s; Owner: o'];

  test('reports the same whatever the size of the chunks', () => {
    const text = archive(
      header('TABLE', 't'),
      "CREATE TABLE public.t (\n    a integer,\n    b text DEFAULT E'\\n\\\\.\\n'::text\n);\n\n\nALTER TABLE public.t OWNER TO me;\n\n",
      header('FUNCTION', 'f()'),
      'CREATE FUNCTION public.f() RETURNS int LANGUAGE sql\n    BEGIN ATOMIC\n SELECT 1;\nEND;\n\n\n',
      rowsOf('public.t (a, b)', lines),
      rowsOf('public."T ""(x)"', ['', '']),
      header('SEQUENCE SET', 's'),
      "SELECT pg_catalog.setval('public.s', -5, false);\n\n\n",
    );
    const whole = read(text);
    for (const size of [1, 2, 3, 5, 17, 64]) expect(read(text, size)).toEqual(whole);
    expect(whole.tables).toEqual([
      { schema: 'public', name: 't', columns: ['a', 'b'], ...digest(lines) },
      { schema: 'public', name: 'T "(x)', columns: [], ...digest(['', '']) },
    ]);
    expect(whole.sequences).toEqual([{ schema: 'public', name: 's', lastValue: '-5', isCalled: false }]);
    expect(whole.objects.map(({ type, name }) => `${type} ${name}`)).toEqual(['FUNCTION f()', 'TABLE t']);
    expect(whole.plainBytes).toBe(Buffer.byteLength(text));
  });

  test('takes the names of tables from the COPY statement, over several lines and with every character', () => {
    const statement =
      'COPY "s;\n1"."t (a) FROM stdin;\n\\.\n" ("co""l, (", "new\nline", plain) FROM stdin;\n1\t2\t3\n\\.\n';
    const { tables } = read(
      archive(header('TABLE DATA', 'forged; Type: X; Schema: y', 'z', 'Data for '), statement),
      3,
    );
    expect(tables).toEqual([
      {
        schema: 's;\n1',
        name: 't (a) FROM stdin;\n\\.\n',
        columns: ['co"l, (', 'new\nline', 'plain'],
        ...digest(['1\t2\t3']),
      },
    ]);
  });

  test('digests each definition without comments, blank lines and settings between entries', () => {
    const table = 'CREATE TABLE public.t (\n    a integer -- kept\n);';
    const owner = 'ALTER TABLE public.t OWNER TO me;';
    const [object] = read(
      archive(header('TABLE', 't'), `${table}\n\n\n${owner}\n\nSET default_table_access_method = heap;\n\n`),
    ).objects;
    expect(object).toEqual({ type: 'TABLE', schema: 'public', name: 't', digests: [sha256(table, owner)] });
    const [other] = read(archive('SET x = 1;\n', header('TABLE', 't'), `-- remark\n${table}\n${owner}\n`)).objects;
    expect(other).toEqual(object);
  });

  test('counts settings inside an entry, such as the grantor of a privilege', () => {
    const grant = (grantor: string) =>
      `SET SESSION AUTHORIZATION ${grantor};\nGRANT SELECT ON TABLE public.t TO you;\nRESET SESSION AUTHORIZATION;\n\n\n`;
    const digestOf = (grantor: string) => read(archive(header('ACL', 'TABLE t'), grant(grantor))).objects[0]?.digests;
    expect(digestOf('anna')).toEqual([
      sha256('SET SESSION AUTHORIZATION anna;', 'GRANT SELECT ON TABLE public.t TO you;'),
    ]);
    expect(digestOf('bob')).not.toEqual(digestOf('anna'));
  });

  test('keeps the digests of things that share type, schema and name apart, in no particular order', () => {
    const operators = ['CREATE OPERATOR public.= (LEFTARG = int);', 'CREATE OPERATOR public.= (LEFTARG = text);'];
    const entries = operators.map((each) => `${header('OPERATOR', '=')}${each}\n\n\n`);
    const { objects } = read(archive(...entries));
    expect(objects).toHaveLength(1);
    expect(objects[0]?.digests).toEqual(operators.map((each) => sha256(each)).sort());
    expect(read(archive(...entries.reverse())).objects).toEqual(objects);
  });

  test('digests a definition of any length', () => {
    const body = `${'SELECT 1; -- '.repeat(200_000)}\n`;
    const statement = `CREATE FUNCTION public.f() RETURNS void LANGUAGE plpgsql AS $$${body}$$;`;
    const text = archive(header('FUNCTION', 'f()'), `SET a = 1;\n${statement}\n\n`);
    const expected = [sha256('SET a = 1;', statement)];
    expect(read(text).objects[0]?.digests).toEqual(expected);
    expect(read(text, 1000).objects[0]?.digests).toEqual(expected);
  });

  test('loses no definition to a schema whose name forges another type', () => {
    const schema = 's; Type: SEQUENCE SET; Schema: p; Owner: q';
    const statement = `CREATE TABLE "${schema}".t ();`;
    const { objects, relations } = read(archive(header('TABLE', 't', schema), statement));
    expect(objects.map((object) => object.digests)).toEqual([[sha256(statement)]]);
    expect(relations).toEqual([{ schema, name: 't', kind: 'table' }]);
  });

  test('knows every kind of relation, identity sequences and extensions', () => {
    const { relations, extensions } = read(
      archive(
        'CREATE TABLE public.a (\n);\nCREATE UNLOGGED TABLE public.b ();\nCREATE FOREIGN TABLE public.c () SERVER s;\n',
        'CREATE VIEW public.d AS SELECT 1;\nCREATE OR REPLACE VIEW public.d AS SELECT 2;\n',
        'CREATE MATERIALIZED VIEW public."e;" AS SELECT 1;\nCREATE UNLOGGED SEQUENCE public.f START 1;\n',
        'ALTER TABLE public.a ALTER COLUMN "add generated" ADD GENERATED BY DEFAULT AS IDENTITY (\n    SEQUENCE NAME public."a_""x""_seq"\n    START WITH 1\n);\n',
        'CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA public;\nCREATE TYPE public.g AS ENUM ();\n',
        "COMMENT ON VIEW public.d IS 'CREATE TABLE public.forged ();';\n",
      ),
    );
    expect(relations.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'table a',
      'table b',
      'foreign-table c',
      'view d',
      'materialized-view e;',
      'sequence f',
      'sequence a_"x"_seq',
    ]);
    expect(extensions).toEqual(['uuid-ossp']);
  });

  test('reads values of sequences whose names need quoting inside a string', () => {
    const set = (literal: string) => `SELECT pg_catalog.setval(${literal}, 9223372036854775807, true);\n`;
    const plain = read(archive(set(String.raw`'"s.1"."it''s ""a\b"""'`)));
    expect(plain.sequences).toEqual([
      { schema: 's.1', name: String.raw`it's "a\b"`, lastValue: '9223372036854775807', isCalled: true },
    ]);
    const off = PREAMBLE.replace('strings = on', 'strings = off') + set(String.raw`'"s.1"."it''s ""a\\b"""'`) + CLOSING;
    expect(read(off).sequences).toEqual(plain.sequences);
  });

  test('names the partition when its rows go in through the root', () => {
    const block = (name: string) =>
      `${header('TABLE DATA', name, 'public', 'Data for ')}-- load via partition root public.root\n\nCOPY public.root (a) FROM stdin;\n${name}\n\\.\n\n\n`;
    const text = archive('CREATE TABLE public."leaf\n1" ();\n', block('leaf 0'), block('leaf 1'));
    expect(read(text).tables.map((table) => table.name)).toEqual(['leaf 0', 'leaf\n1']);
    const twins = 'CREATE TABLE public."leaf\n1" ();\nCREATE TABLE public."leaf 1" ();\n';
    expect(() => read(archive(twins, block('leaf 1')))).toThrow(notProven('Several tables could be the partition'));
  });

  test('reads names in the encoding of the archive and refuses one in which SQL is ambiguous', () => {
    const latin = Buffer.from(
      PREAMBLE.replace('UTF8', 'LATIN1') + rowsOf('public."\u00e9\u0080"', []) + CLOSING,
      'latin1',
    );
    expect(read(latin).tables.map((table) => table.name)).toEqual(['\u00e9\u0080']);
    const ambiguous = PREAMBLE.replace('UTF8', 'SJIS') + CLOSING;
    expect(() => read(ambiguous)).toThrow(notProven('SJIS'));
  });
});

describe('large objects in the archive', () => {
  const hex = (size: number) => Buffer.from(Array.from({ length: size }, (_, index) => index % 256)).toString('hex');
  const written = (oid: number, ...parts: string[]) =>
    [
      `SELECT pg_catalog.lo_open('${oid}', 131072);\n`,
      ...parts.map((part) => `SELECT pg_catalog.lowrite(0, '\\x${part}');\n`),
      'SELECT pg_catalog.lo_close(0);\n\n',
    ].join('');
  const created = (oid: number) =>
    `${header('BLOB', String(oid), '-')}SELECT pg_catalog.lo_create('${oid}');\n\n\nALTER LARGE OBJECT ${oid} OWNER TO me;\n\n`;
  const data = (...objects: string[]) =>
    `${header('BLOBS', 'BLOBS', '-', 'Data for ')}BEGIN;\n\n${objects.join('')}COMMIT;\n\n`;
  const shaOf = (...parts: string[]) =>
    createHash('sha256')
      .update(Buffer.from(parts.join(''), 'hex'))
      .digest('hex');

  test('are digested as rows of number and SHA-256, in the older and the newer form', () => {
    const expected = {
      count: 2,
      bytes: 33_000,
      digest: digest([`7\t${shaOf()}`, `8\t${shaOf(hex(16_384), hex(16_616))}`]).digest,
    };
    const objects = [written(7), written(8, hex(16_384), hex(16_616))];
    const older = read(archive(created(7), created(8), data(...objects)), 1000);
    expect(older.largeObjects).toEqual(expected);
    const metadata = `${header('BLOB METADATA', '7..8', '-')}SELECT pg_catalog.lo_create('7');\nSELECT pg_catalog.lo_create('8');\n`;
    const newer = read(archive(metadata, header('BLOBS', '7..8', '-', 'Data for '), ...objects.reverse()));
    expect(newer.largeObjects).toEqual(expected);
    expect(older.objects.map(({ type, name, digests }) => [type, name, digests.length])).toEqual([
      ['BLOB', 'LARGE OBJECTS', 1],
    ]);
  });

  test('are read where standard_conforming_strings is off', () => {
    const off = PREAMBLE.replace('strings = on', 'strings = off');
    const text = off + data(written(7, '5c')).replace("'\\x", "'\\\\x") + CLOSING;
    expect(read(text).largeObjects).toMatchObject({ count: 1, bytes: 1 });
  });

  const broken: Record<string, [text: string, words: string]> = {
    'an object that is created and never written': [created(7) + created(8) + data(written(7)), 'creates 2'],
    'an object written in place of another': [created(7) + data(written(8)), 'creates 1'],
    'an object that does not end': [`SELECT pg_catalog.lo_open('7', 131072);\n`, 'does not end'],
    'bytes without an object': [`SELECT pg_catalog.lowrite(0, '\\x00');\n`, 'before its number'],
    'half a byte': [data(written(7, '000')), 'not hexadecimal'],
    'letters that are no digits': [data(written(7, '0g')), 'not hexadecimal'],
    'an unknown form': ['SELECT pg_catalog.lo_open(7, 131072);\n', 'cannot be taken apart'],
  };
  for (const [name, [text, words]] of Object.entries(broken)) {
    test(`are refused with ${name}`, () => {
      expect(() => read(archive(text))).toThrow(notProven(words));
    });
  }
});

describe('what cannot be taken apart is not proven', () => {
  const broken: Record<string, [text: string, words: string]> = {
    'a COPY block without its end': [`${PREAMBLE}COPY public.t (a) FROM stdin;\n1\n`, 'inside the rows of public.t'],
    'a COPY statement at the very end': [`${PREAMBLE}COPY public.t (a) FROM stdin;`, 'inside the rows of public.t'],
    'rows of one table twice': [archive(rowsOf('public.t', []), rowsOf('public.t', [])), 'public.t twice'],
    'a COPY from elsewhere': [archive("COPY public.t FROM '/etc/passwd';\n"), 'COPY public.t'],
    'a COPY with options': [archive('COPY public.t (a) FROM stdin WITH (FORMAT binary);\n'), 'COPY public.t'],
    'a COPY without a schema': [archive('COPY t (a) FROM stdin;\n'), 'COPY t'],
    'words behind a COPY statement': [archive('COPY public.t FROM stdin; SELECT 1;\n'), 'not the end of its line'],
    'rows as INSERT': [
      archive(header('TABLE DATA', 't', 'public', 'Data for '), 'INSERT INTO public.t VALUES (1);\n'),
      'INSERT INTO',
    ],
    'a sequence set in another way': [archive("SELECT pg_catalog.setval('s', 1);\n"), 'setval'],
    'a sequence set twice': [archive("SELECT pg_catalog.setval('p.s', 1, true);\n".repeat(2)), 'p.s twice'],
    'a meta-command that runs something': [archive('\\! true\n'), 'Unknown meta-command'],
    'a string without its end': [`${PREAMBLE}SELECT 'a;\n`, 'inside a string'],
    'no closing line': [`${PREAMBLE}SELECT 1;\n`, 'closing line'],
    'nothing at all': ['', 'closing line'],
    'a forged closing line': [`${PREAMBLE}SELECT '\n-- PostgreSQL database dump complete\n';\n`, 'closing line'],
  };
  for (const [name, [text, words]] of Object.entries(broken)) {
    test(`such as ${name}`, () => {
      expect(() => read(text)).toThrow(notProven(words));
      expect(() => read(text, 1)).toThrow(notProven(words));
    });
  }
});
