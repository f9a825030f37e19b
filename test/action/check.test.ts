/** `command: check` as a runner starts it: exit code, annotations, outputs, files, issue. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { describeIf } from '../support/availability.ts';
import { makeUpBackup, sourceOf } from '../support/check-past.ts';
import { readable } from '../support/expect-run.ts';
import { type FakeGitHub, startGitHub } from '../support/github-api.ts';
import { availableMajors, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { schemaErrors } from '../support/published-schemas.ts';
import { type ActionResult, runAction } from '../support/run-action.ts';
import { readXml } from '../support/xml.ts';

const MAJOR = 17;
const here = availableMajors().includes(MAJOR) || { skipped: `no server of major ${MAJOR}` };
const PASSWORD = 'S3cr3t-of-the-check';

describeIf(here, 'A check as a gate', () => {
  let server: PostgresServer;
  let folder: string;
  let github: FakeGitHub;
  beforeAll(async () => {
    server = await startPostgres({
      major: MAJOR,
      settings: { fsync: 'on', full_page_writes: 'on' },
      hba: 'host all app 127.0.0.1/32 scram-sha-256',
    });
    await server.createDatabase('shop');
    await server.query(`CREATE ROLE app LOGIN PASSWORD '${PASSWORD}'; GRANT pg_monitor, pg_read_all_data TO app`);
    await server.query(
      'CREATE TABLE orders (id int PRIMARY KEY, mail text); INSERT INTO orders SELECT i, $$somebody@example.com$$ FROM generate_series(1, 20) i',
      'shop',
    );
  });
  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'check-action-'));
    github = await startGitHub();
    return async () => {
      await github.close();
      await rm(folder, { recursive: true, force: true });
    };
  });
  afterAll(() => server.stop());

  const run = (inputs: Record<string, string> = {}): Promise<ActionResult> =>
    runAction({
      github,
      cwd: folder,
      inputs: {
        command: 'check',
        'database-url': server.uri('shop', 'app', PASSWORD),
        storage: path.join(folder, 'backups'),
        'critical-tables': 'public.orders rows>=10',
        'report-path': 'out/check.md',
        checks: 'checksums=off',
        ...inputs,
      },
    });

  test('is green on a sound database, in seconds, and leaves a verdict and four files', async () => {
    const done = await run();
    expect(done.exitCode, done.maskedLog).toBe(0);
    expect(done.seconds).toBeLessThan(20);
    expect(done.outputs).toMatchObject({ verdict: 'warning', 'report-path': 'out/check.md', 'postgres-major': '17' });
    const findings = JSON.parse(done.outputs.findings ?? '');
    expect(schemaErrors('check-findings', findings)).toEqual([]);
    expect(findings[0]).toMatchObject({ code: 'row-drop', status: 'not-run' });
    expect(done.maskedLog).toMatch(/Checked 127\.0\.0\.1:\d+\/shop, warning: \d+ passed, 1 not run/);
    expect(await readdir(path.join(folder, 'out'))).toEqual([
      'check.json',
      'check.md',
      'check.schema.txt',
      'check.xml',
    ]);
    expect(schemaErrors('check', JSON.parse(readFileSync(path.join(folder, 'out/check.json'), 'utf8')))).toEqual([]);
    expect(readFileSync(path.join(folder, 'out/check.schema.txt'), 'utf8')).toContain('\ntable public.orders\n');
    expect(await readdir(path.join(folder, 'backups/shop/_checks'))).toHaveLength(1);
    expect(github.issues).toEqual([]);
  });

  test('is green without a storage, and keeps nothing', async () => {
    const done = await run({ storage: '', 'critical-tables': '' });
    expect(done.exitCode, done.maskedLog).toBe(0);
    expect(done.outputs.verdict).toBe('passed');
    expect(readable(done.summary)).toContain('✅ Check of shop: passed');
    expect(existsSync(path.join(folder, 'backups'))).toBe(false);
  });

  test('is red when a check fails: the worst first, an annotation, an issue that the next good check closes', async () => {
    const failed = await run({
      'min-tables': '5',
      assertions: "SELECT count(*) = 0 FROM public.orders WHERE mail LIKE '%@%'",
    });
    expect(failed.exitCode).toBe(1);
    expect(failed.outputs.verdict).toBe('failed');
    const errors = failed.annotations.filter(({ kind }) => kind === 'error');
    expect(errors.map(({ title }) => title)).toEqual([
      'min-tables',
      'assertions',
      'The check of "shop" failed (ERR_CHECK)',
    ]);
    expect(errors[2]?.message).toContain('2 of ');
    expect(errors[2]?.message).toContain('A check only reads: nothing in the database was changed.');
    const summary = readable(failed.summary);
    expect(summary).toContain('❌ Check of shop: failed');
    expect(summary.indexOf('### Shape')).toBeLessThan(summary.indexOf('### Reach'));
    const xml = readXml(readFileSync(path.join(folder, 'out/check.xml'), 'utf8'));
    expect(JSON.stringify(xml)).toContain('db-backup-action.check.shape');
    for (const text of [
      failed.maskedLog,
      failed.summary,
      JSON.stringify(failed.outputs),
      JSON.stringify(github.issues),
    ]) {
      expect(text).not.toContain('somebody@');
      expect(text).not.toContain(PASSWORD);
    }
    expect(github.issues).toMatchObject([{ state: 'open', title: 'The check of "shop" failed (ERR_CHECK)' }]);
    expect(JSON.stringify(github.issues)).not.toContain('"critical"');
    const good = await run();
    expect(good.exitCode).toBe(0);
    expect(github.issues).toMatchObject([{ state: 'closed' }]);
  });

  test('is red when the server does not answer, and keeps that too', async () => {
    const url = `postgresql://app:${PASSWORD}@127.0.0.1:1/shop`;
    const done = await run({ 'database-url': url, 'connect-window-seconds': '1' });
    expect(done.exitCode).toBe(1);
    expect(done.annotations.map(({ title }) => title)).toContain('The check of "shop" failed (ERR_CONNECT)');
    expect(github.issues).toMatchObject([{ state: 'open', labels: expect.arrayContaining(['critical']) }]);
    const [file = ''] = await readdir(path.join(folder, 'backups/shop/_checks'));
    expect(JSON.parse(readFileSync(path.join(folder, 'backups/shop/_checks', file), 'utf8'))).toMatchObject({
      error: 'ERR_CONNECT',
      server: null,
    });
    expect(readFileSync(path.join(folder, 'out/check.md'), 'utf8')).not.toContain(PASSWORD);
  });

  test('leaves what a status shows: the last verdict, how often the database answered, and each day', async () => {
    const storage = path.join(folder, 'backups');
    const look = () =>
      runAction({
        github,
        inputs: { command: 'status', storage, 'fail-on': 'never', dashboard: 'page.html' },
        cwd: folder,
      });
    const source = await sourceOf(server, 'shop');
    await makeUpBackup(storage, 'shop', { daysAgo: 0.1, databaseBytes: 1_000_000, tables: { orders: 20 }, source });
    await run();
    await run({ 'database-url': `postgresql://app:${PASSWORD}@127.0.0.1:1/shop`, 'connect-window-seconds': '1' });
    const down = await look();
    expect(down.exitCode, down.maskedLog).toBe(0);
    expect(down.outputs.findings).toContain('check-failed');
    expect(down.maskedLog).toContain('The database of shop answered 1 of 2 health checks in the last 30 days (50 %)');
    expect(readable(down.summary)).toMatch(/ {2}checks {2}.*✗/);
    expect(readFileSync(path.join(folder, 'page.html'), 'utf8')).toContain('answered 1 of 2 checks in 30 days');
    await run();
    const up = await look();
    expect(up.outputs.findings).not.toContain('check-failed');
    expect(up.maskedLog).toContain('answered 2 of 3 health checks');
  });

  test('with strict is red for what it may not see', async () => {
    await server.query('REVOKE pg_monitor FROM app');
    try {
      const lenient = await run({ storage: '' });
      expect([lenient.exitCode, lenient.outputs.verdict]).toEqual([0, 'warning']);
      const strict = await run({ storage: '', strict: 'true' });
      expect(strict.exitCode).toBe(1);
      expect(strict.maskedLog).toContain('GRANT pg_monitor TO "app";');
      expect(strict.maskedLog).toMatch(
        /No check failed, but \d+ of \d+ could not run, which `strict` counts as failed/,
      );
    } finally {
      await server.query('GRANT pg_monitor TO app');
    }
  });

  test('of wrong inputs says all of them, and asks nothing', async () => {
    const done = await run({
      checks: 'conections=off\nlatency=100\ntls=5',
      'critical-tables': 'orders rows>10',
      'age-recipients': 'age1x',
      storage: '',
      baseline: 'storage',
    });
    expect(done.exitCode).toBe(1);
    for (const words of [
      'Did you mean `connections`',
      'the limit of "latency" has an input of its own: `max-latency-ms`',
      '"tls" has no limit',
      'has a condition that is none',
      'age-recipients',
      'baseline: it compares with what is in `storage`',
    ]) {
      expect(done.maskedLog).toContain(words);
    }
  });
});
