import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DatabaseFacts } from '../../src/domain/facts.ts';
import { unfinishedMark } from '../../src/domain/restore-mark.ts';
import { createDatabaseSql } from '../../src/domain/strategy/creation.ts';
import { createDatabase, dropDatabase, finishDatabase } from '../../src/postgres/databases.ts';
import { findMissingLocales } from '../../src/restore/examine-target.ts';
import { describeIf } from '../support/availability.ts';
import { loadDatabase } from '../support/databases/index.ts';
import { availableMajors, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { silentLog } from '../support/silent-log.ts';
import { target } from '../support/target-bench.ts';

/** What each major adds to libc. */
const PROVIDERS: Record<number, [string, string][]> = {
  13: [],
  15: [['icu', 'de']],
  17: [
    ['icu', 'de'],
    ['builtin', 'C.UTF-8'],
  ],
  18: [
    ['icu', 'und-u-ks-level2'],
    ['builtin', 'PG_UNICODE_FAST'],
  ],
};

describe.each([13, 15, 17, 18])('a target on Postgres %i', (major) => {
  const here = availableMajors().includes(major) || { skipped: `no server of major ${major}` };

  describeIf(here, 'is looked at', () => {
    let server: PostgresServer;

    beforeAll(async () => {
      const hba = 'host postgres fenced 127.0.0.1/32 reject\nhost all all 127.0.0.1/32 trust';
      server = await startPostgres({ major, hba, settings: { max_prepared_transactions: '5' } });
      await server.query('CREATE ROLE host LOGIN CREATEDB; CREATE ROLE fenced LOGIN; CREATE ROLE other LOGIN');
      await server.createDatabase('shop', 'OWNER host');
    });

    afterAll(() => server.stop());

    test('empty, by its superuser: everything is known', async () => {
      const { facts } = await target(server.uri('shop'), silentLog);
      expect(facts).toMatchObject({
        fingerprint: `127.0.0.1:${server.port}/shop`,
        server: { major, isStandby: false },
        database: { name: 'shop', encoding: 'UTF8', collate: 'C', localeProvider: 'libc' },
        exists: true,
        objects: 0,
        examples: [],
        role: { name: 'postgres', superuser: true, createDatabase: true, ownsDatabase: true, signalsOthers: true },
        maintenanceDatabase: 'postgres',
        leftovers: [],
        madeByUs: false,
        otherSessions: 0,
        lastingSessions: [],
        preparedTransactions: 0,
        readOnly: { target: false, maintenance: false },
        icu: true,
        source: { kind: 'system' },
      });
      expect(facts.databases).toEqual(expect.arrayContaining(['postgres', 'shop', 'template1']));
      expect(facts.roles).toContain('host');
      expect(facts.availableExtensions).toContain('pgcrypto');
      expect(facts.freeBytes).toBeGreaterThan(0);
      expect(facts.pause).toBeUndefined();
    });

    test('in use, by an owner who is no superuser', async () => {
      const [monitor, colleague] = [
        await server.connect('shop'),
        new pg.Client({ connectionString: server.uri('shop', 'other') }),
      ];
      await colleague.connect();
      await server.query("BEGIN; CREATE TABLE held (i int); PREPARE TRANSACTION 'held'", 'shop');
      const { facts } = await target(server.uri('shop', 'host'), silentLog);
      await server.query("ROLLBACK PREPARED 'held'", 'shop');
      await Promise.all([monitor.end(), colleague.end()]);
      expect(facts).toMatchObject({
        role: { name: 'host', superuser: false, createDatabase: true, ownsDatabase: true, signalsOthers: false },
        otherSessions: 2,
        lastingSessions: ['other', 'postgres'],
        preparedTransactions: 1,
      });
      expect(facts.freeBytes).toBeUndefined();
    });

    test('absent: the maintenance database stands in, and says so', async () => {
      const { facts, access } = await target(server.uri('no such "shop"', 'host'), silentLog);
      expect(facts).toMatchObject({
        exists: false,
        database: { name: 'no such "shop"', sizeBytes: 0 },
        objects: 0,
        maintenanceDatabase: 'postgres',
      });
      expect(facts.role.ownsDatabase).toBe(false);
      expect(
        await access.use(
          'look',
          facts.maintenanceDatabase,
          async ({ client }) => (await client.query('SELECT 1 AS one')).rows,
        ),
      ).toEqual([{ one: 1 }]);
    });

    test('from another maintenance database where postgres keeps the role out', async () => {
      const { facts } = await target(server.uri('shop', 'fenced'), silentLog);
      expect(facts.maintenanceDatabase).toBe('template1');
      expect(facts.role).toMatchObject({ createDatabase: false, ownsDatabase: false });
    });

    test('full: objects are counted and named, extensions are not', async () => {
      await loadDatabase(server, 'shapes', 'shapes');
      await server.createDatabase('extended');
      await server.query('CREATE EXTENSION hstore; CREATE EXTENSION pgcrypto', 'extended');
      const full = (await target(server.uri('shapes'), silentLog)).facts;
      expect(full.objects).toBeGreaterThan(60);
      expect(full.examples).toHaveLength(5);
      expect(full.objectsBySchema.map(({ schema }) => schema)).toEqual(['empty_schema', 'extensions', 'shapes']);
      expect((await target(server.uri('extended'), silentLog)).facts.objects).toBe(0);
    });

    test('which may only be read, or has a locale that its system lacks', async () => {
      await server.createDatabase('frozen');
      await server.query('ALTER DATABASE frozen SET default_transaction_read_only = on');
      const { facts, access } = await target(server.uri('frozen'), silentLog);
      expect(facts.readOnly).toEqual({ target: true, maintenance: false });
      expect(await findMissingLocales(access, facts, { collate: 'xx_XX.UTF-8', ctype: 'C' })).toEqual(['xx_XX.UTF-8']);
      expect(await findMissingLocales(access, facts, { collate: 'C', ctype: 'C' })).toEqual([]);
    });

    test('takes a new database that nobody else enters before it is finished', async () => {
      const { facts, access } = await target(server.uri('shop', 'host'), silentLog);
      const mark = unfinishedMark('shop', 'x', 'a test');
      const locales: DatabaseFacts[] = [facts.database];
      for (const [localeProvider, locale] of PROVIDERS[major] ?? []) {
        locales.push({ ...facts.database, localeProvider, locale });
      }
      for (const [index, locale] of locales.entries()) {
        const name = `copy "${index}"`;
        const sql = createDatabaseSql(name, locale, major);
        await access.use('create', 'postgres', ({ client }) => createDatabase(client, { name, sql, mark }));
        const other = new pg.Client({ connectionString: server.uri(name, 'other') });
        await expect(other.connect()).rejects.toMatchObject({ code: '42501' });
        const copy = (await target(server.uri(name, 'host'), silentLog)).facts;
        expect(copy.database).toMatchObject({ encoding: 'UTF8', collate: 'C', localeProvider: locale.localeProvider });
        expect(copy.database.locale).toBe(locale.locale);
        expect(copy.madeByUs).toBe(true);
        expect((await target(server.uri('shop'), silentLog)).facts.leftovers).toEqual([name]);
        await access.use('finish', 'postgres', ({ client }) => finishDatabase(client, name, 'x'));
        expect((await target(server.uri(name, 'host'), silentLog)).facts.madeByUs).toBe(false);
        const welcome = new pg.Client({ connectionString: server.uri(name, 'other') });
        await welcome.connect();
        expect((await target(server.uri('shop'), silentLog)).facts.leftovers).toEqual([]);
        welcome.on('error', () => undefined);
        await server.query(`DROP DATABASE ${pg.escapeIdentifier(name)} WITH (FORCE)`);
      }
      await access.use('drop', 'postgres', ({ client }) => dropDatabase(client, 'never there'));
    });

    test('that cannot create a database says why', async () => {
      const { access } = await target(server.uri('shop', 'fenced'), silentLog);
      const plan = { name: 'copy', sql: 'CREATE DATABASE copy', mark: '' };
      const refused = access.use('create', 'template1', ({ client }) => createDatabase(client, plan));
      await expect(refused).rejects.toMatchObject({
        code: 'ERR_TARGET_UNFIT',
        hint: expect.stringContaining('CREATEDB'),
      });
    });
  });
});

test('an address that is known for a transaction pooler is refused before anything is sent', async () => {
  await expect(
    target('postgresql://u:p@ep-cool-name-pooler.eu-central-1.aws.neon.tech/shop', silentLog),
  ).rejects.toMatchObject({
    code: 'ERR_POOLER',
  });
});
