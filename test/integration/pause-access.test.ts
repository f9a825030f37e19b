import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseConnection } from '../../src/domain/connection.ts';
import { type PausedAccess, pauseAccess, resumeFromNote } from '../../src/restore/pause-access.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { describeIf } from '../support/availability.ts';
import { availableMajors, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { recordingLog, silentLog } from '../support/silent-log.ts';
import { examined, target } from '../support/target-bench.ts';

const ports = { clock: systemClock, log: silentLog };

describe.each([13, 18])('a pause on Postgres %i', (major) => {
  const here = availableMajors().includes(major) || { skipped: `no server of major ${major}` };

  describeIf(here, 'keeps others out', () => {
    let server: PostgresServer;

    beforeAll(async () => {
      server = await startPostgres({ major });
      await server.query(
        'CREATE ROLE owner LOGIN; CREATE ROLE app LOGIN; CREATE ROLE reader LOGIN; CREATE ROLE boss SUPERUSER LOGIN; GRANT app TO owner',
      );
    });

    afterAll(() => server.stop());

    beforeEach(async () => {
      await server.query('DROP DATABASE IF EXISTS shop WITH (FORCE)');
      await server.query('CREATE DATABASE shop OWNER owner');
    });

    const state = async () =>
      await server.query(
        `SELECT datname, datacl::text, datconnlimit, shobj_description(oid, 'pg_database') AS comment FROM pg_database WHERE datname LIKE 'shop%'`,
      );
    const rights = async () =>
      await server.query(
        "SELECT a::text FROM pg_database d, unnest(COALESCE(d.datacl, acldefault('d', d.datdba))) a WHERE datname = 'shop' ORDER BY 1",
      );
    const getsIn = async (user: string): Promise<string> => {
      const client = new pg.Client({ connectionString: server.uri('shop', user) });
      client.on('error', () => undefined);
      try {
        await client.connect();
        return 'in';
      } catch (error) {
        return (error as pg.DatabaseError).code ?? String(error);
      } finally {
        await client.end().catch(() => undefined);
      }
    };
    const pause = async (user: string, notes: string[] = []): Promise<PausedAccess> => {
      const { access, facts } = await target(server.uri('shop', user), silentLog);
      return await pauseAccess(access, facts, { ...ports, remember: (note) => notes.push(note) });
    };

    test('by a superuser: everybody who is none, with rights that stay as they are, even if nobody ever set them', async () => {
      await server.query("COMMENT ON DATABASE shop IS 'It''s the shop'");
      const before = await state();
      const session = new pg.Client({ connectionString: server.uri('shop', 'app') });
      session.on('error', () => undefined);
      await session.connect();
      const paused = await pause('postgres');
      await expect(session.query('SELECT 1')).rejects.toThrow();
      expect([await getsIn('app'), await getsIn('owner'), await getsIn('postgres')]).toEqual(['53300', '53300', 'in']);
      expect(paused.findings.map(({ code, seen }) => `${code} ${seen}`)).toEqual([
        'not-kept-out No right can keep these roles out of shop: boss, postgres',
      ]);
      await paused.resume();
      expect(await state()).toEqual(before);
      expect(await getsIn('app')).toBe('in');
      await paused.resume();
      expect(await state()).toEqual(before);
    });

    test('by the owner: all but the owner and superusers, and gives every right back', async () => {
      await server.query(`REVOKE ALL ON DATABASE shop FROM PUBLIC; GRANT CONNECT ON DATABASE shop TO reader WITH GRANT OPTION;
        GRANT TEMP ON DATABASE shop TO reader; GRANT CONNECT, CREATE ON DATABASE shop TO app; COMMENT ON DATABASE shop IS 'x'`);
      const [before, rightsBefore] = [await state(), await rights()];
      const paused = await pause('owner');
      expect([await getsIn('app'), await getsIn('reader'), await getsIn('owner')]).toEqual(['42501', '42501', 'in']);
      expect(paused.findings[0]?.seen).toContain('boss, owner, postgres');
      await paused.resume();
      expect(await rights()).toEqual(rightsBefore);
      expect((await state())[0]).toMatchObject({
        comment: 'x',
        datconnlimit: (before[0] as { datconnlimit: number }).datconnlimit,
      });
      expect([await getsIn('app'), await getsIn('reader')]).toEqual(['in', 'in']);
    });

    test('by the owner of a database whose rights nobody ever set: they come back as the same rights, spelled out', async () => {
      const before = await rights();
      const paused = await pause('owner');
      expect(await getsIn('app')).toBe('42501');
      await paused.resume();
      expect(await rights()).toEqual(before);
      expect(await getsIn('app')).toBe('in');
    });

    test('but for a right that was handed on, which could not be given back', async () => {
      await server.query(`REVOKE ALL ON DATABASE shop FROM PUBLIC; GRANT CONNECT ON DATABASE shop TO app WITH GRANT OPTION;
        SET ROLE app; GRANT CONNECT ON DATABASE shop TO reader; RESET ROLE`);
      const before = await rights();
      const paused = await pause('owner');
      expect(paused.findings[0]?.seen).toContain('app, boss, owner, postgres, reader');
      await paused.resume();
      expect(await rights()).toEqual(before);
    });

    test('and says who stays inside', async () => {
      const session = await server.connect('shop');
      await session.query("SET application_name = 'cron'");
      const { access, facts } = await target(server.uri('shop', 'owner'), silentLog);
      const fast = { ...systemClock, now: () => new Date(Date.now() * 20) };
      const paused = await pauseAccess(access, facts, { clock: fast, log: silentLog, remember: () => undefined });
      expect(paused.findings[0]).toMatchObject({
        code: 'sessions-not-ended',
        seen: expect.stringContaining('postgres (cron)'),
      });
      await session.end();
      await paused.resume();
    });

    test('and knows the way back before it begins: by the note, by words, after another name, after cancellation', async () => {
      const run = new AbortController();
      const log = recordingLog();
      const { access, facts } = await examined(server.uri('shop'), log, run.signal);
      const before = await state();
      let atNote: unknown;
      const pausing = pauseAccess(access, facts, {
        clock: systemClock,
        log,
        remember: (note) => {
          expect(note).not.toContain('postgresql://');
          atNote = note;
        },
      });
      const paused = await pausing;
      expect(atNote).toBe(paused.note);
      const words = log.lines.find((line) => line.includes('run this as a superuser')) ?? '';
      run.abort(new Error('cancelled'));
      await server.query('ALTER DATABASE shop RENAME TO shop_before');
      await resumeFromNote(paused.note, parseConnection(server.uri('template1'), {}), ports);
      await server.query('ALTER DATABASE shop_before RENAME TO shop');
      expect(await state()).toEqual(before);

      const again = await pause('postgres');
      await server.query(words.split('\n').slice(1).join('\n'));
      expect(await state()).toEqual(before);
      const note = again.note;
      await server.query('ALTER DATABASE shop CONNECTION LIMIT 5');
      await resumeFromNote(note, parseConnection(server.uri(), {}), ports);
      expect((await state())[0]).toMatchObject({ datconnlimit: 5 });
      await expect(resumeFromNote('{}', parseConnection(server.uri(), {}), ports)).rejects.toMatchObject({
        code: 'ERR_INTERNAL',
      });
    });

    test('and is given back by the failed or cancelled run itself', async () => {
      const run = new AbortController();
      const { access, facts } = await examined(server.uri('shop'), silentLog, run.signal);
      const before = await state();
      const paused = await pauseAccess(access, facts, { ...ports, remember: () => undefined });
      run.abort(new Error('cancelled'));
      await paused.resume();
      expect(await state()).toEqual(before);
    });

    test('not without the right to: nothing is touched', async () => {
      const before = await state();
      await expect(pause('reader')).rejects.toMatchObject({
        code: 'ERR_TARGET_UNFIT',
        message: expect.stringContaining('reader does not own'),
      });
      expect(await state()).toEqual(before);
    });
  });
});
