import { describe, expect, test } from 'vitest';
import type { DatabaseFacts } from '../../src/domain/facts.ts';
import {
  isLeftover,
  LIMIT_OF_UNBORN,
  noteInComment,
  pausedMark,
  unfinishedMark,
} from '../../src/domain/restore-mark.ts';
import { planStrategy, type StrategyInput, type StrategyPlan, strategyError } from '../../src/domain/strategy.ts';
import { notThrowaway, targetFingerprint } from '../../src/domain/target.ts';
import { SHOP, targetFacts } from '../support/target-facts.ts';

const ID = '20261121_020000_nightly_k3v9qa';
const FULL = { objects: 3, examples: ['public.a', 'public.b'], objectsBySchema: [{ schema: 'public', objects: 3 }] };
const HOST_ROLE = { ...targetFacts().role, name: 'app', superuser: false, createDatabase: false };

/** Of a dump that records nothing of its database. */
const PLAIN: StrategyInput = {
  strategy: 'new-database',
  target: targetFacts(),
  allowOlderMajor: false,
  backupId: ID,
  run: 'a test',
  missingLocales: [],
  space: { archiveBytes: 1000 },
  managedSchemas: [],
  requireSecondPerson: false,
  dryRun: false,
  safetyBackup: true,
  pauseWrites: true,
};

const plan = (over: Partial<StrategyInput> = {}): StrategyPlan =>
  planStrategy({ ...PLAIN, recorded: SHOP, sourceMajor: 17, ...over });
const recorded = (over: Partial<DatabaseFacts>): DatabaseFacts => ({ ...SHOP, ...over });
const major = (number: number) => targetFacts({ server: { version: `${number}.1`, major: number, isStandby: false } });
const codes = ({ findings }: StrategyPlan): string[] => findings.map(({ code, severity }) => `${severity} ${code}`);
const refusal = (over: Partial<StrategyInput>) => strategyError(plan(over).findings);

describe('the database that is created', () => {
  const tail = `ALLOW_CONNECTIONS false CONNECTION LIMIT ${LIMIT_OF_UNBORN}`;

  test.each([
    [13, SHOP, "LC_COLLATE 'en_US.UTF-8' LC_CTYPE 'en_US.UTF-8' ALLOW"],
    [15, SHOP, "LC_CTYPE 'en_US.UTF-8' LOCALE_PROVIDER libc ALLOW"],
    [15, recorded({ localeProvider: 'icu', locale: 'de-x-"\'' }), "LOCALE_PROVIDER icu ICU_LOCALE 'de-x-\"'''"],
    [
      17,
      recorded({ localeProvider: 'builtin', locale: 'C.UTF-8' }),
      "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'",
    ],
    [19, recorded({ localeProvider: 'builtin', locale: 'PG_UNICODE_FAST' }), "BUILTIN_LOCALE 'PG_UNICODE_FAST'"],
  ])('has the recorded encoding and locale, in the words of Postgres %i', (number, facts, words) => {
    const made = plan({ target: major(number), sourceMajor: number, recorded: facts });
    expect(codes(made)).toEqual([]);
    expect(made.create?.sql).toContain(`CREATE DATABASE "shop_restored_${ID}" TEMPLATE template0 ENCODING 'UTF8'`);
    expect(made.create?.sql).toContain(words);
    expect(made.create?.sql).toMatch(new RegExp(`${tail}$`));
  });

  test.each([
    [14, recorded({ localeProvider: 'icu', locale: 'de' }), 'since Postgres 15'],
    [16, recorded({ localeProvider: 'builtin', locale: 'C' }), 'came with Postgres 17'],
    [17, recorded({ localeProvider: 'builtin', locale: 'PG_UNICODE_FAST' }), 'came with Postgres 18'],
  ])('is refused where Postgres %i has no such provider', (number, facts, words) => {
    const error = refusal({ target: major(number), sourceMajor: 13, recorded: facts });
    expect(error).toMatchObject({ code: 'ERR_TARGET_UNFIT', message: expect.stringContaining(words) });
    expect(error?.hint).toContain('in-place');
  });

  test('is refused where the server has no ICU, or the system no such locale', () => {
    const icu = recorded({ localeProvider: 'icu', locale: 'de' });
    expect(refusal({ target: targetFacts({ icu: false }), recorded: icu })?.message).toContain('built without ICU');
    const error = refusal({ missingLocales: ['en_US.UTF-8'] });
    expect(error).toMatchObject({
      code: 'ERR_TARGET_UNFIT',
      message: expect.stringContaining('no locale en_US.UTF-8'),
    });
    expect(error?.hint).toContain('localedef -i en_US -f UTF-8 en_US.UTF-8');
    const carried = plan({ missingLocales: ['en_US.UTF-8'], recorded: icu });
    expect(codes(carried)).toEqual(['warning locale-replaced']);
    expect(carried.create?.sql).toContain("LC_COLLATE 'C' LC_CTYPE 'C'");
  });

  test('in SQL_ASCII with a locale is for a superuser to create', () => {
    const ascii = recorded({ encoding: 'SQL_ASCII' });
    expect(codes(plan({ recorded: ascii }))).toEqual([]);
    const role = { ...HOST_ROLE, createDatabase: true };
    expect(codes(plan({ recorded: ascii, target: targetFacts({ role }) }))).toEqual(['error encoding']);
  });

  test('is like the target for a dump that records nothing, and keeps the tablespace when it takes its place', () => {
    const target = targetFacts({ tablespace: 'fast "disk"' });
    const made = planStrategy({ ...PLAIN, target, strategy: 'swap' });
    expect(made.create?.sql).toContain("LC_COLLATE 'en_US.UTF-8'");
    expect(made.create?.sql).toContain('TABLESPACE "fast ""disk"""');
    expect(codes(made)).toEqual(['notice locale-unknown']);
    expect(made.former).toBe(`shop_before_${ID}`);
  });

  test('has a free name, that of a leftover included', () => {
    const taken = `shop_restored_${ID}`;
    expect(plan({ target: targetFacts({ databases: ['shop', taken] }) }).database).toBe(`${taken}_2`);
    const left = plan({ target: targetFacts({ databases: ['shop', taken], leftovers: [taken] }) });
    expect(left.database).toBe(taken);
    expect(codes(left)).toEqual(['notice leftovers']);
  });
});

describe('rights', () => {
  test('to create are needed for a copy; hosts of one database are told what works there', () => {
    const grant = refusal({ target: targetFacts({ role: HOST_ROLE }) });
    expect(grant).toMatchObject({ code: 'ERR_TARGET_UNFIT', message: 'app may not create databases' });
    expect(grant?.hint).toContain('ALTER ROLE "app" CREATEDB');
    const heroku = { id: 'heroku', name: 'Heroku Postgres', evidence: 'its host name' } as const;
    const hosted = refusal({ strategy: 'swap', target: targetFacts({ role: HOST_ROLE, provider: heroku }) });
    expect(hosted?.message).toContain('one database an add-on');
    expect(hosted?.hint).toContain('strategy: in-place');
    const supabase = { id: 'supabase', name: 'Supabase', evidence: 'its host name' } as const;
    expect(codes(plan({ strategy: 'swap', target: targetFacts({ provider: supabase }) }))).toEqual([
      'error no-renaming',
    ]);
    expect(codes(plan({ target: targetFacts({ provider: supabase }) }))).toEqual(['warning one-database']);
    expect(codes(plan({ strategy: 'in-place', target: targetFacts({ provider: supabase, role: HOST_ROLE }) }))).toEqual(
      [],
    );
    expect(plan({ target: targetFacts({ role: HOST_ROLE }) }).reference).toBeUndefined();
  });

  test.each([
    [
      'the owner alone',
      { role: { ...HOST_ROLE, createDatabase: true, ownsDatabase: false } },
      'ERR_TARGET_UNFIT',
      'may not rename',
    ],
    ['another database to stand in', { maintenanceDatabase: 'shop' }, 'ERR_TARGET_UNFIT', 'from within'],
    ['sessions that end', { lastingSessions: ['monitor (agent)'] }, 'ERR_TARGET_BUSY', 'monitor (agent)'],
    ['no prepared transaction', { preparedTransactions: 2 }, 'ERR_TARGET_BUSY', '2 prepared transactions'],
    ['a database that is there', { exists: false }, 'ERR_TARGET_UNFIT', 'no database shop'],
  ])('to swap: it takes %s', (_what, over, code, words) => {
    const error = refusal({ strategy: 'swap', target: targetFacts(over) });
    expect(error).toMatchObject({ code, message: expect.stringContaining(words) });
  });

  test('are no matter for a copy beside a database that is in use, or absent', () => {
    const target = targetFacts({ lastingSessions: ['x'], preparedTransactions: 1, exists: false });
    expect(codes(plan({ target }))).toEqual([]);
  });
});

describe('a restore in place', () => {
  const inPlace = (over: Partial<StrategyInput>) => plan({ strategy: 'in-place', target: targetFacts(FULL), ...over });
  const must = 'set exactly `confirm: db.example.com/shop`';

  test('asks for nothing where the database is empty, or holds only what the provider put there', () => {
    expect(codes(inPlace({ target: targetFacts() }))).toEqual([]);
    const managed = targetFacts({ ...FULL, objectsBySchema: [{ schema: 'auth', objects: 3 }] });
    expect(codes(inPlace({ target: managed, managedSchemas: ['auth'] }))).toEqual([]);
    expect(inPlace({ target: managed, managedSchemas: ['auth'] }).targetIsEmpty).toBe(true);
    expect(codes(inPlace({ target: managed }))).toEqual(['error confirm-missing']);
  });

  test.each([
    [undefined, undefined, 'ERR_TARGET_NOT_EMPTY', 'it holds 3 objects, public.a, public.b and 1 more'],
    ['', 'why', 'ERR_TARGET_NOT_EMPTY', 'is not empty'],
    ['db.example.com/Shop', 'why', 'ERR_CONFIRM', 'upper and lower case'],
    ['DB.example.com/shop', 'why', 'ERR_CONFIRM', 'upper and lower case'],
    ['10.0.0.7/shop', 'why', 'ERR_CONFIRM', 'not to 10.0.0.7. Both may be names of one server'],
    ['db.example.com/crm', 'why', 'ERR_CONFIRM', 'the database shop, not to crm'],
    ['shop', 'why', 'ERR_CONFIRM', 'the connection goes to db.example.com'],
    [' db.example.com/shop', 'why', 'ERR_CONFIRM', 'blanks around it'],
    ['x/y', 'why', 'ERR_CONFIRM', 'the connection goes to db.example.com/shop'],
  ])('into a database that is not empty is refused for confirm %j with reason %j', (confirm, reason, code, words) => {
    const consent = { ...(confirm === undefined ? {} : { confirm }), ...(reason === undefined ? {} : { reason }) };
    const error = strategyError(inPlace(consent).findings);
    expect(error).toMatchObject({ code, message: expect.stringContaining(words) });
    expect(error?.hint).toContain(must);
  });

  test('needs the reason as well', () => {
    const confirm = 'db.example.com/shop';
    expect(strategyError(inPlace({ confirm, reason: ' ' }).findings)).toMatchObject({ code: 'ERR_CONFIRM' });
    const done = inPlace({ confirm, reason: 'the table orders was truncated' });
    expect(codes(done)).toEqual([]);
    expect(done.database).toBe('shop');
    expect(done.create).toBeUndefined();
    expect(done.steps.map(([what]) => what)).toEqual(['target', 'paused', 'saved', 'replaced']);
  });

  test('is shown in a dry run without any of that, which says what to type; what is typed must be right', () => {
    const dry = inPlace({ dryRun: true });
    expect(codes(dry)).toEqual(['notice confirm-needed']);
    expect(dry.findings[0]?.action).toContain(must);
    expect(codes(inPlace({ dryRun: true, confirm: 'db.example.com/crm', reason: 'why' }))).toEqual([
      'error confirm-wrong',
    ]);
  });

  test('of a second person needs a reason too, and its confirm is not the name of the target', () => {
    const second = { requireSecondPerson: true, confirm: '0123456789ab' };
    expect(codes(inPlace({ requireSecondPerson: true, reason: 'why' }))).toEqual([]);
    expect(codes(inPlace({ ...second, reason: 'why' }))).toEqual([]);
    expect(strategyError(inPlace(second).findings)).toMatchObject({
      code: 'ERR_CONFIRM',
      message: expect.stringContaining('`reason`'),
    });
    expect(codes(inPlace({ ...second, target: targetFacts() }))).toEqual([]);
  });

  test('lives with the encoding and locale that the database has, where they hold everything', () => {
    const target = targetFacts();
    expect(codes(inPlace({ target, recorded: recorded({ encoding: 'LATIN1' }) }))).toEqual(['warning encoding']);
    expect(codes(inPlace({ target, recorded: recorded({ collate: 'C', ctype: 'C' }) }))).toEqual([
      'warning collation-differs',
    ]);
    const latin = targetFacts({ database: recorded({ encoding: 'LATIN1' }) });
    expect(codes(inPlace({ target: latin }))).toEqual(['error encoding']);
    expect(codes(inPlace({ target, missingLocales: ['en_US.UTF-8'] }))).toEqual([]);
  });
});

describe('the server', () => {
  test('must be a primary that may be written to', () => {
    const standby = targetFacts({ server: { version: '17.6', major: 17, isStandby: true } });
    expect(refusal({ target: standby })?.message).toContain('standby');
    const readOnly = targetFacts({ readOnly: { target: true, maintenance: false } });
    expect(codes(plan({ target: readOnly }))).toEqual([]);
    expect(codes(plan({ target: readOnly, strategy: 'in-place' }))).toEqual(['error read-only']);
  });

  test('may be older than the backup only by word', () => {
    expect(refusal({ target: major(15) })).toMatchObject({
      code: 'ERR_TARGET_UNFIT',
      hint: expect.stringContaining('allow-older-major'),
    });
    expect(codes(plan({ target: major(15), allowOlderMajor: true }))).toEqual(['warning older-major']);
    expect(codes(plan({ target: major(18) }))).toEqual([]);
  });

  test('must have room, as far as that is known; a short disk of this machine means streaming', () => {
    const space = { archiveBytes: 1000, databaseBytes: 1000, localFreeBytes: 999 };
    const at = (freeBytes: number) => plan({ space, target: targetFacts({ freeBytes }) });
    expect(codes(at(999))).toEqual(['notice archive-streamed', 'error disk-full']);
    expect(codes(at(1249))).toEqual(['notice archive-streamed', 'warning disk-short']);
    expect(codes(at(1250))).toEqual(['notice archive-streamed']);
    expect(at(1250).streamArchive).toBe(true);
    expect(plan({ space: { ...space, localFreeBytes: 1000 } }).streamArchive).toBe(false);
  });

  test('with several things in the way has them said at once', () => {
    const error = refusal({
      strategy: 'swap',
      target: targetFacts({ maintenanceDatabase: 'shop', preparedTransactions: 1 }),
    });
    expect(error?.message).toMatch(/^2 things are in the way:\n- .*from within\n- There is 1 prepared transaction/);
  });
});

describe('what a restore leaves in comments', () => {
  test('tells its own leftovers of this target from everything else', () => {
    const database = { name: 'shop_restored_x', allowsConnections: true, connectionLimit: -1 };
    const mark = unfinishedMark('shop', 'x', 'a test');
    expect(isLeftover({ ...database, comment: mark }, 'shop')).toBe(true);
    expect(isLeftover({ ...database, comment: mark }, 'sho')).toBe(false);
    expect(isLeftover({ ...database, comment: unfinishedMark('sh"op,', 'x', '') }, 'sh"op,')).toBe(true);
    expect(isLeftover(database, 'shop')).toBe(false);
    const unborn = { ...database, allowsConnections: false, connectionLimit: LIMIT_OF_UNBORN };
    expect(isLeftover(unborn, 'shop')).toBe(true);
    expect(isLeftover({ ...unborn, name: 'crm' }, 'shop')).toBe(false);
    expect(isLeftover({ ...unborn, connectionLimit: 5 }, 'shop')).toBe(false);
    expect(isLeftover({ ...unborn, comment: 'mine' }, 'shop')).toBe(false);
  });

  test('pauses the database that it stands on, and no copy of it', () => {
    const note = JSON.stringify({
      version: 1,
      database: 'shop',
      oid: 7,
      maintenanceDatabase: 'postgres',
      connectionLimit: -1,
      revoked: [],
    });
    expect(noteInComment(pausedMark(note), 7)).toBe(note);
    expect(noteInComment(pausedMark(note), 8)).toBeUndefined();
    expect(noteInComment(pausedMark('{}'), 7)).toBeUndefined();
    expect(noteInComment('the shop', 7)).toBeUndefined();
  });
});

test('a drill takes an empty database or one of ours, and says what else it holds', () => {
  expect(notThrowaway(targetFacts())).toBeUndefined();
  expect(notThrowaway(targetFacts({ ...FULL, madeByUs: true }))).toBeUndefined();
  expect(notThrowaway(targetFacts({ ...FULL, exists: false }))).toBeUndefined();
  expect(notThrowaway(targetFacts(FULL))).toBe(
    'db.example.com/shop holds 3 objects: public.a, public.b and 1 more. A drill only runs where nothing can be lost',
  );
});

test('the fingerprint is host and database, with a port that is not the usual one', () => {
  const at = (host: string, port: number, database: string, user = 'app') =>
    targetFingerprint({ host, port, database, user });
  expect(at('db.example.com', 5432, 'Shop')).toBe('db.example.com/Shop');
  expect(at('127.0.0.1', 5433, 'shop')).toBe('127.0.0.1:5433/shop');
  const pooler = 'aws-0-eu-central-1.pooler.supabase.com';
  expect(at(pooler, 5432, 'postgres', 'postgres.abcdefghijklmnopqrst')).toBe(`abcdefghijklmnopqrst@${pooler}/postgres`);
  expect(at(pooler, 5432, 'postgres', 'postgres.zyxwvutsrqponmlkjihg')).not.toContain('abcdefghijklmnopqrst');
});
