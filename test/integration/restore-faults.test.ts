/** What goes wrong at a target while pg_restore is at work: words, codes, and no silence. */
import { chownSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConnection } from '../../src/domain/connection.ts';
import { creatableRoles, roleStatements } from '../../src/domain/globals.ts';
import { loadingSession } from '../../src/postgres/dump-session.ts';
import { type RestoreRun, runRestore } from '../../src/postgres/restore.ts';
import { RESTORE_SESSION } from '../../src/postgres/restore-process.ts';
import { createRoles } from '../../src/postgres/roles.ts';
import { readRoleUse, readToc } from '../../src/postgres/toc.ts';
import type { SessionState } from '../../src/postgres/watchdog.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { describeWith, testIf } from '../support/availability.ts';
import { type Faults, startFaultProxy } from '../support/fault-proxy.ts';
import { serverAccount } from '../support/postgres-binaries.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { asStream, inventory, never, RestoreBench, restoreClients } from '../support/restore-bench.ts';
import { runTool } from '../support/run-tool.ts';
import { silentLog } from '../support/silent-log.ts';
import { canMount, mountSmall } from '../support/small-file-system.ts';
import { SUPERUSER } from '../support/target-facts.ts';

const BIG = 'CREATE TABLE big AS SELECT g AS id, repeat(md5(g::text), 20) AS filler FROM generate_series(1, 100000) g';

function troubles({ messages }: RestoreRun): string[] {
  return messages.filter(({ kind }) => kind !== 'harmless').map(({ kind, reason }) => `${kind}: ${reason}`);
}

describeWith(await restoreClients(17, 17), 'a restore that fails', (clients) => {
  let bench: RestoreBench;

  beforeAll(async () => {
    bench = await RestoreBench.start(clients, 17);
    await bench.source.createDatabase('big');
    await bench.source.query(BIG, 'big');
  });

  afterAll(() => bench.stop());

  test('roles that are missing are named before it begins, and created from the globals when asked', async () => {
    const archive = await bench.dump('shapes', { fixture: 'shapes' });
    const missing = await bench.plan(archive);
    expect(missing.missingRoles).toEqual(['shapes_owner', 'shapes_reader']);
    expect(missing.findings).toContainEqual(expect.objectContaining({ code: 'roles-missing', severity: 'error' }));
    const run = await runRestore(bench.options(await bench.newDatabase(), archive, missing));
    expect(troubles(run).length).toBeGreaterThan(10);
    expect(new Set(troubles(run))).toEqual(
      new Set([
        'fatal: a role is missing on the target, so an owner or a right is missing',
        // The comment on a policy that could not be made.
        'fatal: it needs something that was not restored',
      ]),
    );

    const globals = await runTool(clients.dump.pgDumpall, [
      '--globals-only',
      '--no-role-passwords',
      `--dbname=${bench.source.uri()}`,
    ]);
    const choices = { createRoles: true };
    const plan = await bench.plan(archive, { choices, input: { creatableRoles: creatableRoles(globals) } });
    expect(plan).toMatchObject({ rolesToCreate: ['shapes_owner', 'shapes_reader'], findings: [] });
    const client = await bench.target.connect();
    const target = { superuser: true, major: 17, roles: ['postgres'] };
    await createRoles(client, roleStatements(globals, plan.rolesToCreate, target));
    await client.end();
    const database = await bench.newDatabase();
    expect(troubles(await runRestore(bench.options(database, archive, plan)))).toEqual([]);
    expect(await inventory(bench.target, database)).toEqual(await inventory(bench.source, 'shapes'));
  });

  test('roles are created together or not at all', async () => {
    const client = await bench.target.connect();
    const statements = { create: ['CREATE ROLE first', 'CREATE ROLE postgres'], memberships: [], ignored: [] };
    await expect(createRoles(client, statements)).rejects.toMatchObject({ code: 'ERR_RESTORE_FAILED' });
    expect((await client.query("SELECT FROM pg_roles WHERE rolname = 'first'")).rowCount).toBe(0);
    await client.end();
  });

  test('a collation that the target lacks is fatal', async () => {
    await bench.source.createDatabase('collated');
    await bench.source.query(
      `CREATE COLLATION odd (provider = libc, locale = 'C');
       UPDATE pg_collation SET collcollate = 'xx_XX.utf8', collctype = 'xx_XX.utf8' WHERE collname = 'odd'`,
      'collated',
    );
    const archive = await bench.dump('collated');
    const run = await runRestore(bench.options(await bench.newDatabase(), archive, await bench.plan(archive)));
    expect(troubles(run)).toContain('fatal: the target lacks a collation');
  });

  test('a target that was not empty is fatal, for each object', async () => {
    const archive = await bench.dump('big');
    const plan = await bench.plan(archive);
    const database = await bench.newDatabase();
    await bench.target.query('CREATE TABLE big (id text)', database);
    const run = await runRestore(bench.options(database, archive, plan));
    expect(troubles(run)).toEqual([
      'fatal: the target was not empty',
      // Its rows have a column that the table lacks.
      'fatal: it needs something that was not restored',
    ]);
    expect(run.exitCode).toBe(1);
  });

  test('a role that is bound by row-level security brings all rows all the same', async () => {
    await bench.source.createDatabase('bound');
    await bench.source.query(
      `CREATE TABLE note (id int, who name); INSERT INTO note VALUES (1, 'a'), (2, 'b');
       ALTER TABLE note ENABLE ROW LEVEL SECURITY; ALTER TABLE note FORCE ROW LEVEL SECURITY;
       CREATE POLICY own ON note USING (who = current_user)`,
      'bound',
    );
    await bench.target.query('CREATE ROLE bound LOGIN');
    const archive = await bench.dump('bound');
    const choices = { owner: 'drop', privileges: 'drop' } as const;
    const plan = await bench.plan(archive, { choices });
    const database = await bench.newDatabase('OWNER bound TEMPLATE template0');
    const options = bench.options(database, archive, plan, { ...choices, env: bench.env(database, 'bound') });
    expect(troubles(await runRestore(options))).toEqual([]);
    expect(await bench.target.query('SELECT FROM note', database)).toHaveLength(2);
  });

  test('a role that may not do everything is told object by object', async () => {
    const archive = await bench.dump('limited', { fixture: 'shapes' });
    await bench.target.query('CREATE ROLE limited LOGIN');
    const choices = { owner: 'drop', privileges: 'drop' } as const;
    const role = { ...SUPERUSER, name: 'limited', superuser: false, createRole: false };
    const plan = await bench.plan(archive, { choices });
    expect(plan.restored.some(({ type }) => type === 'EVENT TRIGGER')).toBe(true);
    const database = await bench.newDatabase('OWNER limited TEMPLATE template0');
    const options = bench.options(database, archive, plan, { ...choices, env: bench.env(database, role.name) });
    const run = await runRestore(options);
    expect(troubles(run)).toContain('fatal: the role may not create this extension');
    expect(troubles(run)).toContain('fatal: the role of the target lacks a right');
  });

  test('an archive that is damaged, and a file that is none, are told as such', async () => {
    const archive = await bench.dump('big');
    const plan = await bench.plan(archive);
    const noArchive = { kind: 'file', format: 'custom', path: '/etc/hostname' } as const;
    const run = { env: {}, signal: never() };
    await expect(readToc(bench.tools, noArchive, run)).rejects.toMatchObject({ code: 'ERR_RESTORE_FAILED' });
    const damaged = asStream(archive);
    if (damaged.kind !== 'stream') throw new Error('not a stream');
    const cut = { ...damaged, open: async () => (await damaged.open()).take(2) };
    const restored = await runRestore(bench.options(await bench.newDatabase(), cut, plan));
    expect(troubles(restored).length).toBeGreaterThan(0);
    const source = { ...damaged, open: async () => failing() };
    const failed = runRestore(bench.options(await bench.newDatabase(), source, plan));
    await expect(failed).rejects.toThrow('the storage went away');
  });

  test('the head of a stream is enough for its table of contents', async () => {
    const archive = await bench.dump('big');
    const stream = asStream(archive);
    if (stream.kind !== 'stream') throw new Error('not a stream');
    const run = { env: {}, signal: never(), workDir: bench.folder };
    const whole = await readToc(bench.tools, archive, run);
    const opened = await stream.open();
    expect(await readToc(bench.tools, { stream: opened }, run)).toEqual(whole);
    expect(opened.destroyed).toBe(true);
    expect(await readRoleUse(bench.tools, { stream: await stream.open() }, whole, run)).toEqual(new Map());
    await expect(readToc(bench.tools, { stream: failing() }, run)).rejects.toThrow('the storage went away');
  });

  test('a restore that hangs is ended, and the server is asked first', async () => {
    const archive = await bench.dump('big');
    const plan = await bench.plan(archive);
    const database = await bench.newDatabase();
    const blocker = await bench.target.connect(database);
    await blocker.query('BEGIN; CREATE TABLE public.big ()');
    const answers = ['working', 'waiting-for-client'] as const;
    let asked = 0;
    const options = bench.options(database, archive, plan, {
      stallSeconds: 1,
      askServer: async () => answers[Math.min(asked++, 1)] ?? 'gone',
    });
    await expect(runRestore(options)).rejects.toMatchObject({
      code: 'ERR_RESTORE_FAILED',
      message: expect.stringContaining('pg_restore has been silent'),
      retryable: true,
    });
    expect(asked).toBeGreaterThan(1);
    await blocker.end();
  });

  test.each(['file', 'stream'] as const)(
    'a network that dies in the middle of a table ends a restore from a %s, and is not taken for work',
    async (kind) => {
      const archive = await bench.dump('big');
      const plan = await bench.plan(archive);
      const database = await bench.newDatabase();
      const { port } = bench.target;
      await using proxy = await proxyTo(port);
      const request = parseConnection(bench.target.uri(database), {}, 'target-database-url');
      const { signal } = new AbortController();
      const key = { applicationName: RESTORE_SESSION };
      const askServer = loadingSession(request, key, { clock: systemClock, log: silentLog }, signal);
      const said: SessionState[] = [];
      const options = bench.options(database, kind === 'file' ? archive : asStream(archive), plan, {
        env: { ...bench.env(database), PGPORT: String(proxy.port) },
        stallSeconds: 1,
        askServer: async () => {
          const state = await askServer();
          said.push(state);
          return state;
        },
      });
      await expect(runRestore(options)).rejects.toMatchObject({
        code: 'ERR_RESTORE_FAILED',
        message: expect.stringContaining('the network between them is dead'),
      });
      // Once is no proof: it may have been between two rows.
      expect(said).toEqual(['working', 'waiting-for-client']);
      expect(proxy.counts.struck).toBeGreaterThan(0);
    },
  );

  test('a network that is slow is waited for, however long a table takes', async () => {
    const archive = await bench.dump('big');
    const plan = await bench.plan(archive);
    const database = await bench.newDatabase();
    await using proxy = await proxyTo(bench.target.port, { bytesPerSecond: 6_000_000 });
    const request = parseConnection(bench.target.uri(database), {}, 'target-database-url');
    const key = { applicationName: RESTORE_SESSION };
    const { signal } = new AbortController();
    const said: SessionState[] = [];
    const askServer = loadingSession(request, key, { clock: systemClock, log: silentLog }, signal);
    const run = await runRestore(
      bench.options(database, archive, plan, {
        env: { ...bench.env(database), PGPORT: String(proxy.port) },
        stallSeconds: 2,
        askServer: async () => {
          const state = await askServer();
          said.push(state);
          // Enough was seen.
          if (said.length === 2) proxy.set({});
          return state;
        },
      }),
    );
    expect(troubles(run)).toEqual([]);
    expect(said.slice(0, 2)).toEqual(['working', 'working']);
  });

  async function proxyTo(port: number, faults: Faults = { direction: 'to-server', blackholeAfter: 5_000_000 }) {
    const proxy = await startFaultProxy({ host: '127.0.0.1', port }, faults);
    return Object.assign(proxy, { [Symbol.asyncDispose]: () => proxy.close() });
  }

  test('a target that dies in mid-restore can be tried again', async () => {
    const archive = await bench.dump('big');
    const plan = await bench.plan(archive);
    const mortal = await startPostgres({ major: 17 });
    await mortal.createDatabase('dying');
    const env = { ...bench.env('dying'), PGPORT: String(mortal.port) };
    const running = runRestore(
      bench.options('dying', archive, plan, {
        env,
        onProgress: () => {
          void sleep(50).then(() => mortal.stop({ mode: 'immediate' }));
        },
      }),
    );
    await expect(running).rejects.toMatchObject({
      code: 'ERR_RESTORE_FAILED',
      message: expect.stringContaining('The connection to the target was lost'),
      retryable: true,
    });
    await mortal.stop();
    const refused = runRestore(bench.options('dying', archive, plan, { env }));
    await expect(refused).rejects.toMatchObject({ code: 'ERR_RESTORE_FAILED', retryable: true });
  });

  testIf(canMount(), 'a full disk ends it at once, in words', async () => {
    const archive = await bench.dump('big');
    const plan = await bench.plan(archive);
    const folder = await mkdtemp(path.join(os.tmpdir(), 'small-'));
    const unmount = mountSmall(folder, 24);
    try {
      const account = serverAccount();
      if (account !== undefined) chownSync(folder, account.uid, account.gid);
      await bench.target.query(`CREATE TABLESPACE small LOCATION '${folder}'`);
      const database = await bench.newDatabase('TEMPLATE template0 TABLESPACE small');
      await expect(runRestore(bench.options(database, archive, plan))).rejects.toMatchObject({
        code: 'ERR_RESTORE_FAILED',
        message: expect.stringContaining('ran out of disk space'),
        hint: expect.stringContaining('more space'),
      });
      await bench.target.query(`DROP DATABASE ${database} WITH (FORCE)`);
      await bench.target.query('DROP TABLESPACE small');
    } finally {
      unmount();
      await rm(folder, { recursive: true, force: true });
    }
  });
});

/** A source that breaks before its first byte. */
function failing(): Readable {
  return new Readable({
    read() {
      this.destroy(new Error('the storage went away'));
    },
  });
}
