import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const AVAILABILITY = path.join(ROOT, 'test/support/availability.ts');

describe('the end of a test run', () => {
  let folder: string;

  beforeAll(() => {
    // Inside the checkout, because the inner run resolves vitest from there.
    mkdirSync(path.join(ROOT, '.cache'), { recursive: true });
    folder = mkdtempSync(path.join(ROOT, '.cache', 'reporter-'));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function run(name: string, source: string, ...args: string[]) {
    const file = path.join(folder, `${name}.test.ts`);
    const totalsFile = path.join(folder, `${name}.json`);
    writeFileSync(
      file,
      `import { beforeAll, describe, expect, test } from 'vitest';
       import { describeIf, testIf } from ${JSON.stringify(AVAILABILITY)};
       ${source}`,
    );
    const config = path.join(folder, 'vitest.config.ts');
    const reporter = path.join(ROOT, 'test/support/reporter.ts');
    writeFileSync(
      config,
      `export default { test: {
         root: ${JSON.stringify(folder)}, include: ['*.test.ts'],
         reporters: ['default', [${JSON.stringify(reporter)}, { totalsFile: process.env.TEST_TOTALS_FILE }]],
       } };`,
    );
    const vitest = path.join(ROOT, 'node_modules/vitest/vitest.mjs');
    const { status, stdout } = spawnSync(process.execPath, [vitest, 'run', '--config', config, file, ...args], {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: process.env.PATH ?? '', NO_COLOR: '1', TEST_TOTALS_FILE: totalsFile },
    });
    return {
      status,
      stdout,
      lastLine: stdout.trimEnd().split('\n').at(-1),
      totals: JSON.parse(readFileSync(totalsFile, 'utf8')) as unknown,
    };
  }

  test('names what was left out with its reason, and the line of totals is the last one', () => {
    const { status, stdout, lastLine, totals } = run(
      'left-out',
      `test('passes', () => undefined);
       describeIf({ skipped: 'no moon today' }, 'a suite', () => { throw new Error('the body was run'); });
       describeIf(true, 'a suite that is there', () => { test('passes too', () => undefined); });
       testIf({ skipped: 'no sun either' }, 'a test', () => undefined);`,
    );
    expect(stdout).toContain('left-out.test.ts > a suite (skipped: no moon today)\n');
    expect(stdout).toContain('left-out.test.ts > a test (skipped: no sun either)\n');
    expect(lastLine).toBe('2 passed, 0 failed, 2 skipped');
    expect(totals).toEqual({ passed: 2, failed: 0, skipped: 2 });
    expect(status).toBe(0);
  });

  test('a test that is set aside without a reason fails the run', () => {
    const { status, stdout, lastLine } = run(
      'unexplained',
      `test('passes', () => undefined);
       describe('a suite', () => { test.${'skip'}('forgotten', () => undefined); });`,
    );
    expect(stdout).toContain(
      'Skipped without a reason, which counts as failed:\n  unexplained.test.ts > a suite > forgotten',
    );
    expect(lastLine).toBe('1 passed, 1 failed, 0 skipped');
    expect(status).toBe(1);
  });

  test('tests whose set-up failed count as failed, not as skipped', () => {
    const { status, lastLine } = run(
      'set-up',
      `describe('a suite', () => {
         beforeAll(() => { throw new Error('no server'); });
         test('one', () => undefined);
         test('two', () => undefined);
       });`,
    );
    expect(lastLine).toBe('0 passed, 3 failed, 0 skipped');
    expect(status).toBe(1);
  });

  test('a file that cannot be loaded and an error that no test caught count as failed', () => {
    expect(run('unloadable', `await import('./there-is-no-such-file.ts');`).lastLine).toBe(
      '0 passed, 1 failed, 0 skipped',
    );
    const uncaught = run(
      'uncaught',
      `test('passes', async () => {
         setTimeout(() => { throw new Error('late'); }, 1);
         await new Promise((resolve) => setTimeout(resolve, 50));
       });`,
    );
    expect(uncaught.lastLine).toBe('1 passed, 1 failed, 0 skipped');
    expect(uncaught.status).toBe(1);
  });

  test('tests that a name pattern leaves out are counted and not listed', () => {
    const { status, stdout, lastLine } = run(
      'filtered',
      `test('apple', () => undefined); test('pear', () => undefined);`,
      '--testNamePattern',
      'apple',
    );
    expect(stdout).not.toContain('> pear');
    expect(lastLine).toBe('1 passed, 0 failed, 1 skipped');
    expect(status).toBe(0);
  });
});
