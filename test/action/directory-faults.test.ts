/** Directories that fill up or cannot be written, and runs that are killed: older backups stay as they are. */
import { chmodSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith, testIf } from '../support/availability.ts';
import {
  type FolderState,
  type Scenario,
  type ScenarioRun,
  type ScenarioRunOptions,
  startScenario,
} from '../support/backup-scenario.ts';
import { loadLarge } from '../support/bucket-scenario.ts';
import { clientTools } from '../support/clients.ts';
import { expectFailed, expectProven, expectTidy } from '../support/expect-run.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { RunningAction } from '../support/run-action.ts';
import { canMount, mountSmall } from '../support/small-file-system.ts';

const MIB = 1024 * 1024;
const LIMITED = fileURLToPath(new URL('../support/action-under-test/limited.ts', import.meta.url));
const NOTHING_VISIBLE = 'Nothing of this backup became visible';

describeWith(await clientTools(17), 'A directory', (clients) => {
  let scenario: Scenario;
  let before: FolderState;

  beforeAll(async () => {
    scenario = await startScenario(clients);
    await loadLarge(scenario);
    await expectProven(scenario, await scenario.run(), new Map());
    before = scenario.state();
  });
  afterAll(() => scenario?.stop());

  function backUpLarge(options: ScenarioRunOptions = {}): Promise<ScenarioRun> {
    const inputs = { name: 'large', compression: 'none', ...options.inputs };
    return scenario.run({ url: scenario.url({ database: 'large' }), ...options, inputs });
  }

  testIf(canMount(), 'on a disk that fills up keeps older backups and nothing of the new one', async () => {
    const unmount = mountSmall(scenario.storage, 6);
    try {
      await expectProven(scenario, await scenario.run(), new Map());
      const older = scenario.state();
      await expectFailed(scenario, await backUpLarge(), older, {
        code: 'ERR_STORAGE_FULL',
        happened: ['the disk is full', 'database.backup'],
        action: ['Free space', 'df -h'],
        safety: NOTHING_VISIBLE,
      });
      await expectProven(scenario, await scenario.run(), older);
    } finally {
      unmount();
    }
  });

  testIf(canMount(), 'on a disk with next to no room is refused before anything is dumped', async () => {
    const unmount = mountSmall(scenario.storage, 1);
    try {
      const run = await backUpLarge();
      await expectFailed(scenario, run, new Map(), {
        code: 'ERR_PREFLIGHT',
        happened: ['a backup cannot fit'],
        action: ['Free space there'],
        safety: 'Nothing was written',
      });
      expect(run.groups).toEqual(['Preflight']);
    } finally {
      unmount();
    }
  });

  test('that takes no file of this size keeps nothing of it', async () => {
    const run = await backUpLarge({ entry: LIMITED, env: { FILE_SIZE_LIMIT_KIB: '6144' } });
    await expectFailed(scenario, run, before, {
      code: 'ERR_STORAGE_TOO_LARGE',
      happened: ['does not allow a file this large'],
      action: ['Store to another file system or to a bucket'],
      safety: NOTHING_VISIBLE,
    });
  });

  testIf(canMount(), 'on a disk that is read-only is refused', async () => {
    const unmount = mountSmall(scenario.storage, 6, 'ro');
    try {
      await expectFailed(scenario, await scenario.run(), new Map(), {
        code: 'ERR_STORAGE_DENIED',
        happened: ['the file system is read-only'],
        action: ['Choose a directory that is writable'],
      });
    } finally {
      unmount();
    }
  });

  const isRoot = process.getuid?.() === 0;
  testIf(isRoot ? { skipped: 'root may write everywhere' } : true, 'that may not be written is refused', async () => {
    chmodSync(scenario.storage, 0o500);
    const run = await scenario.run({ inputs: { name: 'other' } });
    chmodSync(scenario.storage, 0o700);
    await expectFailed(scenario, run, before, {
      code: 'ERR_STORAGE_DENIED',
      happened: ['permission was denied'],
      action: ['Let the job’s user write there'],
    });
  });

  test('is left without anything visible when the run is killed in mid-dump', async () => {
    const proxy = await startFaultProxy(scenario.server, { bytesPerSecond: 8 * MIB });
    let action: RunningAction | undefined;
    const timer = setInterval(() => {
      if (proxy.counts.toClientBytes > 7 * MIB) action?.signal('SIGKILL');
    }, 20);
    const run = await backUpLarge({
      url: scenario.url({ database: 'large', port: proxy.port }),
      onStart: (running) => {
        action = running;
      },
    }).finally(() => clearInterval(timer));
    await proxy.close();
    expect(run).toMatchObject({ exitCode: null, signal: 'SIGKILL', outputs: {}, summary: '' });
    await expectTidy(scenario, run);
    const after = scenario.state();
    for (const [file, sha256] of before) expect(after.get(file)).toBe(sha256);
    const left = [...after.keys()].filter((file) => !before.has(file)).map((file) => path.basename(file));
    expect(left).not.toContain('metadata.json');
    expect(left).not.toContain('database.backup');
    const next = await backUpLarge();
    expect(next.exitCode, next.maskedLog).toBe(0);
  });
});
