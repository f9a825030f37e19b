/** `command: status` on storages of a test, without a runner around it. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { CommandContext, StatusResult } from '../../src/command.ts';
import { status } from '../../src/commands/status.ts';
import { parseDestination } from '../../src/domain/destination.ts';
import type { StatusInputs } from '../../src/inputs/types.ts';
import { clockAt } from './prune-bench.ts';
import { type RecordingLog, recordingLog } from './storage-bench.ts';

export interface StatusCall extends Partial<Omit<StatusInputs, 'command' | 'destinations' | 'limits' | 'runner'>> {
  limits?: Partial<StatusInputs['limits']>;
  now?: string | Date;
}

export interface StatusBench {
  log: RecordingLog;
  status(call?: StatusCall): Promise<StatusResult>;
}

/** @param lines of `storage`; `env` may hold what a runner says of its cache */
export function statusBench(lines: readonly string[], env: Readonly<Record<string, string>> = {}): StatusBench {
  const log = recordingLog();
  return {
    log,
    async status({ limits, now = new Date(), ...call } = {}) {
      const tempDirectory = await mkdtemp(path.join(os.tmpdir(), 'status-bench-'));
      const workDir = await mkdtemp(path.join(tempDirectory, 'work-'));
      const context: CommandContext = {
        ...{ log, env, workDir, version: '1.0.0-test', clock: clockAt(now) },
        signal: new AbortController().signal,
        threads: {
          proof: new URL('file:///none'),
          cache: new URL('../../src/postgres/client-cache-worker.ts', import.meta.url),
        },
        tell: () => undefined,
      };
      const [first, ...more] = lines.map((line) => parseDestination(line));
      if (first === undefined) throw new Error('no destination');
      const inputs: StatusInputs = {
        command: 'status',
        expectedNames: [],
        destinations: [first, ...more],
        ...{ failOn: 'critical', cacheManifests: true, maxDurationMinutes: 5, stallTimeoutSeconds: 10 },
        ...call,
        limits: { maxAgeHours: 26, maxDrillAgeDays: 35, ...limits },
        // A cache is bound to the path that it was saved from.
        runner: { run: null, hosted: true, tempDirectory: env.RUNNER_TEMP ?? tempDirectory },
      };
      try {
        return await status(inputs, context);
      } finally {
        await rm(tempDirectory, { recursive: true, force: true });
      }
    },
  };
}
