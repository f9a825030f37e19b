/** A runner whose own files cannot be written any more: what happened is told all the same, and not as a defect. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import { type Scenario, type ScenarioRun, startScenario } from '../support/backup-scenario.ts';
import { clientTools } from '../support/clients.ts';

const FULL = '/dev/full';

describeWith(await clientTools(17), 'A runner without room', (clients) => {
  let scenario: Scenario;
  beforeAll(async () => {
    scenario = await startScenario(clients, { sql: 'CREATE TABLE hollow (id int)' });
  });
  afterAll(() => scenario?.stop());

  function errorOf(run: ScenarioRun): { title: string; message: string } {
    expect(run.exitCode, run.maskedLog).toBe(1);
    const [error, ...others] = run.annotations.filter(({ kind }) => kind === 'error');
    expect(others).toEqual([]);
    return { title: error?.title ?? '', message: error?.message ?? '' };
  }

  test('for outputs is red, says that the backup is complete, and opens the issue', async () => {
    const run = await scenario.run({ env: { GITHUB_OUTPUT: FULL } });
    const { message } = errorOf(run);
    expect(message).toMatch(/The outputs of this run could not be written: ENOSPC/);
    expect(message).toContain('The backup itself is stored and complete');
    expect(message).toContain('Free space on the disk of the runner');
    expect(run.github.issues).toHaveLength(1);
    expect(run.annotations.map((each) => each.title)).not.toContain('The issue about this could not be written');
  });

  test('for outputs does not hide that a backup is not proven', async () => {
    const run = await scenario.run({ env: { GITHUB_OUTPUT: FULL }, inputs: { 'critical-tables': 'hollow' } });
    const { title, message } = errorOf(run);
    expect(title).toMatch(/stored, but not proven/);
    expect(message).toContain('critical-tables');
    expect(message).not.toContain('stored and complete');
    expect(run.annotations.map((each) => each.title)).toContain('outputs-not-written');
  });

  test('for the note to the post step ends the run before it begins', async () => {
    const run = await scenario.run({ env: { GITHUB_STATE: FULL } });
    const { title, message } = errorOf(run);
    expect(title).toContain('ERR_PREFLIGHT');
    expect(message).toContain('ENOSPC');
    expect(message).toContain('Nothing was written');
  });
});
