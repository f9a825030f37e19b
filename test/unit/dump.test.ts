import { describe, expect, it } from 'vitest';
import { chooseCompression, compressArgument } from '../../src/domain/compression.ts';
import { dumpFailure, dumpWarning, parseDumpLine, publicWarnings } from '../../src/domain/dump-messages.ts';
import { WHOLE } from '../../src/domain/scope.ts';
import { dumpArgs } from '../../src/postgres/dump.ts';

describe('the arguments of pg_dump', () => {
  it('name the snapshot, the format and the lock timeout in milliseconds', () => {
    const args = dumpArgs({
      major: 17,
      snapshotId: '00000003-0000001B-1',
      scope: WHOLE,
      compression: chooseCompression(17),
      encoding: 'UTF8',
      lockTimeoutSeconds: 60,
      unloggedData: true,
    });
    expect(args).toEqual([
      '--format=custom',
      '--no-password',
      '--verbose',
      '--snapshot=00000003-0000001B-1',
      '--compress=zstd:1',
      '--encoding=UTF8',
      '--lock-wait-timeout=60000',
    ]);
  });

  it('carry every pattern of the scope as one word each', () => {
    const scope = {
      ...WHOLE,
      content: 'data' as const,
      schemas: ['app'],
      tables: ['-odd name*'],
      excludeTableData: ['app.log_*'],
    };
    const args = dumpArgs({
      major: 15,
      snapshotId: 's',
      scope,
      compression: chooseCompression(15),
      encoding: 'LATIN1',
      lockTimeoutSeconds: 1,
      unloggedData: false,
    });
    expect(args.slice(4)).toEqual([
      '--compress=1',
      '--encoding=LATIN1',
      '--lock-wait-timeout=1000',
      '--no-unlogged-table-data',
      '--data-only',
      '--schema=app',
      '--table=-odd name*',
      '--exclude-table-data=app.log_*',
    ]);
  });
});

describe('compression', () => {
  it('is zstd from 16 on and gzip below', () => {
    expect(compressArgument(16, chooseCompression(16))).toBe('zstd:1');
    expect(compressArgument(15, chooseCompression(15))).toBe('1');
    expect(compressArgument(18, chooseCompression(18, { method: 'none' }))).toBe('none');
    expect(compressArgument(13, chooseCompression(13, { method: 'none' }))).toBe('0');
    expect(compressArgument(18, chooseCompression(18, { method: 'lz4', level: 9 }))).toBe('lz4:9');
  });

  it('refuses a method that this server’s pg_dump does not know', () => {
    expect(() => chooseCompression(15, { method: 'zstd' })).toThrow(expect.objectContaining({ code: 'ERR_INPUT' }));
  });
});

describe('what pg_dump says', () => {
  it('is told apart line by line', () => {
    expect(parseDumpLine('pg_dump: dumping contents of table "public.a ""b"""')).toEqual({
      kind: 'table',
      name: 'public.a ""b""',
    });
    expect(parseDumpLine('pg_dump: warning: there are circular foreign-key constraints')).toMatchObject({
      kind: 'warning',
    });
    expect(parseDumpLine('pg_dump: error: query failed: ERROR:  x')).toMatchObject({ kind: 'error' });
    expect(parseDumpLine('pg_dump: reading schemas')).toMatchObject({ kind: 'other' });
  });

  it('says in the plain manifest what a backup lacks, without names', () => {
    const warnings = [
      dumpWarning('subscriptions not dumped because current user is not a superuser'),
      dumpWarning('could not find a close parenthesis for table "secret_name"'),
      dumpWarning('there are circular foreign-key constraints on this table:'),
    ];
    expect(publicWarnings(warnings)).toEqual([
      { code: 'subscriptions-left-out', message: 'Subscriptions are not in this backup' },
      { code: 'dump-warning', message: 'pg_dump warned; the log of the run has its words' },
    ]);
  });

  it.each([
    [
      'pg_dump: error: query failed: ERROR:  canceling statement due to lock timeout',
      1,
      null,
      'ERR_LOCK_TIMEOUT',
      'lock-timeout-seconds',
    ],
    [
      'pg_dump: error: query failed: ERROR:  canceling statement due to statement timeout\npg_dump: detail: Query was: LOCK TABLE public.a IN ACCESS SHARE MODE',
      1,
      null,
      'ERR_LOCK_TIMEOUT',
      'lock-timeout-seconds',
    ],
    ['', null, 'SIGKILL', 'ERR_DUMP_FAILED', 'memory limit'],
    [
      'pg_dump: error: query failed: ERROR:  permission denied for table t',
      1,
      null,
      'ERR_DUMP_FAILED',
      'pg_read_all_data',
    ],
    [
      'pg_dump: error: Dumping the contents of table "t" failed: PQgetCopyData() failed.',
      1,
      null,
      'ERR_DUMP_FAILED',
      'ended the connection',
    ],
  ])('becomes an error with a hint: %s', (stderr, code, signal, errorCode, hint) => {
    const error = dumpFailure({ stderr, code, signal });
    expect(error.code).toBe(errorCode);
    expect(error.hint).toContain(hint);
  });
});
