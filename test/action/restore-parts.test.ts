/** Restores of a part, without owners or rights, with roles that are missing, and of dumps made by other means. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Contents } from '../../src/domain/contents.ts';
import { describeWith } from '../support/availability.ts';
import type { ScenarioRun } from '../support/backup-scenario.ts';
import { recordedContent } from '../support/compare-databases.ts';
import { readable } from '../support/expect-run.ts';
import {
  expectNothingLeft,
  expectRestored,
  RESTORER,
  type RecoveryStage,
  recoveryNeeds,
  startRecoveryStage,
} from '../support/recovery-stage.ts';

describeWith(await recoveryNeeds(17), 'A restore', ({ clients }) => {
  let stage: RecoveryStage;
  let set: ScenarioRun;
  let contents: Contents;

  beforeAll(async () => {
    stage = await startRecoveryStage(clients);
    await stage.loadShop('shop');
    await stage.server.query(
      'CREATE SCHEMA billing; CREATE TABLE billing.invoice (id int PRIMARY KEY); INSERT INTO billing.invoice SELECT generate_series(1, 40)',
      'shop',
    );
    set = await stage.backUp('shop');
    contents = await stage.contents(set.outputs['backup-uri'] ?? '');
  });

  afterAll(() => stage?.stop());

  const restore = (inputs: Record<string, string>): Promise<ScenarioRun> =>
    stage.restore(set.outputs['backup-id'] ?? '', 'shop', inputs);
  const drop = (run: ScenarioRun) => stage.server.query(`DROP DATABASE "${run.outputs['restored-database']}"`);

  test.each<[string, Record<string, string>, readonly string[]]>([
    ['tables', { tables: 'public.customers\npublic.products' }, ['customers', 'products']],
    ['schemas', { schemas: 'billing' }, ['invoice']],
  ])('of some %s brings back these and is judged on them', async (_name, inputs, names) => {
    const run = await restore(inputs);
    expect(run.exitCode, run.maskedLog).toBe(0);
    expect(run.outputs).toMatchObject({ verdict: 'passed', tables: String(names.length) });
    const part = { ...contents, tables: contents.tables.filter(({ name }) => names.includes(name)) };
    const live = await stage.content(run.outputs['restored-database'] ?? '', part);
    expect(live.rows).toEqual(recordedContent(part).rows);
    expect(live.tables).toEqual(part.tables.map(({ schema, name }) => `"${schema}"."${name}" with rows`).sort());
    await expectNothingLeft(stage, run);
    await drop(run);
  });

  test('without owners and rights gives everything to the role that restores', async () => {
    const run = await restore({ owner: 'drop', privileges: 'drop' });
    const database = await expectRestored(stage, run, set.outputs['backup-uri'] ?? '');
    const others = await stage.server.query(
      `SELECT relname, relowner::regrole::text, relacl FROM pg_class
        WHERE relnamespace IN ('public'::regnamespace, 'billing'::regnamespace)
          AND (relowner <> '${RESTORER}'::regrole OR relacl IS NOT NULL)`,
      database,
    );
    expect(others).toEqual([]);
    await drop(run);
  });

  test('into a server without the roles names them and touches nothing; asked to, it makes them', async () => {
    const fresh = await stage.another(17);
    const target = { 'target-database-url': stage.url('postgres', fresh) };
    const refused = await restore(target);
    expect(refused.exitCode).toBe(1);
    for (const words of ['shop_owner', 'shop_app', 'create-roles']) expect(readable(refused.summary)).toContain(words);
    expect(await fresh.query(`SELECT FROM pg_database WHERE datname ~ 'restored'`)).toEqual([]);
    const run = await restore({ ...target, 'create-roles': 'true' });
    const database = await expectRestored(stage, run, set.outputs['backup-uri'] ?? '', fresh);
    expect(
      await fresh.query(`SELECT rolname, rolpassword, rolcanlogin FROM pg_authid WHERE rolname ~ '^shop_' ORDER BY 1`),
    ).toEqual([
      { rolname: 'shop_app', rolpassword: null, rolcanlogin: true },
      { rolname: 'shop_owner', rolpassword: null, rolcanlogin: false },
    ]);
    expect(
      await fresh.query(`SELECT relowner::regrole::text AS owner FROM pg_class WHERE relname = 'orders'`, database),
    ).toEqual([{ owner: 'shop_owner' }]);
    await fresh.stop();
  });

  test.each<[string, string, readonly string[], (bytes: Buffer) => Buffer]>([
    ['a plain dump in gzip', 'shop.sql.gz', [], gzipSync],
    ['a custom archive', 'shop.dump', ['--format=custom'], (bytes) => bytes],
  ])('of %s is partial: red, unless that was accepted beforehand', async (_name, name, args, pack) => {
    const { server } = stage;
    const dump = execFileSync(
      clients[0].pgDump,
      [...args, '-h', server.host, '-p', String(server.port), '-U', server.superuser, 'shop'],
      { maxBuffer: 64 * 1024 * 1024 },
    );
    const file = path.join(stage.folder, name);
    writeFileSync(file, pack(dump));
    const storage = path.join(stage.folder, 'none-yet');
    const inputs = { storage, 'age-recipients': stage.recipient };
    const red = await stage.restore(file, 'shop', inputs);
    expect(red.exitCode, red.maskedLog).toBe(1);
    expect(red.outputs.verdict).toBe('partial');
    expect(readable(red.summary)).toMatch(/❌ Restore of .+: partial, so not passed/);
    await drop(red);
    const run = await stage.restore(file, 'shop', { ...inputs, 'accept-partial': 'true' });
    expect(run.exitCode, run.maskedLog).toBe(0);
    expect(run.outputs.verdict).toBe('partial');
    expect(readable(run.summary)).toMatch(/⚠️ Restore of .+: partial, which was accepted/);
    expect(run.annotations.some(({ kind }) => kind === 'warning')).toBe(true);
    const live = await stage.content(run.outputs['restored-database'] ?? '', contents);
    expect(live).toEqual(recordedContent(contents));
    expect(readFileSync(file)).toEqual(pack(dump));
    await expectNothingLeft(stage, run);
    await drop(run);
  });
});
