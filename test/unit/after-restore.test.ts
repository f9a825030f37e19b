import { describe, expect, test } from 'vitest';
import { connectionUri, parseConnection } from '../../src/domain/connection.ts';
import { sqlStatements } from '../../src/domain/sql/statements.ts';
import { assertions, textOrFile } from '../../src/inputs/drill-values.ts';
import { readAfterRestoreSql } from '../../src/restore/after-restore.ts';

describe('statements of a script', () => {
  test('end at semicolons outside of quotes, comments, parentheses and bodies', () => {
    const text = `-- a ; comment
CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2);
;; DO $body$ BEGIN PERFORM 1; END $body$;
CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC
  SELECT CASE WHEN true THEN 1 END;
  SELECT 2;
END;
SELECT 'it''s;', E'\\';', "a;b" /* /* ; */ ; */
;
SELECT 3`;
    expect(sqlStatements(text).statements.map(({ line, ended }) => [line, ended])).toEqual([
      [2, true],
      [3, true],
      [4, true],
      [8, true],
      [10, false],
    ]);
  });

  test.each([
    'BEGIN',
    'begin work',
    'START TRANSACTION',
    'COMMIT',
    'END',
    'ABORT',
    'ROLLBACK',
    'PREPARE TRANSACTION $$x$$',
  ])('%s is refused', async (control) => {
    await expect(readAfterRestoreSql({ text: `SELECT 1;\n${control};` })).rejects.toMatchObject({
      code: 'ERR_AFTER_RESTORE',
      message: expect.stringContaining('line 2 holds'),
    });
  });

  test.each([
    'SAVEPOINT a; ROLLBACK TO a; ROLLBACK WORK TO SAVEPOINT a; RELEASE a',
    'PREPARE x AS SELECT 1',
    "DO $$ BEGIN NULL; END $$; SELECT 'COMMIT;'",
    'CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END',
    "INSERT INTO t VALUES ('a\n\\d b')",
  ])('%s is not', async (text) => {
    expect(await readAfterRestoreSql({ text })).toBe(text);
  });

  test('commands of psql and what is never closed are refused, a missing file too', async () => {
    await expect(readAfterRestoreSql({ text: 'SELECT 1;\n\\set x 1' })).rejects.toThrow(
      'line 2 holds a command of psql',
    );
    await expect(readAfterRestoreSql({ text: "SELECT 1;\n\nSELECT 'x" })).rejects.toThrow(
      'begins in line 3 is never closed',
    );
    await expect(readAfterRestoreSql({ file: 'missing.sql' })).rejects.toMatchObject({ code: 'ERR_AFTER_RESTORE' });
  });
});

describe('the URI of a copy', () => {
  const uri = (text: string) => connectionUri(parseConnection(text, {}));

  test.each([
    'postgresql://app:p%40ss%2Fw%3Frd%25%2B%27@db.example.com:5433/sh%20op/%3F%C3%BC:@?sslmode=require',
    'postgresql://app@[::1]:5432/shop',
    'postgresql://app:x@localhost/shop?host=%2Fvar%2Frun%2Fa%20b&port=5444',
    'postgresql://app@db.example.com:5432/shop?options=-c%20search_path%3Da%2Cb',
  ])('%s is written as it was read', (text) => {
    expect(uri(text)).toBe(text);
  });

  test('leaves out what is the default anyway', () => {
    expect(uri('postgresql://app@h/shop?sslmode=prefer&application_name=x')).toBe('postgresql://app@h:5432/shop');
    expect(uri('host=h hostaddr=10.0.0.1 user=a dbname=b')).toBe('postgresql://a@h:5432/b?hostaddr=10.0.0.1');
  });
});

describe('inputs', () => {
  test('tell a file from SQL', () => {
    expect(textOrFile(' db/sanitise.sql ', {})).toEqual({ file: 'db/sanitise.sql' });
    expect(textOrFile('SELECT 1', {})).toEqual({ text: 'SELECT 1' });
    expect(textOrFile('a.sql\nb.sql', {})).toEqual({ text: 'a.sql\nb.sql' });
    expect(textOrFile("SELECT 'x.sql'", {})).toEqual({ text: "SELECT 'x.sql'" });
    expect(() => textOrFile('my file.sql', {})).toThrow('holds a blank');
  });

  test('that are wrong are told before anything is done', () => {
    expect(assertions('checks.sql', {})).toEqual({ file: 'checks.sql' });
    expect(assertions('SELECT true', {})).toEqual({ text: 'SELECT true' });
    expect(() => assertions('SELECT true\nDROP TABLE x', {})).toThrow('line 2: it begins with "DROP"');
  });
});
