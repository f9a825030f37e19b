/** `verify: restore`: a backup is restored while it is taken. What is wrong with that makes it unproven, and loses nothing. */
import { chmod, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { describeWith, testIf } from '../support/availability.ts';
import { until } from '../support/backup-scenario.ts';
import { clientTools } from '../support/clients.ts';
import { loadDatabase } from '../support/databases/index.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { processesWith } from '../support/process-watch.ts';
import { canMount, mountSmall } from '../support/small-file-system.ts';
import { openTrialBench, restoreCheck, type TrialBench } from '../support/trial-bench.ts';

const MAJOR = 17;

describeWith(await clientTools(MAJOR), 'A backup with verify: restore', (clients) => {
  let server: PostgresServer;
  let bench: TrialBench;

  beforeAll(async () => {
    server = await startPostgres({ major: MAJOR });
    await server.createDatabase('large');
    await server.query(
      `CREATE TABLE noise AS SELECT n, string_agg(md5(n || ' ' || m), '') AS text
         FROM generate_series(1, 6000) AS n, generate_series(1, 60) AS m GROUP BY n`,
      'large',
    );
    for (const fixture of ['shop', 'awkward', 'shapes'] as const) await loadDatabase(server, fixture, fixture);
  });
  afterAll(() => server?.stop());
  beforeEach(async () => {
    bench = await openTrialBench(server, clients);
  });
  afterEach(async () => {
    const left = await until(
      () => [...processesWith(path.join(bench.folder, 'temp/'))].map(({ commandLine }) => commandLine),
      (seen) => seen.length === 0,
    );
    expect(left).toEqual([]);
    expect(await bench.leftovers()).toEqual([]);
    await bench.remove();
  });

  test.each(['shop', 'awkward', 'shapes', 'large'])(
    'of the database %s is proven by what came back',
    async (database) => {
      const result = await bench.run(database);
      expect(restoreCheck(result)).toMatchObject({ details: [], status: 'passed' });
      expect(result.manifest.verdict).toBe('proven');
      expect(result.timings.map(({ phase }) => phase)).toContain('rest of the restore and its proof');
      expect(await bench.manifests()).toMatchObject([
        {
          checks: expect.arrayContaining([
            { id: 'restore', status: 'passed', reason: expect.stringContaining('pg_restore brought the archive back') },
          ]),
        },
      ]);
    },
  );

  test('of one that no restore can bring back is stored, and fails by name', async () => {
    await server.createDatabase('broken');
    await server.query(
      `CREATE TABLE rates (id int PRIMARY KEY);
       CREATE FUNCTION is_known(int) RETURNS boolean LANGUAGE sql AS 'SELECT EXISTS (SELECT FROM public.rates WHERE id = $1)';
       CREATE TABLE invoices (rate int CHECK (is_known(rate)));
       INSERT INTO rates VALUES (1); INSERT INTO invoices VALUES (1)`,
      'broken',
    );
    const result = await bench.run('broken');
    const check = restoreCheck(result);
    expect(check.status).toBe('failed');
    expect(check.reason).not.toContain('invoices');
    expect(check.details.join('\n')).toMatch(/COPY failed for table "invoices".*invoices_rate_check/);
    expect(check.details.join('\n')).toMatch(/tables: .*invoices/);
    expect(await bench.manifests()).toMatchObject([{ verdict: 'unproven' }]);
  });

  test('without a local server is stored, but not proven', async () => {
    const without = await openTrialBench(server, clients, { withServer: false });
    try {
      // A major that this machine may have by itself would be found.
      const result = await without.run('shop');
      expect(restoreCheck(result)).toMatchObject({
        status: 'not-run',
        details: [expect.stringMatching(/A local server of Postgres 17 is not to be had on this machine/)],
      });
      expect(await without.manifests()).toMatchObject([{ verdict: 'unproven' }]);
      expect(await without.leftovers()).toEqual([]);
    } finally {
      await without.remove();
    }
  });

  test('whose local server dies is stored, but not proven', async () => {
    const running = bench.run('shop');
    const [postmaster] = await until(
      () =>
        processesWith(path.join(bench.folder, 'temp/')).filter(({ commandLine }) =>
          commandLine.includes('postgres -D'),
        ),
      (seen) => seen.length > 0,
      20_000,
    );
    if (postmaster === undefined) throw new Error('no local server was seen');
    process.kill(postmaster.pid, 'SIGKILL');
    expect(restoreCheck(await running).status).toBe('not-run');
    expect(await bench.manifests()).toMatchObject([{ verdict: 'unproven' }]);
  });

  testIf(canMount(), 'does not begin to fill a disk that is too small for a copy', async () => {
    const unmount = mountSmall(path.join(bench.folder, 'temp'), 300);
    try {
      expect(restoreCheck(await bench.run('shop'))).toMatchObject({
        status: 'not-run',
        details: [
          expect.stringMatching(/^A local copy of the database would need about 1\.\d GiB, and \d+ MiB are free in/),
        ],
      });
      expect(await bench.manifests()).toMatchObject([{ verdict: 'unproven' }]);
    } finally {
      unmount();
    }
  });

  /** A pg_restore that does this when it is to restore into a database; as ever otherwise. */
  async function restoringBy(script: string): Promise<void> {
    await rm(bench.clientBin);
    await mkdir(bench.clientBin);
    for (const name of await readdir(clients.bin)) {
      await symlink(path.join(clients.bin, name), path.join(bench.clientBin, name));
    }
    const file = path.join(bench.clientBin, 'pg_restore');
    await rm(file);
    await writeFile(
      file,
      `#!/bin/sh\nREAL='${clients.pgRestore}'\ncase "$*" in *--verbose*--dbname=*)\n${script}\nesac\nexec "$REAL" "$@"\n`,
    );
    await chmod(file, 0o755);
  }

  test('does not wait for a restore that takes nothing', async () => {
    await restoringBy('exec sleep 600');
    const result = await bench.run('large', { stallTimeoutSeconds: 2 });
    expect(restoreCheck(result)).toMatchObject({
      status: 'not-run',
      details: [
        expect.stringMatching(/pg_restore has been silent for \d+ s, and the server no longer knows its session/),
      ],
    });
    expect(await bench.manifests()).toMatchObject([{ verdict: 'unproven' }]);
  });

  test('notices a pg_restore that ends without a word', async () => {
    await restoringBy('exit 1');
    expect(restoreCheck(await bench.run('shop'))).toMatchObject({
      status: 'not-run',
      details: [expect.stringContaining('exit code 1')],
    });
    expect(await bench.manifests()).toMatchObject([{ verdict: 'unproven' }]);
  });

  test('that is cancelled leaves nothing, neither stored nor running', async () => {
    await restoringBy('exec sleep 601');
    const cancelled = new AbortController();
    const running = bench.run('shop', {}, cancelled.signal).catch((error: unknown) => error);
    await until(
      () => processesWith('sleep 601').length,
      (seen) => seen > 0,
      20_000,
    );
    cancelled.abort(new Error('cancelled'));
    expect(await running).toMatchObject({ message: 'cancelled' });
    expect(await bench.manifests()).toEqual([]);
    expect(processesWith('sleep 601')).toEqual([]);
  });
});
