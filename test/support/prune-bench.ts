/** What tests of pruning look at: series of made-up sets in any storage, and the prune of them as the command does it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandContext } from '../../src/command.ts';
import { parseDestination } from '../../src/domain/destination.ts';
import { serializeDrillRecord } from '../../src/domain/drill-record.ts';
import type { RetentionPolicy } from '../../src/domain/retention/policy.ts';
import type { PruneResult } from '../../src/domain/retention/result.ts';
import { drillKey, setPrefix } from '../../src/domain/set-layout.ts';
import type { Clock, Storage } from '../../src/ports.ts';
import { pruneSeries } from '../../src/prune/prune-series.ts';
import { openStorage } from '../../src/storage/open.ts';
import { writeBytes } from '../../src/storage/write-object.ts';
import { drilled } from './drill-records.ts';
import { setObjects } from './made-up-sets.ts';
import { policyOf } from './retention-cases.ts';
import { quickRetry, type RecordingLog, recordingLog } from './storage-bench.ts';

export interface MadeUpSet {
  /** ISO 8601, to the second. */
  at: string;
  label?: string;
  unproven?: boolean;
  keepForever?: boolean;
  series?: string;
  random?: string;
}

export function idOf({ at, label = 'nightly', random = 'k3v9qa' }: MadeUpSet): string {
  return `${at.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '_')}_${label}_${random}`;
}

/** Writes one; `leaveOut` names objects that are not written although the manifest names them. */
export async function makeUpSet(storage: Storage, set: MadeUpSet, leaveOut: readonly string[] = []): Promise<string> {
  const { series = 'shop', keepForever = false, unproven = false } = set;
  const id = idOf(set);
  for (const [key, text] of setObjects(id, { series, unproven, change: { keepForever } })) {
    if (!leaveOut.includes(key.slice(setPrefix(series, id).length))) await writeBytes(storage, key, Buffer.from(text));
  }
  return id;
}

/** The record of a drill that brought the set back. */
export async function makeUpDrill(storage: Storage, id: string, at: string, series = 'shop'): Promise<string> {
  const backup = { id, name: series, snapshotAt: '2026-11-21T02:00:00.000Z' };
  const text = serializeDrillRecord(drilled(new Date(at).toISOString(), {}, { backup }));
  const key = drillKey(series, id, new Date(at), 'x7m2pq');
  await writeBytes(storage, key, Buffer.from(text));
  return key;
}

/** A clock that stands where it is put. */
export function clockAt(time: string | Date): Clock {
  return { now: () => new Date(time), sleep: (milliseconds) => sleep(milliseconds) };
}

export interface PruneBench {
  log: RecordingLog;
  storages: readonly Storage[];
  prune(over?: Partial<PruneCall>): Promise<PruneResult>;
}

export interface PruneCall {
  policy: Partial<RetentionPolicy>;
  maxPrunePercent: number;
  dryRun: boolean;
  now: string | Date;
  series: string;
  signal: AbortSignal;
}

/** Prunes what lies at `lines` (lines of `storage`) as the command does. Nothing of the command's own is replaced. */
export function pruneBench(lines: readonly string[], env: Record<string, string> = {}): PruneBench {
  const log = recordingLog();
  const open = (line: string, clock: Clock, signal: AbortSignal): Storage =>
    openStorage(parseDestination(line), { env, log, clock, signal, s3: quickRetry });
  const never = new AbortController().signal;
  return {
    log,
    storages: lines.map((line) => open(line, clockAt(new Date()), never)),
    async prune(over = {}) {
      const {
        policy = { rules: { last: 1 } },
        maxPrunePercent = 100,
        dryRun = false,
        now = new Date(),
        series = 'shop',
      } = over;
      const clock = clockAt(now);
      const signal = over.signal ?? never;
      const context: CommandContext = {
        ...{ log, clock, env, signal, workDir: '/nonexistent', version: '1.0.0-test' },
        threads: { proof: new URL('file:///none'), cache: new URL('file:///none') },
        tell: () => undefined,
      };
      const targets = lines.map((line) => ({
        destination: parseDestination(line),
        storage: open(line, clock, signal),
      }));
      try {
        return await pruneSeries({
          ...{ series, dryRun, targets, context },
          retention: { policy: policyOf(policy), maxPrunePercent },
          occasion: { startedAt: clock.now().toISOString(), actor: 'octocat', run: null, action: { version: '1.0.0' } },
          openForTheEnd: ({ destination }) =>
            openStorage(destination, { env, log, clock, signal: never, s3: quickRetry }),
        });
      } finally {
        for (const { storage } of targets) await storage.close();
      }
    },
  };
}
