/** `lifecycle` where the storage is a directory, which has no rules of its own: said, and nothing else. */
import { expect, test } from 'vitest';
import { prune } from '../../src/commands/prune.ts';
import { readInputs } from '../../src/inputs/read.ts';
import type { Storage } from '../../src/ports.ts';
import { describeUnpruned, pruneSummary } from '../../src/report/prune-report.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { step } from '../support/inputs.ts';
import { makeUpSet, pruneBench } from '../support/prune-bench.ts';
import { daysAgo, useFolders } from '../support/prune-places.ts';
import { recordingLog } from '../support/silent-log.ts';

const newFolder = useFolders();

test.each(['print', 'check'])(
  '%s: rules of a directory are said to be none, and what does their work',
  async (lifecycle) => {
    const folder = await newFolder();
    const [storage] = pruneBench([folder]).storages as [Storage];
    for (const days of [2, 1]) await makeUpSet(storage, { at: daysAgo(days) });
    const inputs = readInputs(step({ command: 'prune', name: 'shop', storage: folder, 'keep-last': '5', lifecycle }));
    if (inputs.command !== 'prune') throw new Error(`${inputs.command} was read`);
    const here = new URL(import.meta.url);
    const result = await prune(inputs, {
      ...{ log: recordingLog(), clock: systemClock, env: {}, signal: new AbortController().signal },
      ...{ workDir: folder, version: '1.0.0', threads: { proof: here, cache: here }, tell: () => undefined },
    });
    expect(result.findings).toEqual([
      expect.objectContaining({
        code: 'lifecycle-directory',
        severity: 'notice',
        seen: expect.stringContaining(folder),
      }),
    ]);
    expect(describeUnpruned(result), 'it is no failure').toBeUndefined();
    const summary = pruneSummary(result, (text) => text);
    expect(summary).toContain('which has no lifecycle rules');
    expect(summary).toContain('itself does their work');
  },
);
