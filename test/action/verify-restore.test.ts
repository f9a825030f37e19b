/** `verify: restore`: the backup is restored into a local server while it is taken, and its manifest says so. */
import { chmodSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import { type FolderState, type Scenario, type ScenarioRun, startScenario, until } from '../support/backup-scenario.ts';
import type { ToolCache } from '../support/client-shims.ts';
import { clientTools, hasOwnTools } from '../support/clients.ts';
import { machineWithServer, type ServerScripts } from '../support/drill-bench.ts';
import { expectProven, expectTidy, expectUnproven, readable } from '../support/expect-run.ts';
import { processesWith } from '../support/process-watch.ts';
import type { RunOptions } from '../support/run-action.ts';

describeWith(await clientTools(17), 'A backup with `verify: restore`', (clients) => {
  let scenario: Scenario;
  let temp: string;
  let before: FolderState;
  const machines: ToolCache[] = [];

  beforeAll(async () => {
    scenario = await startScenario(clients);
    temp = path.join(scenario.folder, 'temp');
    mkdirSync(temp);
    // The server of a run of root belongs to another account, which must get there.
    chmodSync(scenario.folder, 0o755);
  });
  beforeEach(() => {
    before = scenario.state();
  });
  afterAll(async () => {
    for (const machine of machines) await machine.remove();
    await scenario?.stop();
  });

  async function backUp(scripts: ServerScripts, options: RunOptions = {}): Promise<ScenarioRun> {
    const tools = await machineWithServer(clients, scripts);
    machines.push(tools);
    return await run({ ...options, tools });
  }

  async function run(options: Parameters<Scenario['run']>[0] = {}): Promise<ScenarioRun> {
    const ended = await scenario.run({
      ...options,
      inputs: { verify: 'archive, restore', ...options.inputs },
      env: { RUNNER_TEMP: temp, ...options.env },
    });
    expect(readdirSync(temp)).toEqual([]);
    return ended;
  }

  test('is proven by it, and says so in its manifest', async () => {
    const proven = await backUp({});
    await expectProven(scenario, proven, before);
    const checks = scenario.manifest(proven).checks.map(({ id, status }) => [id, status]);
    expect(checks).toContainEqual(['restore', 'passed']);
    expect(readable(proven.summary)).toContain('restore');
  });

  test('is proven by it when what is stored is encrypted', async () => {
    const proven = await backUp({}, { inputs: { encryption: '', 'age-passphrase': 'correct horse battery staple' } });
    await expectProven(scenario, proven, before);
    expect(scenario.manifest(proven).checks).toContainEqual(
      expect.objectContaining({ id: 'restore', status: 'passed' }),
    );
  });

  test('whose server cannot start is stored, but unproven, and its run is red', async () => {
    const unproven = await backUp({ postgres: 'echo "FATAL:  no room for shared memory" >&2; exit 1' });
    const checks = await expectUnproven(scenario, unproven, before, { checks: { restore: 'not-run' } });
    const told = checks.find(({ id }) => id === 'restore');
    expect([told?.reason, ...(told?.details ?? [])].join(' ')).toContain('no room for shared memory');
  });

  test('that cannot be restored whole is stored, but unproven, and its run is red', async () => {
    const change = `case "$*" in *--dbname=*) "$REAL" "$@"; code=$?
      ${clients.psql} -X -q -c 'DELETE FROM reviews' || exit 9; exit $code;; esac
      exec "$REAL" "$@"`;
    const unproven = await backUp({ pg_restore: change });
    await expectUnproven(scenario, unproven, before, { checks: { restore: 'failed' } });
  });

  test('that is cancelled takes its server away', async () => {
    const waits = 'case "$*" in *--dbname=*) exec sleep 300;; esac; exec "$REAL" "$@"';
    const cancelled = await backUp(
      { pg_restore: waits },
      {
        onStart: async (action) => {
          const waiting = () => processesWith(temp).filter(({ commandLine }) => commandLine === 'sleep 300');
          const seen = await until(waiting, (processes) => processes.length > 0, 100_000);
          if (seen.length > 0) action.cancel();
        },
      },
    );
    expect(cancelled.signal).toBe(null);
    expect(cancelled.annotations.map(({ title }) => title).join()).toContain('(ERR_CANCELLED)');
    expect(scenario.state()).toEqual(before);
    await expectTidy(scenario, cancelled);
  });

  test('on a machine without server programs is stored, but unproven, and its run is red', async () => {
    // Without this the machine's own server would be taken, or one would be fetched.
    expect(hasOwnTools(clients.major)).toBe(false);
    const unproven = await run({ inputs: { verify: 'archive, restore', 'postgres-apt-mirror': 'http://127.0.0.2:1' } });
    const checks = await expectUnproven(scenario, unproven, before, { checks: { restore: 'not-run' } });
    const told = checks.find(({ id }) => id === 'restore');
    expect([told?.reason, ...(told?.details ?? [])].join(' ')).toContain('neither initdb nor postgres');
  });
});
