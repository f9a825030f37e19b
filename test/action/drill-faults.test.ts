/** What goes wrong in a drill: refused, failed or ended, it is never passed, and leaves nothing behind. */
import path from 'node:path';
import { generateX25519Identity } from 'age-encryption';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ErrorCode } from '../../src/domain/errors.ts';
import { describeWith } from '../support/availability.ts';
import { type ScenarioRun, until } from '../support/backup-scenario.ts';
import type { ToolCache } from '../support/client-shims.ts';
import { clientTools } from '../support/clients.ts';
import {
  type DrillBench,
  machineWithServer,
  type ServerScripts,
  startDrillBench,
  statuses,
} from '../support/drill-bench.ts';
import { readable } from '../support/expect-run.ts';
import { type FakeGitHub, startGitHub } from '../support/github-api.ts';
import { withoutEntities } from '../support/markdown.ts';
import { processesWith } from '../support/process-watch.ts';
import { flipByte } from '../support/spoil.ts';

/** For a moment to come; a loaded machine must not make it pass. */
const PATIENCE_MS = 100_000;
/** Holds a restore up where it can be seen. */
const RESTORE_WAITS = 'case "$*" in *--dbname=*) exec sleep 300;; esac; exec "$REAL" "$@"';
/** Of the database that is backed up, before the restore began and after. */
const UNTOUCHED =
  /Nothing was touched, neither the database that is backed up nor the target|The database that is backed up was not touched/;

describeWith(await clientTools(17), 'A drill', (clients) => {
  let bench: DrillBench;
  let id: string;

  beforeAll(async () => {
    bench = await startDrillBench(clients);
    id = await bench.backUp();
  });
  afterAll(() => bench?.stop());

  async function withMachine<T>(scripts: ServerScripts, body: (tools: ToolCache) => Promise<T>): Promise<T> {
    const tools = await machineWithServer(clients, scripts);
    try {
      return await body(tools);
    } finally {
      await tools.remove();
    }
  }

  /** Red with that code, both in the words and in the record. */
  async function expectFailed(run: ScenarioRun, code: ErrorCode, ...words: string[]): Promise<void> {
    expect(run.exitCode, run.maskedLog).toBe(1);
    const told = run.annotations.filter(({ title }) => title.includes('(ERR_'));
    expect(told, run.maskedLog).toMatchObject([{ kind: 'error', title: expect.stringContaining(`(${code})`) }]);
    for (const each of words) expect(readable(run.summary)).toContain(each);
    expect(readable(run.summary)).toMatch(UNTOUCHED);
    expect(bench.lastRecord(id)).toMatchObject({ verdict: 'failed', error: code });
    await bench.expectNothingLeft(run);
  }

  /** Red, and the record of its checks says which did not pass. */
  async function expectDoubt(run: ScenarioRun, doubts: Record<string, string>): Promise<void> {
    expect(run.exitCode, run.maskedLog).toBe(1);
    const record = bench.lastRecord(id);
    expect(record.verdict).not.toBe('passed');
    expect(Object.fromEntries(Object.entries(statuses(record)).filter(([, status]) => status !== 'passed'))).toEqual(
      doubts,
    );
    await bench.expectNothingLeft(run);
  }

  test('into a database that holds somebody’s data is refused and leaves it as it was', async () => {
    await bench.scenario.server.createDatabase('precious');
    await bench.scenario.query('CREATE TABLE letters AS SELECT 1 AS id', 'precious');
    const before = await bench.databases();
    const run = await bench.drill({ target: bench.scenario.server.uri('precious') });
    await expectFailed(run, 'ERR_TARGET_NOT_EMPTY', 'letters', 'Nothing was touched');
    expect(await bench.databases()).toEqual(before);
    expect(await bench.scenario.query('SELECT * FROM letters', 'precious')).toEqual([{ id: 1 }]);
  });

  test('with an assertion that is false fails, and one that errs was not run', async () => {
    const target = await bench.emptyDatabase();
    const quick = { 'prove-the-alarm': 'false' };
    const wrong = await bench.drill({
      target,
      inputs: { ...quick, assertions: 'SELECT count(*) = 49 FROM events\nSELECT true', 'min-tables': '7' },
    });
    expect(readable(wrong.summary)).toContain('SELECT count(*) = 49 FROM events');
    await expectDoubt(wrong, { assertions: 'failed', 'min-tables': 'failed' });
    const erring = await bench.drill({ target, inputs: { ...quick, assertions: 'SELECT 1 / 0 = 1\nSELECT true' } });
    expect(readable(erring.summary)).toContain('division by zero');
    await expectDoubt(erring, { assertions: 'not-run' });
    const stale = await bench.drill({
      target,
      inputs: { ...quick, assertions: 'freshness 26h: SELECT max(placed_at) FROM orders' },
    });
    await expectDoubt(stale, { assertions: 'failed' });
  });

  test('with an assertion that hangs ends at max-duration-minutes, and is not passed', async () => {
    const target = await bench.emptyDatabase();
    const before = await bench.databases();
    const run = await bench.drill({
      target,
      inputs: { assertions: 'SELECT pg_sleep(1000) IS NULL', 'max-duration-minutes': '1' },
    });
    await expectFailed(run, 'ERR_DEADLINE', 'not done after 1 minute');
    expect(await bench.databases()).toEqual(before);
  });

  test('whose own server cannot start says what that said', async () => {
    const scripts = { postgres: 'echo "FATAL:  no room for shared memory" >&2; exit 1' };
    await withMachine(scripts, async (tools) => {
      await expectFailed(await bench.drill({ tools }), 'ERR_DRILL_SERVER', 'no room for shared memory');
    });
  });

  test('whose own server dies in the middle fails with its last words', async () => {
    await withMachine({ pg_restore: RESTORE_WAITS }, async (tools) => {
      const run = await bench.drill({ tools, onStart: () => void whileRestoring(() => killServer()) });
      await expectFailed(run, 'ERR_DRILL_SERVER', 'ended in mid-run');
    });
  });

  /** When the shim of pg_restore is seen waiting. */
  async function whileRestoring(act: () => void): Promise<void> {
    const waiting = () => processesWith(bench.temp).filter(({ commandLine }) => commandLine === 'sleep 300');
    const seen = await until(waiting, (processes) => processes.length > 0, PATIENCE_MS);
    if (seen.length > 0) act();
  }

  function killServer(): void {
    const servers = processesWith(path.join(bench.temp, 'db-backup-action-server-'));
    const postmaster = servers.find(({ commandLine }) => / -D /.test(commandLine));
    if (postmaster !== undefined) process.kill(postmaster.pid, 'SIGKILL');
  }

  test('whose restored rows are not those of the backup fails', async () => {
    const change = `case "$*" in *--dbname=*) "$REAL" "$@"; code=$?
      ${clients.psql} -X -q -c "UPDATE events SET what = 'another' WHERE id = 7" || exit 9; exit $code;; esac
      exec "$REAL" "$@"`;
    await withMachine({ pg_restore: change }, async (tools) => {
      const run = await bench.drill({ target: await bench.emptyDatabase(), tools });
      expect(readable(run.summary)).toContain('public.events');
      await expectDoubt(run, { tables: 'failed' });
    });
  });

  test('that is cancelled ends in time: nothing is left, and its record says failed', async () => {
    await withMachine({ pg_restore: RESTORE_WAITS }, async (tools) => {
      const run = await bench.drill({ tools, onStart: (action) => void whileRestoring(() => action.cancel()) });
      expect(run.signal).toBe(null);
      await expectFailed(run, 'ERR_CANCELLED', '(SIGINT)');
    });
  });

  test('that is killed leaves nothing after its post step, which tells of it', async () => {
    const before = bench.recordsIn(bench.second, id).length;
    const run = await bench.drill({
      inputs: { assertions: 'SELECT pg_sleep(300) IS NULL' },
      onLine: (line, action) => {
        if (line.startsWith('::group::Assertions')) action.signal('SIGKILL');
      },
    });
    expect(run.signal).toBe('SIGKILL');
    expect(run.post?.annotations.map(({ title }) => title).join()).toContain('(ERR_KILLED)');
    expect(run.github.issues[0]?.title).toContain('(ERR_KILLED)');
    await bench.expectNothingLeft(run);
    expect(bench.recordsIn(bench.second, id)).toHaveLength(before);
  });

  test('without the right key names the keys that would do', async () => {
    const run = await bench.drill({ inputs: { 'age-identity': await generateX25519Identity() } });
    await expectFailed(run, 'ERR_DECRYPT', bench.recipient);
  });

  test.each(['database.backup.age', 'contents.json.age'])(
    'of a backup whose %s is damaged everywhere fails',
    async (name) => {
      const files = [bench.scenario.storage, bench.second].map((folder) => path.join(folder, 'shop', id, name));
      for (const file of files) await flipByte(file);
      try {
        await expectFailed(await bench.drill(), 'ERR_BACKUP_DAMAGED', name);
      } finally {
        for (const file of files) await flipByte(file);
      }
    },
  );

  test('that fails opens an issue, a second one in a row makes it critical, and one that passes closes it', async () => {
    const github = await startGitHub();
    try {
      await drillAs('1', github, 'SELECT false');
      expect(github.issues).toMatchObject([{ state: 'open', comments: [] }]);
      expect(github.issues[0]?.title).not.toContain('CRITICAL');
      await drillAs('2', github, 'SELECT false');
      expect(github.issues).toMatchObject([{ state: 'open', title: expect.stringMatching(/^CRITICAL: /) }]);
      expect(github.issues[0]?.labels).toContain('critical');
      expect(github.issues[0]?.comments).toHaveLength(1);
      await drillAs('3', github, 'SELECT true');
      expect(github.issues).toMatchObject([{ state: 'closed', stateReason: 'completed' }]);
      expect(github.issues[0]?.comments.at(-1)).toContain('was brought back by a drill that passed');
    } finally {
      await github.close();
    }
  });

  test('without a name is told of by what it found out, in the issue of its job, with the good backup there is', async () => {
    const github = await startGitHub();
    try {
      // A variable that nobody has set is an empty input.
      await drillAs('1', github, 'SELECT false', { name: '', backup: id });
      const { storage } = bench.scenario;
      expect(github.issues[0]?.title).toMatch(
        /^The drill of "shop" failed \(ERR_NOT_PROVEN\) in the job .* of the workflow/,
      );
      const body = withoutEntities(github.issues[0]?.body ?? '');
      expect(body).toContain(`the series <code>shop</code> in the storage <code>${storage}</code> this time`);
      expect(body).toMatch(new RegExp(`The newest proven backup is .* old: <code>${id}</code>`));
      await drillAs('2', github, 'SELECT true', { name: '', backup: id });
      expect(github.issues).toMatchObject([{ state: 'closed' }]);
      await drillAs('3', github, 'SELECT false', { name: '', backup: '2001' });
      expect(github.issues[1]?.title).toContain(`The drill failed (ERR_BACKUP_NOT_FOUND) with the storage ${storage}`);
    } finally {
      await github.close();
    }
  });

  async function drillAs(
    runId: string,
    github: FakeGitHub,
    assertions: string,
    inputs: Record<string, string> = { name: 'shop' },
  ): Promise<void> {
    const run = await bench.drill({
      github,
      target: await bench.emptyDatabase(),
      inputs: { ...inputs, assertions },
      env: { GITHUB_RUN_ID: runId },
    });
    expect(run.exitCode, run.maskedLog).toBe(assertions === 'SELECT true' ? 0 : 1);
  }
});
