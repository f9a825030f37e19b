import { describe, expect, test } from 'vitest';
import { SqlLexer } from '../../src/postgres/archive/sql-lexer.ts';

interface Lexed {
  statements: string[];
  comments: string[];
  commands: string[];
}

/** Runs the lexer over `text` in pieces of `size` bytes, to its end. */
function lex(text: string, size = text.length + 1, standardStrings = true): Lexed {
  const lexed: Lexed = { statements: [], comments: [], commands: [] };
  let statement: Buffer[] = [];
  const lexer = new SqlLexer((part) => statement.push(Buffer.from(part)));
  lexer.standardStrings = standardStrings;
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += size) {
    const chunk = bytes.subarray(start, start + size);
    let at = 0;
    while (at < chunk.length) {
      at = lexer.feed(chunk, at, start);
      if (lexer.event === 'statement') {
        lexed.statements.push(Buffer.concat(statement).toString());
        statement = [];
      }
      if (lexer.event === 'comment') lexed.comments.push(lexer.line.toString());
      if (lexer.event === 'meta-command') lexed.commands.push(lexer.line.toString());
    }
  }
  lexer.end(bytes.length);
  return lexed;
}

/** Every one of these is one statement, whatever it holds. */
const ONE_STATEMENT: Record<string, string> = {
  'a string with a semicolon': "SELECT 'a;b';",
  'a doubled quote': "SELECT 'it''s; ok';",
  'a backslash before the closing quote': String.raw`SELECT 'a\';`,
  'an escape string with an escaped quote': String.raw`SELECT E'a\'; b', e'\\';`,
  'an escape string with a doubled quote before an escaped one': String.raw`SELECT E'a''\'; b';`,
  'an escape string that goes on in the next line': "SELECT E'a'\n'b\\'; c';",
  'a word that ends in e before a string': String.raw`SELECT like_e'\';`,
  'a string with Unicode escapes': String.raw`SELECT U&'\0441\';`,
  'a bit string': "SELECT B'1010', X'1F';",
  'a string that looks like a COPY block': "COMMENT ON TABLE t IS '\nCOPY a.b FROM stdin;\n\\.\n';",
  'a string that looks like a header':
    "COMMENT ON TABLE t IS '\n--\n-- Name: x; Type: TABLE; Schema: s; Owner: o\n--\n';",
  'a string with a comment opening': "SELECT '/*', '--';",
  'an identifier with everything': 'CREATE TABLE "a;"."b""; (\' -- /* $$ \n\\." (i int);',
  'a dollar string': 'SELECT $$;\'"--/*$$;',
  'a tagged dollar string that holds others': 'SELECT $a$ $$ ; $b$ $aa$ $a $a$;',
  'a dollar string whose end follows a half one': 'SELECT $ab$ ; $a$ab$;',
  'a dollar string with the tag of pg_dump': 'SELECT $_$ BEGIN; $1; END; $_$;',
  'a tag with letters beyond ASCII': 'SELECT $é$;$é$;',
  'an identifier that holds dollar signs': 'SELECT a$b$c, d$$;',
  'a parameter': 'SELECT $1, $2;',
  'a parameter before a string': "SELECT $1';';",
  'a comment inside': "SELECT 1 -- it's; \n, 2;",
  'a nested comment inside': 'SELECT 1 /* a /* ; \' */ ; " */ , 2;',
  'a comment with stars and slashes': 'SELECT 1 /***/ , 2 /* * / ; **/ /*/ ; */;',
  'operators of dashes and slashes': 'SELECT 1 - - 2 / 3 - -4 / 5;',
  'a rule with two statements': 'CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM a; UPDATE b SET c = (1); );',
  'a routine with two statements':
    'CREATE FUNCTION a.b() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT CASE WHEN a THEN 1 END; END;',
  'a procedure with an empty body': 'CREATE OR REPLACE PROCEDURE a."b"() LANGUAGE sql BEGIN ATOMIC\nEND;',
  'a routine whose body has nested cases':
    'create function f() begin /* x */ atomic SELECT (CASE WHEN CASE 1 WHEN 2 THEN 3 END THEN 4 END); SELECT "end", "case"; END;',
  'a function named begin': "CREATE FUNCTION public.begin() RETURNS atomic LANGUAGE sql AS 'x';",
  'a column named begin of type atomic': 'CREATE FUNCTION f(begin atomic) LANGUAGE sql RETURN 1;',
  'a table with such a column': 'CREATE TABLE t (begin atomic);',
};

describe('the lexer', () => {
  for (const [name, statement] of Object.entries(ONE_STATEMENT)) {
    test(`takes ${name} as one statement, however it is cut`, () => {
      const text = `${statement}\n\nSELECT 2;\n`;
      for (const size of [1, 2, 3, 7, text.length]) {
        expect(lex(text, size).statements).toEqual([statement, 'SELECT 2;']);
      }
    });
  }

  test('lets a backslash escape in plain strings when standard_conforming_strings is off', () => {
    const statement = String.raw`SELECT 'a\'; b', N'\\', X'1F';`;
    expect(lex(`${statement} SELECT 2;`, 1, false).statements).toEqual([statement, 'SELECT 2;']);
    expect(() => lex(`${statement} SELECT 2;`)).toThrow(expect.objectContaining({ code: 'ERR_NOT_PROVEN' }));
  });

  test('tells comments between statements from comments inside of them', () => {
    const text = "--\n-- Name: a\n/* -- Name: b\n*/\nSELECT 1 -- Name: c\n;\nSELECT '\n-- Name: d\n';\n-- Name: e\n";
    for (const size of [1, 2, 5, text.length]) {
      expect(lex(text, size).comments).toEqual(['', ' Name: a', ' Name: e']);
    }
  });

  test('reads meta-commands between statements', () => {
    const text = "\\restrict a'b\nSELECT 1;\n\\unrestrict a'b\n";
    for (const size of [1, 4, text.length]) {
      expect(lex(text, size)).toEqual({
        statements: ['SELECT 1;'],
        comments: [],
        commands: ["restrict a'b", "unrestrict a'b"],
      });
    }
  });

  test('ignores empty statements and carriage returns', () => {
    expect(lex(';;\r\n;SELECT 1;\r\n;').statements).toEqual(['SELECT 1;']);
  });

  const broken: Record<string, [text: string, words: string]> = {
    'a string that does not end': ["SELECT 'a", 'inside a string'],
    'an escape that is cut': ["SELECT E'a\\", 'inside a string'],
    'an identifier that does not end': ['SELECT "a', 'inside a quoted identifier'],
    'a dollar string that does not end': ['SELECT $x$ $', 'inside a dollar-quoted string'],
    'a comment that does not end': ['/* /* */', 'inside a comment'],
    'a statement without a semicolon': ['SELECT 1', 'inside a statement'],
    'a routine whose body does not end': [
      'CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE WHEN 1 THEN 2 END; SELECT 1;',
      'inside a statement',
    ],
    'an open parenthesis': ['SELECT (1;', 'inside a statement'],
    'a parenthesis too many': ['SELECT 1);', 'never opened (byte 8'],
    'a backslash in code': ['SELECT 1 \\g', 'outside of any string (byte 9'],
    'a lonely dollar sign': ['SELECT a, $ b;', 'neither a string nor a parameter (byte 11'],
    'an operator at the start': ['\n-1;', 'begins with an operator (byte 2'],
  };
  for (const [name, [text, words]] of Object.entries(broken)) {
    test(`refuses ${name} and says where`, () => {
      for (const size of [1, text.length]) {
        expect(() => lex(text, size)).toThrow(
          expect.objectContaining({ code: 'ERR_NOT_PROVEN', message: expect.stringContaining(words) }),
        );
      }
    });
  }
});
