import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';

const CI = fileURLToPath(new URL('../../.ci', import.meta.url));
const GOOD = { ci: 0, lint: 0, types: 0, build: 0, test: 0, totals: '{"passed":7,"failed":0,"skipped":2}' };

describe('.ci/run', () => {
  let folder = '';

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** The real script in an otherwise empty repository; npm ends every stage as told, and nothing can be installed. */
  function run(stages: typeof GOOD, generates = 'true') {
    folder = mkdtempSync(path.join(os.tmpdir(), 'ci-run-'));
    const programs = path.join(folder, 'programs');
    const clone = path.join(folder, 'clone');
    mkdirSync(programs);
    mkdirSync(path.join(clone, '.ci'), { recursive: true });
    for (const script of ['run', 'check-generated']) {
      copyFileSync(path.join(CI, script), path.join(clone, '.ci', script));
    }
    program(programs, 'apt-get', 'exit 100');
    program(
      programs,
      'npm',
      `case "$*" in
         ci*) exit ${stages.ci} ;;
         'run lint') exit ${stages.lint} ;;
         'run types') exit ${stages.types} ;;
         'run build') ${generates}; exit ${stages.build} ;;
         test) printf '%s\\n' '${stages.totals}' > "$TEST_TOTALS_FILE"; exit ${stages.test} ;;
       esac
       exit 99`,
    );
    spawnSync('git', ['init', '--quiet'], { cwd: clone });
    const { status, stdout } = spawnSync('bash', ['.ci/run'], {
      cwd: clone,
      encoding: 'utf8',
      env: { PATH: `${programs}:${process.env.PATH}`, CI: 'true' },
    });
    return { status, lastLine: stdout.trimEnd().split('\n').at(-1), stdout };
  }

  function program(programs: string, name: string, body: string): void {
    const file = path.join(programs, name);
    writeFileSync(file, `#!/usr/bin/env bash\n${body}\n`);
    chmodSync(file, 0o755);
  }

  test('ends with the totals of the tests', () => {
    expect(run(GOOD)).toMatchObject({ status: 0, lastLine: '7 passed, 0 failed, 2 skipped' });
  });

  test('is red when tests fail, with their number', () => {
    const failing = { ...GOOD, test: 1, totals: '{"passed":5,"failed":2,"skipped":0}' };
    expect(run(failing)).toMatchObject({ status: 1, lastLine: '5 passed, 2 failed, 0 skipped' });
  });

  test('is red when the linter or the compiler fails although all tests pass', () => {
    expect(run({ ...GOOD, lint: 1 })).toMatchObject({ status: 1, lastLine: '7 passed, 1 failed, 2 skipped' });
    expect(run({ ...GOOD, lint: 1, types: 2 })).toMatchObject({ status: 1, lastLine: '7 passed, 2 failed, 2 skipped' });
  });

  test('is red when the build makes a file that is not committed', () => {
    const { status, lastLine, stdout } = run(GOOD, 'mkdir dist && echo more > dist/worker.js');
    expect(stdout).toContain('?? dist/worker.js');
    expect(stdout).toContain('Failed: generated files');
    expect({ status, lastLine }).toEqual({ status: 1, lastLine: '7 passed, 1 failed, 2 skipped' });
  });

  test('is red when no test was run, whatever npm says', () => {
    const none = { ...GOOD, totals: '{"passed":0,"failed":0,"skipped":40}' };
    expect(run(none)).toMatchObject({ status: 1, lastLine: '0 passed, 1 failed, 40 skipped' });
    expect(run({ ...GOOD, totals: '' })).toMatchObject({ status: 1, lastLine: '0 passed, 1 failed, 0 skipped' });
  });

  test('is red when npm fails after the last test, or before the first', () => {
    expect(run({ ...GOOD, test: 1 })).toMatchObject({ status: 1, lastLine: '7 passed, 1 failed, 2 skipped' });
    expect(run({ ...GOOD, ci: 1 })).toMatchObject({ status: 1, lastLine: '0 passed, 1 failed, 0 skipped' });
  });
});
