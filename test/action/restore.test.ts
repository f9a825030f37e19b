/** Restores that go well, by each strategy, from a real bucket and from a directory, and what they say and write. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Contents } from '../../src/domain/contents.ts';
import type { Strategy } from '../../src/domain/recovery.ts';
import { describeWith } from '../support/availability.ts';
import { PASSWORD, type ScenarioRun } from '../support/backup-scenario.ts';
import { contentDifferences, recordedContent } from '../support/compare-databases.ts';
import { expectNoSecret, formsOf, readable } from '../support/expect-run.ts';
import { watchDescendants } from '../support/process-watch.ts';
import {
  auditPair,
  commandsAfter,
  expectNothingLeft,
  expectRestored,
  freshAudits,
  INCIDENT,
  type RecoveryStage,
  recoveryNeeds,
  serverState,
  startRecoveryStage,
  typeIn,
} from '../support/recovery-stage.ts';
import { expectNothingSeen } from '../support/watched-run.ts';
import { startWatchingService } from '../support/watching-service.ts';

const SECRET_TEXTS = ['AGE-SECRET-KEY-', 'ana.bakker'];

describeWith(await recoveryNeeds(17), 'A restore', ({ clients }) => {
  let stage: RecoveryStage;
  let set: ScenarioRun;
  let uri: string;
  let contents: Contents;

  beforeAll(async () => {
    stage = await startRecoveryStage(clients);
    await stage.loadShop('shop');
    await stage.server.query(`COMMENT ON DATABASE shop IS 'the only one'; ALTER DATABASE shop SET work_mem TO '7MB';
      ALTER DATABASE shop OWNER TO shop_owner; REVOKE CONNECT ON DATABASE shop FROM PUBLIC; GRANT CONNECT ON DATABASE shop TO shop_app`);
    set = await stage.backUp('shop', { storage: `${stage.inBucket}\n${stage.directory}` });
    uri = set.outputs['backup-uri'] ?? '';
    contents = await stage.contents(uri);
    await stage.server.query(INCIDENT, 'shop');
  });

  afterAll(() => stage?.stop());

  const id = (): string => set.outputs['backup-id'] ?? '';
  const fingerprint = (database = 'shop'): string => `127.0.0.1:${stage.server.port}/${database}`;
  const confirmed = () => ({ confirm: fingerprint(), reason: 'a migration dropped a table' });
  const namesOfDatabases = async (): Promise<string[]> =>
    (await stage.server.query<{ datname: string }>('SELECT datname FROM pg_database')).map(({ datname }) => datname);

  test.each<[Strategy, readonly RegExp[]]>([
    ['new-database', [/created \| shop_restored_/, /proof \| every row/]],
    [
      'swap',
      [
        /paused \|/,
        /saved \| .*label emergency, kept for ever, in the series shop/,
        /created \| shop_restored_/,
        /renamed \| if all is proven/,
        /proof \|/,
      ],
    ],
    [
      'in-place',
      [
        /paused \|/,
        /saved \| .*label emergency, kept for ever, in the series shop/,
        /replaced \| in shop/,
        /dropped \| 1 schema with \d+ objects: public/,
        /proof \|/,
      ],
    ],
  ])('that is a dry run of %s says the whole plan, and neither touches nor writes anything', async (strategy, plan) => {
    const before = [await serverState(stage.server), await stage.bucket.state()];
    const content = await stage.content('shop', { ...contents, tables: [] });
    const run = await stage.restore(id(), 'shop', {
      strategy,
      'dry-run': 'true',
      ...(strategy === 'in-place' ? confirmed() : {}),
    });
    expect(run.exitCode, run.maskedLog).toBe(0);
    expect([await serverState(stage.server), await stage.bucket.state()]).toEqual(before);
    expect(await stage.content('shop', { ...contents, tables: [] })).toEqual(content);
    const text = readable(run.summary);
    for (const words of [
      /Dry run of a restore of shop/,
      /Nothing was touched/,
      /backup \| /,
      /restore \| \d+ entries/,
      ...plan,
    ])
      expect(text).toMatch(words);
    const rows = text.split('\n').filter((line) => line.startsWith('| '));
    expect(rows, 'each part of the plan stands there once').toEqual([...new Set(rows)]);
    expect(text.match(/^\| target \|/gm)).toHaveLength(1);
    expect(run.outputs).toMatchObject({ 'backup-id': id(), 'backup-uri': uri });
    expect(Object.keys(run.outputs)).not.toContain('verdict');
    await expectNothingLeft(stage, run);
  });

  test('into a new database leaves the one that is there as it is, and says where the data is', async () => {
    const keys = await stage.bucket.keys();
    const shop = await stage.content('shop', { ...contents, tables: [] });
    const seen: ReturnType<typeof watchDescendants>[] = [];
    const reportPath = path.join(stage.folder, 'incident.md');
    const run = await stage.restore(
      id(),
      'shop',
      { storage: `${stage.inBucket}\n${stage.directory}`, 'report-path': reportPath, reason: 'a look at orders' },
      { onStart: ({ pid }) => seen.push(watchDescendants(pid)) },
    );
    const children = seen[0]?.stop() ?? [];
    const database = await expectRestored(stage, run, uri);
    expect(database).toBe(`shop_restored_${id()}`);
    expect(await stage.content('shop', { ...contents, tables: [] })).toEqual(shop);
    expect(run.outputs).toMatchObject({
      'backup-id': id(),
      tables: String(contents.tables.length),
      'postgres-major': '17',
      'report-path': reportPath,
    });
    expectNothingSeen(children, [PASSWORD, stage.identity, stage.s3.secretAccessKey], [/pg_restore/]);

    const fresh = await freshAudits(stage, keys);
    const { started, finished } = auditPair(fresh);
    expect(started).toMatchObject({
      command: 'restore',
      actor: 'octocat',
      reason: 'a look at orders',
      strategy: 'new-database',
      backup: { id: id(), uri },
      target: { database },
    });
    expect(finished).toMatchObject({ outcome: 'restored', verdict: 'passed' });
    expect(finished.timings.totalSeconds).toBeGreaterThan(0);
    for (const [key, text] of fresh) {
      expect(readFileSync(path.join(stage.directory, key), 'utf8')).toBe(text);
      expectNowhere(text, [PASSWORD, stage.identity, stage.s3.secretAccessKey]);
    }
    const report = readFileSync(reportPath, 'utf8');
    for (const words of ['Restore of', 'octocat', 'a look at orders', 'Timeline (UTC)', 'was fetched', 'was created'])
      expect(readable(report)).toContain(words);
    expectNowhere(`${report}${readable(report)}`, [PASSWORD, stage.identity, ...SECRET_TEXTS]);
    typeIn(stage, `psql -X -d postgres -c '${commandsAfter(run, `When nobody needs ${database}`).trim()}'`);
    expect(await namesOfDatabases()).not.toContain(database);
  });

  test('that swaps puts the copy in its place, and the old one comes back by what the summary says', async () => {
    const keys = await stage.bucket.keys();
    const old = await stage.content('shop', { ...contents, tables: [] });
    const hook = await startWatchingService();
    const run = await stage.restore(id(), 'shop', { strategy: 'swap', 'webhook-url': `${hook.url}/hook` });
    await hook.close();
    const told = hook.calls.map(({ body }) => JSON.parse(body));
    expect(told.map(({ event }) => event)).toEqual(['start', 'progress', 'progress', 'progress', 'success']);
    expect(told[0].happened).toMatch(
      new RegExp(`^Backup: ${id()}\\. Target: ${fingerprint()}\\. Nobody knows how long`),
    );
    expect(await expectRestored(stage, run, uri)).toBe('shop');
    const former = `shop_before_${id()}`;
    expect(await stage.content(former, { ...contents, tables: [] })).toEqual(old);
    expect(await stage.server.query(PROPERTIES('shop'))).toEqual(await stage.server.query(PROPERTIES(former)));

    const { finished } = auditPair(await freshAudits(stage, keys));
    expect(finished).toMatchObject({ formerDatabase: former, strategy: 'swap', verdict: 'passed' });
    const safety = finished.safetyBackup;
    const manifest = await stage.manifest(safety?.uri ?? '');
    expect(manifest).toMatchObject({ id: safety?.id, label: 'emergency', keepForever: true, verdict: 'proven' });
    expect(manifest.encryption).toMatchObject({ method: 'age', recipients: [stage.recipient] });
    expect(readable(run.summary)).toContain(`What was there before is in ${safety?.id}, proven and kept for ever`);

    typeIn(stage, commandsAfter(run, 'To swap back'));
    expect(await stage.content('shop', { ...contents, tables: [] })).toEqual(old);
    const emergency = await stage.restore(safety?.id ?? '', 'shop');
    const copy = await expectRestored(stage, emergency, safety?.uri ?? '');
    expect(await stage.server.query('SELECT answer FROM since_then', copy)).toEqual([{ answer: 42 }]);
  });

  test('in place brings the content back into the database itself, after a proven safety backup', async () => {
    const keys = await stage.bucket.keys();
    const [before] = await stage.server.query<{ oid: number }>(`SELECT oid FROM pg_database WHERE datname = 'shop'`);
    const run = await stage.restore(id(), 'shop', { strategy: 'in-place', ...confirmed() });
    expect(await expectRestored(stage, run, uri)).toBe('shop');
    expect(await stage.server.query(`SELECT oid FROM pg_database WHERE datname = 'shop'`)).toEqual([before]);
    const { finished } = auditPair(await freshAudits(stage, keys));
    expect(finished).toMatchObject({ reason: confirmed().reason, strategy: 'in-place' });
    const safety = finished.safetyBackup;
    const emergency = await stage.restore(safety?.id ?? '', 'shop');
    const copy = await expectRestored(stage, emergency, safety?.uri ?? '');
    const then = recordedContent(await stage.contents(safety?.uri ?? ''));
    expect(contentDifferences(then, recordedContent(contents)).length).toBeGreaterThan(2);
    expect(await stage.server.query('SELECT answer FROM since_then', copy)).toEqual([{ answer: 42 }]);
    expect(commandsAfter(run, /What shop held before is in the safety backup .* To bring it back:/)).toContain(
      safety?.id,
    );
    await stage.server.query(INCIDENT, 'shop');
  });

  test('from the second destination alone is as good', async () => {
    const run = await stage.restore(id(), 'shop', { storage: stage.directory }, { env: { AWS_ACCESS_KEY_ID: 'none' } });
    const database = await expectRestored(stage, run, path.join(stage.directory, 'shop', id()));
    await stage.server.query(`DROP DATABASE "${database}"`);
    const audits = readdirSync(path.join(stage.directory, 'shop', '_audit'));
    expect(audits.length).toBeGreaterThanOrEqual(4);
    expect(existsSync(path.join(stage.directory, 'shop', id(), 'metadata.json'))).toBe(true);
  });

  test('of a set of another repository needs nothing but its URI', async () => {
    const theirs = stage.s3.storageUri('backups', 'theirs');
    const made = await stage.backUp(
      'shop',
      { storage: theirs, name: 'elsewhere' },
      { env: { GITHUB_REPOSITORY: 'other/one' } },
    );
    const [folder = '', query = ''] = theirs.split('?');
    const run = await stage.restore(`${folder}/elsewhere/${made.outputs['backup-id']}?${query}`, 'shop', {
      storage: stage.directory,
    });
    const database = await expectRestored(stage, run, made.outputs['backup-uri'] ?? '');
    await stage.server.query(`DROP DATABASE "${database}"`);
  });

  test('with a passphrase is as good, and no word of it is anywhere', async () => {
    const passphrase = 'five-random-words-in-a-row';
    const storage = path.join(stage.folder, 'by-passphrase');
    const made = await stage.backUp('shop', { storage, 'age-passphrase': passphrase });
    const run = await stage.restore(made.outputs['backup-id'] ?? '', 'shop', { storage, 'age-passphrase': passphrase });
    expect(run.exitCode, run.maskedLog).toBe(0);
    expect(run.outputs.verdict).toBe('passed');
    const database = run.outputs['restored-database'] ?? '';
    const recorded = { ...contents, tables: contents.tables.filter(({ name }) => name !== 'order_items') };
    expect(await stage.content(database, recorded)).toEqual(await stage.content('shop', recorded));
    expectNoSecret(run, [passphrase]);
    await stage.server.query(`DROP DATABASE "${database}"`);
  });
});

function expectNowhere(text: string, secrets: readonly string[]): void {
  for (const secret of secrets.flatMap(formsOf)) expect(text.includes(secret), secret).toBe(false);
}

/** Owner, rights, comment and settings of a database, as anybody reads them. */
const PROPERTIES = (database: string): string => `
  SELECT datdba::regrole::text AS owner, shobj_description(oid, 'pg_database') AS comment, datconnlimit,
         has_database_privilege('shop_app', oid, 'CONNECT') AS app,
         (SELECT array_agg(acl::text ORDER BY 1) FROM unnest(datacl::text[]) acl) AS acl,
         (SELECT setconfig::text FROM pg_db_role_setting WHERE setdatabase = d.oid) AS settings
    FROM pg_database d WHERE datname = '${database}'`;
