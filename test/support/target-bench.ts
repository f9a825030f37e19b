/** Targets of restores as the command meets them: examined, on a server of the test's own. */
import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { CommandContext } from '../../src/command.ts';
import { parseConnection } from '../../src/domain/connection.ts';
import type { Log } from '../../src/ports.ts';
import { type ExaminedTarget, examineTarget } from '../../src/restore/examine-target.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { Supervisor } from '../../src/runner/supervisor.ts';

/** What a command is given, as far as sessions need it. */
export function commandContext(log: Log): CommandContext {
  const nowhere = new URL('file:///nowhere');
  return {
    log,
    clock: systemClock,
    env: {},
    signal: new AbortController().signal,
    workDir: mkdtempSync(path.join(os.tmpdir(), 'target-bench-')),
    version: 'test',
    threads: { proof: nowhere, cache: nowhere },
    tell: () => undefined,
  };
}

/** The target of that URL. @param signal of the run */
export async function examined(uri: string, log: Log, signal = new AbortController().signal): Promise<ExaminedTarget> {
  const supervisor = new Supervisor(signal);
  const parts = { context: commandContext(log), supervisor, stallSeconds: 60, connectWindowSeconds: 5 };
  return await examineTarget(parseConnection(uri, {}), parts);
}

/** The same, for tests: a failure of one part does not reach the next test. */
export async function target(uri: string, log: Log): Promise<ExaminedTarget> {
  const run = new AbortController();
  onTestFinished(() => run.abort());
  return await examined(uri, log, run.signal);
}
