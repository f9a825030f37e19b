/** `command: check` in this very process: real inputs, a real server, and everything that it found. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { CheckResult } from '../../src/command.ts';
import { check } from '../../src/commands/check.ts';
import type { HealthResult } from '../../src/domain/check/model.ts';
import { readInputs } from '../../src/inputs/read.ts';
import type { Clock } from '../../src/ports.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { step } from './inputs.ts';
import { recordingLog, type SilentLog } from './silent-log.ts';

export interface CheckRun {
  result: CheckResult;
  /** The result of one check; throws when it was left out. */
  of(code: string): HealthResult;
  /** Codes of those that did not pass, with their status: `durability failed`. */
  notPassed: string[];
  log: SilentLog;
}

/** By the names of action.yml; `command` is `check`. `clock` is that of the runner. */
export async function runCheck(given: Record<string, string>, clock: Clock = systemClock): Promise<CheckRun> {
  const inputs = readInputs(step({ command: 'check', ...given }));
  if (inputs.command !== 'check') throw new Error(`${inputs.command} was read`);
  const workDir = await mkdtemp(path.join(os.tmpdir(), 'check-'));
  const log = recordingLog();
  const here = new URL(import.meta.url);
  try {
    const result = await check(inputs, {
      ...{ log, clock, env: {}, signal: new AbortController().signal, workDir, version: '1.0.0' },
      threads: { proof: here, cache: here },
      tell: () => undefined,
    });
    return {
      result,
      of: (code) => {
        const found = result.results.find((each) => each.code === code);
        if (found === undefined)
          throw new Error(`There is no check ${code}, only ${result.results.map((each) => each.code).join(', ')}`);
        return found;
      },
      notPassed: result.results
        .filter(({ status }) => status !== 'passed')
        .map(({ code, status }) => `${code} ${status}`),
      log,
    };
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}
