/** `require-second-person`: a dry run by one, the restore by another, and each reason for a no. */
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type AuditPlanned, auditKey, parseAudit } from '../../src/domain/audit.ts';
import { describeWith } from '../support/availability.ts';
import { folderState, type ScenarioRun } from '../support/backup-scenario.ts';
import { clientTools } from '../support/clients.ts';
import { readable } from '../support/expect-run.ts';
import { schemaErrors } from '../support/published-schemas.ts';
import {
  expectNothingLeft,
  expectRestoreFailed,
  type FailedRestore,
  lookBefore,
  type RestoreScenario,
  startRestoreScenario,
} from '../support/restore-scenario.ts';

const UNTOUCHED = 'Nothing was touched';
const REASON = 'the orders of Friday are gone';

describeWith(await clientTools(17), 'A restore that needs a second person', (clients) => {
  let bench: RestoreScenario;
  beforeAll(async () => {
    bench = await startRestoreScenario(clients);
  });
  afterEach(() => bench.reset());
  afterAll(() => bench?.stop());

  interface By {
    /** Who started the run; octocat. */
    actor?: string;
    /** Who ran it again; the same. */
    again?: string;
  }

  const audits = (): string => path.join(bench.scenario.storage, 'shop', '_audit');
  const plans = (): string[] => readdirSync(audits()).filter((name) => name.endsWith('.planned.json'));

  async function restore(inputs: Record<string, string>, { actor = 'octocat', again = actor }: By = {}) {
    return await bench.restore({
      inputs: { strategy: 'in-place', reason: REASON, 'require-second-person': 'true', ...inputs },
      env: { GITHUB_ACTOR: actor, GITHUB_TRIGGERING_ACTOR: again },
    });
  }

  async function plan(
    inputs: Record<string, string> = {},
    by: By = {},
  ): Promise<ScenarioRun & { fingerprint: string }> {
    const run = await restore({ 'dry-run': 'true', ...inputs }, by);
    expect(run.exitCode, run.maskedLog).toBe(0);
    const fingerprint = run.outputs['plan-fingerprint'] ?? '';
    expect(fingerprint).toMatch(/^[0-9a-f]{12}$/);
    return { ...run, fingerprint };
  }

  async function expectRefused(
    inputs: Record<string, string>,
    expected: Pick<FailedRestore, 'code' | 'happened' | 'action'>,
    by: By = { actor: 'hubot' },
  ): Promise<void> {
    const before = await lookBefore(bench);
    const run = await restore(inputs, by);
    await expectRestoreFailed(bench, run, before, { safety: [UNTOUCHED], ...expected });
  }

  /** A dry run opens no issue. */
  async function expectDryRunRefused(code: string, words: string, inputs: Record<string, string>, by: By = {}) {
    const before = folderState(bench.scenario.storage);
    const run = await restore({ 'dry-run': 'true', ...inputs }, by);
    expect(run.exitCode, run.maskedLog).toBe(1);
    expect(run.annotations.map(({ title }) => title).join()).toContain(`(${code})`);
    expect(readable(run.summary)).toContain(words);
    expect(run.outputs).not.toHaveProperty('plan-fingerprint');
    expect(folderState(bench.scenario.storage)).toEqual(before);
  }

  test('leaves the record of its plan in its dry run, says what to type, and does just that for another person', async () => {
    const world = await bench.look();
    const before = folderState(bench.scenario.storage);
    const dry = await plan({ confirm: 'whatever' });
    expect(await bench.look()).toEqual(world);
    const fresh = [...folderState(bench.scenario.storage)].filter(([key, digest]) => !before.has(key) && digest !== '');
    expect(fresh.map(([key]) => key)).toEqual([
      expect.stringMatching(/^shop\/_audit\/\d{8}_\d{6}_\w{6}\.planned\.json$/),
    ]);
    const [[key = ''] = []] = fresh;
    const text = readFileSync(path.join(bench.scenario.storage, key), 'utf8');
    expect(schemaErrors('audit', JSON.parse(text))).toEqual([]);
    const record = parseAudit('planned', text);
    expect(record).toMatchObject({
      actor: 'octocat',
      triggeringActor: 'octocat',
      reason: REASON,
      fingerprint: dry.fingerprint,
      strategy: 'in-place',
      backup: { id: bench.id, series: 'shop' },
      target: { database: 'shop' },
      run: { runId: '4242424242' },
    });
    const summary = readable(dry.summary);
    expect(summary).toContain('somebody other than octocat');
    expect(summary).toContain(`backup: ${bench.id}\ndry-run: false\nconfirm: '${dry.fingerprint}'`);
    expect(summary).toContain(key);
    expect(dry.maskedLog).toContain(`  confirm: '${dry.fingerprint}'`);
    await expectNothingLeft(bench, dry);

    const done = await restore(
      { backup: bench.id, 'dry-run': 'false', confirm: dry.fingerprint, reason: 'as octocat planned' },
      { actor: 'Hubot' },
    );
    expect(done.exitCode, done.maskedLog).toBe(0);
    expect(done.outputs.verdict).toBe('passed');
    expect(await bench.served()).toBe('backup');
    for (const part of ['started', 'finished'] as const) {
      const name = readdirSync(audits()).find((each) => each.endsWith(`.${part}.json`)) ?? '';
      const told = readFileSync(path.join(audits(), name), 'utf8');
      expect(schemaErrors('audit', JSON.parse(told))).toEqual([]);
      expect(part === 'started' ? parseAudit(part, told) : parseAudit(part, told)).toMatchObject({
        actor: 'Hubot',
        confirmedPlan: {
          fingerprint: dry.fingerprint,
          uri: path.join(bench.scenario.storage, key),
          plannedAt: record.startedAt,
          actor: 'octocat',
        },
      });
    }
    await expectNothingLeft(bench, done);
  });

  test('into a new database needs one as well', async () => {
    const beside = { strategy: 'new-database' };
    const { fingerprint } = await plan(beside);
    await expectRefused(beside, { code: 'ERR_CONFIRM', happened: [/`?confirm`? is empty/], action: ['dry-run: true'] });
    const done = await restore({ ...beside, confirm: fingerprint }, { actor: 'hubot' });
    expect(done.exitCode, done.maskedLog).toBe(0);
    expect(done.outputs['restored-database']).toBe(`shop_restored_${bench.id}`);
    expect(await bench.served()).toBe('old');
  });

  test('is refused for the name of the target, and for a plan that nobody made', async () => {
    const action = ['dry-run: true'];
    await expectRefused(
      { confirm: bench.fingerprint },
      { code: 'ERR_PLAN_UNKNOWN', happened: ['no fingerprint'], action },
    );
    await expectRefused(
      { confirm: '0123456789ab' },
      { code: 'ERR_PLAN_UNKNOWN', happened: ['No dry run has left a plan with the fingerprint 0123456789ab'], action },
    );
  });

  test('is refused to whoever made the plan, also as the one who only ran it again', async () => {
    const { fingerprint: confirm } = await plan();
    const expected = {
      code: 'ERR_PLAN_OWN',
      happened: ['octocat had a hand'],
      action: ['somebody else start'],
    } as const;
    await expectRefused({ confirm }, expected, { actor: 'Octocat' });
    await expectRefused({ confirm }, expected, { actor: 'octocat', again: 'hubot' });
    await expectRefused({ confirm }, expected, { actor: 'hubot', again: 'octocat' });
  });

  test('is refused to an app, and so is its dry run', async () => {
    const expected = { code: 'ERR_PERSON_UNKNOWN', happened: ['github-actions[bot]'], action: ['by hand'] } as const;
    await expectRefused({ confirm: '0123456789ab' }, expected, { actor: 'github-actions[bot]' });
    await expectDryRunRefused('ERR_PERSON_UNKNOWN', 'github-actions[bot]', {}, { actor: 'github-actions[bot]' });
  });

  test('is refused when the plan is of yesterday', async () => {
    const { fingerprint: confirm } = await plan();
    for (const name of plans()) age(path.join(audits(), name));
    await expectRefused({ confirm }, { code: 'ERR_PLAN_OLD', happened: ['1 day 1 h old'], action: ['dry-run: true'] });
  });

  test('is refused when it would drop another table, or do anything else than was planned', async () => {
    const { fingerprint: confirm } = await plan();
    const [code, action] = ['ERR_PLAN_DIFFERS', ['dry-run: true', 'look at what is new']] as const;
    const inputs = { code, happened: ['inputs are others'], action };
    await expectRefused({ confirm, tables: 'public.which' }, { ...inputs, happened: [...inputs.happened, 'dropped'] });
    await expectRefused({ confirm, 'after-restore-sql': 'TRUNCATE which' }, inputs);
    await bench.scenario.query('CREATE TABLE since_then AS SELECT 42 AS answer');
    try {
      await expectRefused({ confirm }, { code, happened: ['something else would be dropped'], action });
    } finally {
      await bench.scenario.query('DROP TABLE since_then');
    }
    const done = await restore({ confirm }, { actor: 'hubot' });
    expect(done.exitCode, done.maskedLog).toBe(0);
  });

  test('is refused when latest is another backup by now, and names the one that was meant', async () => {
    const { fingerprint: confirm } = await plan({ backup: 'latest-proven' });
    const newer = await bench.scenario.run({
      inputs: { encryption: '', 'age-recipients': bench.recipient, label: 'newer' },
    });
    expect(newer.exitCode, newer.maskedLog).toBe(0);
    await expectRefused(
      { confirm, backup: 'latest-proven' },
      {
        code: 'ERR_PLAN_DIFFERS',
        happened: [`the backup is ${newer.outputs['backup-id']} now, and was ${bench.id}`],
        action: [`backup: ${bench.id}`],
      },
    );
  });

  test('says no in a dry run with check-confirm wherever the restore would, and leaves no plan', async () => {
    const { fingerprint: confirm } = await plan({ backup: bench.id });
    const check = { 'check-confirm': 'true', backup: bench.id };
    const hubot = { actor: 'hubot' };
    await expectDryRunRefused('ERR_CONFIRM', 'confirm is empty', check, hubot);
    await expectDryRunRefused('ERR_PLAN_UNKNOWN', 'no fingerprint', { ...check, confirm: bench.fingerprint }, hubot);
    await expectDryRunRefused('ERR_PLAN_OWN', 'had a hand in the plan', { ...check, confirm });
    await expectDryRunRefused('ERR_PLAN_DIFFERS', 'inputs are others', { ...check, confirm, tables: 'which' }, hubot);
    await expectDryRunRefused(...(['ERR_TARGET_NOT_EMPTY', 'is not empty'] as const), {
      ...check,
      'require-second-person': 'false',
    });
    const before = folderState(bench.scenario.storage);
    const run = await restore({ ...check, 'dry-run': 'true', confirm }, hubot);
    expect(run.exitCode, run.maskedLog).toBe(0);
    expect(run.outputs).not.toHaveProperty('plan-fingerprint');
    expect(folderState(bench.scenario.storage)).toEqual(before);
    const alone = { ...check, 'dry-run': 'true', 'require-second-person': 'false', confirm: bench.fingerprint };
    expect((await restore(alone)).exitCode).toBe(0);
  });

  test('is refused without a reason, in its dry run already', () =>
    expectDryRunRefused('ERR_CONFIRM', 'is replaced only for a reason', { reason: '' }));

  test('passes over records that are none, and says so', async () => {
    const { fingerprint: confirm } = await plan({ backup: bench.id });
    writeFileSync(path.join(audits(), '20261121_031500_aaaaaa.planned.json'), '{"schemaVersion":1}');
    await expectRefused(
      { confirm: '0123456789ab' },
      { code: 'ERR_PLAN_UNKNOWN', happened: ['No dry run'], action: ['dry-run: true'] },
    );
    const done = await restore({ confirm, backup: bench.id }, { actor: 'hubot' });
    expect(done.exitCode, done.maskedLog).toBe(0);
    expect(readable(done.summary)).toContain('does not count as the plan of a dry run');
  });

  test('fails its dry run where no destination takes the plan', async () => {
    const { storage } = bench.scenario;
    const [first] = await bench.copies();
    writeFileSync(path.join(first, 'shop', '_audit'), '');
    const run = await restore({ 'dry-run': 'true', storage: first });
    expect(run.exitCode).toBe(1);
    expect(readable(run.summary)).toContain('No destination took the audit record');
    const both = await restore({ 'dry-run': 'true', storage: `${first}\n${storage}` });
    expect(both.exitCode, both.maskedLog).toBe(0);
    expect(readable(both.summary)).toContain('audit-not-written');
  });
});

/** Rewritten, name and all, as it would be had it been written 25 hours earlier. */
function age(file: string): void {
  const record: AuditPlanned = JSON.parse(readFileSync(file, 'utf8'));
  const at = new Date(Date.parse(record.startedAt) - 25 * 3_600_000);
  writeFileSync(file, JSON.stringify({ ...record, startedAt: at.toISOString() }));
  const random = /_(\w{6})\.planned/.exec(file)?.[1] ?? '';
  renameSync(file, path.join(path.dirname(file), path.basename(auditKey('shop', at, random, 'planned'))));
}
