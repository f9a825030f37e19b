import { describe, expect, test } from 'vitest';
import { isHopeless, restoreFailure } from '../../src/domain/restore-failure.ts';
import { classifyMessages } from '../../src/domain/restore-messages.ts';

const TIMEOUT = [
  'pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "transaction_timeout"',
  'Command was: SET transaction_timeout = 0;',
];
const classify = (lines: readonly string[], targetMajor = 15) =>
  classifyMessages(lines, { targetMajor, parallel: false });
const kinds = (lines: readonly string[], targetMajor = 15) => classify(lines, targetMajor).map(({ kind }) => kind);
const error = (text: string, command: string) => [
  `pg_restore: error: could not execute query: ERROR:  ${text}`,
  `Command was: ${command}`,
  '',
  '',
];

describe('progress', () => {
  test('is no message, whatever names it holds', () => {
    const lines = [
      'pg_restore: connecting to database for restore',
      'pg_restore: processing item 3342 ENCODING ENCODING',
      'pg_restore: creating TABLE "line',
      'break.new',
      'line"',
      'pg_restore: entering main parallel loop',
      'pg_restore: launching item 3335 TABLE DATA orders',
      'pg_restore: processing data for table "public.-- error: x"',
      'pg_restore: finished item 3335 TABLE DATA orders',
      'pg_restore: executing SEQUENCE SET customers_id_seq',
      'pg_restore: restoring large object with OID 910001',
      'pg_restore: restored 1 large object',
      'pg_restore: while PROCESSING TOC:',
      'pg_restore: finished main parallel loop',
    ];
    expect(classify(lines)).toEqual([]);
  });

  test('that two workers wrote into each other hides no error', () => {
    const lines = [
      'pg_restore:pg_restore:  creating INDEX "public.a"',
      ' creating INDEX "public.b"',
      'pg_restore:pg_restore: error:  processing data for table "public.c"',
      'could not execute query: ERROR:  relation "x" does not exist',
      'Command was: CREATE INDEX x ON y;',
      'pg_restore: pg_restore: error: creating VIEW "public.v"',
      ' COPY failed for table "t": ERROR:  invalid input syntax for type integer: "x"',
      'CONTEXT:  COPY t, line 1, column a: "x"',
    ];
    expect(classify(lines)).toEqual([
      {
        kind: 'fatal',
        text: 'could not execute query: ERROR: relation "x" does not exist Command was: CREATE INDEX x ON y;',
        reason: 'it needs something that was not restored',
      },
      expect.objectContaining({ kind: 'fatal', reason: 'rows of a table were refused' }),
    ]);
  });
});

describe('a run that cannot go on', () => {
  const end = { program: 'pg_restore', code: 1, signal: null, stderr: '' };
  const message = (text: string, ...more: string[]) => ({ severity: 'error', text, more }) as const;
  const FULL = message('could not execute query: ERROR:  could not extend file "base/1/2": No space left on device');

  test('is hopeless on a full disk and on a target that takes no writes, not by what a command holds', () => {
    expect(isHopeless(FULL)).toBe(true);
    expect(isHopeless(message('ERROR:  cannot execute CREATE TABLE in a read-only transaction'))).toBe(true);
    const body = 'Command was: CREATE FUNCTION f() AS $$ -- write: No space left on device';
    expect(isHopeless(message('could not execute query: ERROR:  syntax error', body))).toBe(false);
  });

  test.each([
    [end, FULL, 'ran out of disk space', false],
    [end, message('ERROR:  cannot execute CREATE TABLE in a read-only transaction'), 'takes no writes', false],
    [end, message('error returned by PQputCopyData: server closed the connection unexpectedly'), 'was lost', true],
    [{ ...end, code: null, signal: 'SIGKILL' }, undefined, 'ended by SIGKILL', true],
    [{ ...end, stderr: 'psql:<stdin>:4: error: invalid command \\restrict' }, undefined, 'psql is too old', false],
    [end, undefined, 'ended with exit code 1 and said nothing', false],
  ])('%j with %j', (ended, said, words, retryable) => {
    const failure = restoreFailure(ended, said === undefined ? [] : [said]);
    expect(failure).toMatchObject({ code: 'ERR_RESTORE_FAILED', message: expect.stringContaining(words), retryable });
  });

  test('whose worker ended is told by what the worker said, which is not always the connection', () => {
    const ended = message('a worker process died unexpectedly');
    const unreadable = message('could not uncompress data: invalid distance too far back');
    expect(restoreFailure(end, [unreadable, ended])).toMatchObject({
      message: 'The archive cannot be read to its end: could not uncompress data: invalid distance too far back',
      retryable: false,
    });
    expect(restoreFailure(end, [message('terminating connection due to administrator command'), ended])).toMatchObject({
      message: expect.stringContaining('The connection to the target was lost'),
      retryable: true,
    });
    expect(restoreFailure(end, [ended])).toMatchObject({
      message: expect.stringContaining('A connection of pg_restore ended'),
      retryable: true,
    });
  });

  test('is none when its messages say the rest', () => {
    expect(
      restoreFailure(end, [message('could not execute query: ERROR:  relation "x" already exists')]),
    ).toBeUndefined();
  });
});

describe('harmless forms', () => {
  test('a setting that older servers do not know', () => {
    expect(classify([...TIMEOUT, 'pg_restore: warning: errors ignored on restore: 1'])).toEqual([
      expect.objectContaining({ kind: 'harmless', reason: expect.stringContaining('before 17') }),
      expect.objectContaining({ kind: 'harmless', reason: expect.stringContaining('counts') }),
    ]);
    expect(kinds(TIMEOUT, 17)).toEqual(['unknown']);
    expect(kinds([TIMEOUT[0] as string, 'Command was: SET other = 0;'])).toEqual(['unknown']);
    expect(kinds([(TIMEOUT[0] as string).replace('transaction_timeout', 'other'), TIMEOUT[1] as string])).toEqual([
      'unknown',
    ]);
    const line = 'psql:<stdin>:12: ERROR:  unrecognized configuration parameter "transaction_timeout"';
    expect(kinds([line])).toEqual(['harmless']);
    expect(kinds([line], 18)).toEqual(['unknown']);
  });

  test.each([
    ['schema "public" already exists', 'CREATE SCHEMA public;', 'schema "app" already exists', 'CREATE SCHEMA app;'],
    [
      'must be owner of extension plpgsql',
      "COMMENT ON EXTENSION plpgsql IS 'PL/pgSQL procedural language';",
      'must be owner of extension plpgsql',
      'DROP EXTENSION plpgsql;',
    ],
  ])('%s', (text, command, otherText, otherCommand) => {
    expect(kinds(error(text, command))).toEqual(['harmless']);
    expect(kinds(error(otherText, otherCommand))).toEqual(['fatal']);
    expect(kinds(error(`${text} now`, command))).not.toEqual(['harmless']);
  });

  test('warnings about publications and collations', () => {
    const hint = 'HINT:  Set "wal_level" to "logical" before creating subscriptions.';
    expect(kinds(['pg_restore: WARNING:  "wal_level" is insufficient to publish logical changes', hint])).toEqual([
      'harmless',
    ]);
    expect(kinds(['pg_restore: WARNING:  wal_level is insufficient to publish logical changes', hint])).toEqual([
      'harmless',
    ]);
    expect(kinds(['pg_restore: WARNING:  database "x" has a collation version mismatch', 'DETAIL:  a'])).toEqual([
      'harmless',
    ]);
    expect(kinds(['pg_restore: WARNING:  no privileges were granted for "x"'])).toEqual(['unknown']);
  });

  test('a tablespace that is missing', () => {
    const text =
      'pg_restore: error: could not set "default_tablespace" to fast: ERROR:  invalid value for parameter "default_tablespace": "fast"';
    expect(kinds([text, 'DETAIL:  Tablespace "fast" does not exist.'])).toEqual(['harmless']);
  });
});

describe('errors', () => {
  test.each([
    ['role "boss" does not exist', 'ALTER TABLE t OWNER TO boss;', 'a role is missing'],
    ['extension "postgis" is not available', 'CREATE EXTENSION IF NOT EXISTS postgis;', 'lacks an extension'],
    [
      'could not create locale "xx_XX": No such file or directory',
      "CREATE COLLATION c (locale = 'xx_XX');",
      'lacks a collation',
    ],
    ['security label provider "anon" is not loaded', "SECURITY LABEL FOR anon ON TABLE t IS 'x';", 'is not loaded'],
    ['relation "t" already exists', 'CREATE TABLE t ();', 'not empty'],
    ['must be able to SET ROLE "boss"', 'ALTER TABLE t OWNER TO boss;', 'owner: drop'],
    ['permission denied for schema app', 'CREATE TABLE app.t ();', 'lacks a right'],
    ['could not extend file "base/1/2": No space left on device', 'COPY t FROM stdin;', 'disk of the target is full'],
  ])('%s', (text, command, meaning) => {
    const [first, ...more] = classify(error(text, command));
    expect(first).toMatchObject({ kind: 'fatal', reason: expect.stringContaining(meaning) });
    expect(more).toEqual([]);
  });

  test('that nobody knows are unknown, not harmless', () => {
    expect(kinds(error('the flux capacitor is empty', 'SELECT 1;'))).toEqual(['unknown']);
    expect(kinds(['pg_restore: something new'])).toEqual(['unknown']);
    expect(kinds(['pg_restore: warning: archive items not in correct section order'])).toEqual(['unknown']);
  });

  test('fewer than pg_restore counted means that one was not seen', () => {
    expect(kinds([...TIMEOUT, 'pg_restore: warning: errors ignored on restore: 2'])).toEqual(['harmless', 'unknown']);
  });

  test('are miscounted by pg_restore itself when it has workers', () => {
    const lines = [...TIMEOUT, 'pg_restore: warning: errors ignored on restore: 2'];
    const messages = classifyMessages(lines, { targetMajor: 15, parallel: true });
    expect(messages.map(({ kind }) => kind)).toEqual(['harmless', 'harmless']);
  });

  test('do not carry the values of rows into logs and reports', () => {
    const messages = classify([
      'pg_restore: error: COPY failed for table "people": ERROR:  invalid input syntax for type integer: "Ann"',
      'CONTEXT:  COPY people, line 7, column age: "Ann"',
      'pg_restore: error: could not execute query: ERROR:  could not create unique index "people_mail"',
      'DETAIL:  Key (mail)=(ann@example.org) is duplicated.',
      'pg_restore: error: COPY failed for table "t": ERROR:  new row violates check constraint "c"',
      'DETAIL:  Failing row contains (1, ann@example.org).',
      'CONTEXT:  COPY t, line 1: "1\tann@example.org"',
    ]);
    expect(messages.map(({ kind }) => kind)).toEqual(['fatal', 'fatal', 'fatal']);
    expect(JSON.stringify(messages)).not.toMatch(/ann/i);
    expect(messages[1]?.text).toContain('Key (mail)=(…) is duplicated.');
  });

  test('of psql name the line', () => {
    const lines = ['psql:<stdin>:812: ERROR:  relation "x" already exists', 'psql:<stdin>:813: NOTICE:  fine'];
    expect(classify(lines)).toEqual([
      { kind: 'fatal', text: 'line 812: ERROR: relation "x" already exists', reason: 'the target was not empty' },
    ]);
  });

  test('are kept in bounds, however many there are', () => {
    const many = Array.from({ length: 5000 }, (_, index) => error(`relation "t${index}" already exists`, 'x')).flat();
    const messages = classify([...many, 'pg_restore: warning: errors ignored on restore: 5000']);
    expect(messages.length).toBe(2001);
    expect(messages.at(-1)?.kind).toBe('harmless');
  });
});
