/** A restore that is cancelled or killed at each of its phases: the old database serves on, and the next run tidies up. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { RecoveryStage } from '../../src/domain/recovery.ts';
import { describeWith } from '../support/availability.ts';
import { folderState, type ScenarioRun, until } from '../support/backup-scenario.ts';
import { clientTools } from '../support/clients.ts';
import { readable } from '../support/expect-run.ts';
import {
  type Before,
  expectNoSessions,
  expectRestoreFailed,
  lookBefore,
  type RestoreScenario,
  startRestoreScenario,
} from '../support/restore-scenario.ts';

/** For a moment to come; a loaded machine must not make it pass. */
const PATIENCE_MS = 60_000;
/** Long enough for a signal to be heard, and shorter than the 5 s that a cancelled run has for the rest. */
const HEARD_MS = 700;
/** Two runs, one after the other. */
const TWO_RUNS_MS = 300_000;

interface Phase {
  name: string;
  /** Resolves with what undoes it when the run is there. @param line resolves when such a line is written */
  moment: (line: (start: string) => Promise<void>) => Promise<(() => Promise<void>) | undefined>;
  /** Of a cancelled run: what its words and its audit record say, and the safety backups that are there then. */
  stage: RecoveryStage;
  safety: RegExp;
  newSets: number;
  /** The proven copy that was to be swapped in. */
  leftOver?: RegExp;
}

describeWith(await clientTools(17), 'A restore that is ended', (clients) => {
  let bench: RestoreScenario;
  let before: Before;

  beforeAll(async () => {
    bench = await startRestoreScenario(clients);
  });

  afterEach(() => bench.reset());
  afterAll(() => bench?.stop());

  const session = async (where: string): Promise<void> => {
    const seen = () => bench.scenario.query(`SELECT FROM pg_stat_activity WHERE ${where}`, 'postgres');
    expect(await until(seen, (rows) => rows.length > 0, PATIENCE_MS)).not.toEqual([]);
  };

  /** RENAME waits for whoever holds the database; the run is at its renames then. */
  async function heldName(): Promise<() => Promise<void>> {
    const holder = await bench.scenario.connect('postgres');
    await holder.query(`BEGIN; COMMENT ON DATABASE shop IS 'held'`);
    await session(`wait_event_type = 'Lock' AND query LIKE '%RENAME%'`);
    return () => holder.end();
  }

  const safety = /No row of .*shop`? was changed|Nothing was touched: .*shop`? holds what it held/;
  const looking = { stage: 'looking', safety, newSets: 0 } as const;
  const beside = { stage: 'restoring', safety, newSets: 1 } as const;
  const beforeSafety: Phase = {
    name: 'before the safety backup',
    moment: async (line) => void (await line('Access of others to shop is paused.')),
    ...looking,
  };
  const inSafety: Phase = {
    name: 'in the safety backup',
    moment: async (line) => void (await line('::group::Dump, proof and upload')),
    ...looking,
  };
  const SWAP: Phase[] = [
    beforeSafety,
    inSafety,
    {
      name: 'while it restores',
      moment: async (line) => {
        await line('::group::Restore');
        await session(`datname LIKE 'shop\\_restored\\_%'`);
        return undefined;
      },
      ...beside,
    },
    {
      name: 'in the proof',
      moment: async (line) => void (await line('::group::Proof')),
      ...beside,
    },
    {
      name: 'at the renames',
      moment: async (line) => {
        await line('::group::Proof');
        return await heldName();
      },
      stage: 'replacing',
      safety: /Nothing is lost: both renames are one transaction, so .*shop`? is still the old database, or/,
      newSets: 1,
      leftOver: /^shop_restored_/,
    },
  ];
  const replacing: Phase = {
    name: 'while it replaces',
    moment: async (line) => {
      await line('::group::Store the set');
      const reader = await bench.scenario.connect();
      await reader.query('BEGIN; SELECT FROM which');
      await session(`wait_event_type = 'Lock' AND datname = 'shop'`);
      return () => reader.end();
    },
    stage: 'replacing',
    safety: /shop`? holds what it held before: it was replaced in one transaction, which Postgres has undone/,
    newSets: 1,
  };

  async function endedAt(
    phase: Phase,
    signal: NodeJS.Signals,
    strategy: 'swap' | 'in-place',
    options: { post?: boolean } = {},
  ): Promise<ScenarioRun> {
    before = await lookBefore(bench);
    const waiting: { start: string; there: () => void }[] = [];
    const line = (start: string): Promise<void> =>
      new Promise((there) => {
        waiting.push({ start, there });
      });
    let ended: Promise<void> | undefined;
    const run = await bench.replace(strategy, {
      ...options,
      inputs: { backup: bench.id },
      onStart: (action) => {
        ended = phase.moment(line).then(async (undo) => {
          if (signal === 'SIGINT') action.cancel();
          else action.signal(signal);
          await sleep(HEARD_MS);
          await undo?.();
        });
      },
      onLine: (text) => {
        for (const { start, there } of waiting) if (text.startsWith(start)) there();
      },
    });
    // A run that came to its end had no such moment.
    expect(run.exitCode, run.maskedLog).not.toBe(0);
    await ended;
    return run;
  }

  async function expectCancelled(run: ScenarioRun, phase: Phase): Promise<void> {
    await expectRestoreFailed(bench, run, before, {
      ...phase,
      code: 'ERR_CANCELLED',
      happened: ['(SIGINT)'],
      safety: [phase.safety],
      action: ['Run it again'],
    });
  }

  test.each(SWAP)('SIGINT, swap, $name', async (phase) => {
    const run = await endedAt(phase, 'SIGINT', 'swap');
    expect(run.signal).toBe(null);
    await expectCancelled(run, phase);
    expect(`${run.maskedLog}${readable(run.summary)}`).not.toContain('OTHERS ARE STILL KEPT OUT');
  });

  test.each([beforeSafety, inSafety, replacing])('SIGINT, in place, $name', async (phase) => {
    await expectCancelled(await endedAt(phase, 'SIGINT', 'in-place'), phase);
  });

  const shopOf = (databases: Record<string, unknown>[]) => databases.filter(({ name }) => name === 'shop');

  /** What a process that is killed cannot take back is no harm, and the next run takes it back. */
  async function expectHarmless(run: ScenarioRun): Promise<void> {
    expect(run.signal).toBe('SIGKILL');
    await expectNoSessions(bench);
    const { databases, content } = await bench.look();
    expect(content).toEqual(before.world.content);
    // The post step gave access back.
    expect(shopOf(databases)).toEqual(shopOf(before.world.databases));
    expect(await bench.served()).toBe('old');
    expect(run.post?.stdout).toContain('Access to shop is as it was before.');
    const told = readable(run.github.issues[0]?.body ?? '');
    expect(told).toContain('ERR_KILLED');
    expect(told).toContain('All backups are untouched');
    expect(told).not.toContain('OTHERS ARE STILL KEPT OUT');
    for (const [folder, state] of before.folders) {
      const after = folderState(folder);
      for (const [key, digest] of state) expect(after.get(key)).toBe(digest);
    }
  }

  /** The same restore again, which comes to its end; the databases that are there then. */
  async function restoredAtLast(strategy: 'swap' | 'in-place'): Promise<Record<string, unknown>[]> {
    const next = await bench.replace(strategy, { inputs: { backup: bench.id, 'safety-backup': 'false' } });
    expect(next.exitCode, next.maskedLog).toBe(0);
    expect(await bench.served()).toBe('backup');
    return (await bench.look()).databases;
  }

  // At the renames: each step of theirs is killed in test/integration/swap.test.ts.
  test.each(SWAP.slice(0, -1))(
    'SIGKILL, swap, $name',
    async (phase) => {
      await expectHarmless(await endedAt(phase, 'SIGKILL', 'swap'));
      const databases = await restoredAtLast('swap');
      const names = databases.map(({ name }) => String(name)).filter((name) => name.startsWith('shop'));
      expect(names).toEqual(['shop', expect.stringMatching(/^shop_before_/)]);
      expect(shopOf(databases)).toEqual(shopOf(before.world.databases));
    },
    TWO_RUNS_MS,
  );

  test.each([beforeSafety, inSafety, replacing])(
    'SIGKILL, in place, $name',
    async (phase) => {
      await expectHarmless(await endedAt(phase, 'SIGKILL', 'in-place'));
      expect(await restoredAtLast('in-place')).toEqual(before.world.databases);
    },
    TWO_RUNS_MS,
  );
});
