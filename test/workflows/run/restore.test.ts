/** The template restore, run unchanged by a real runner: what a person would click, one dispatch after another. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { describeWith } from '../../support/availability.ts';
import { type Shop, startShop } from '../../support/workflows/shop.ts';

describeWith(inject('workflowRig'), 'restore', (rig) => {
  let shop: Shop;
  let backup = '';
  let good = '';
  /** What the refusal says to type. */
  let confirm = '';

  beforeAll(async () => {
    shop = await startShop(rig);
    good = await shop.digest('shop');
    const run = await shop.run({ workflow: 'nightly-backup', event: 'schedule' });
    expect(run.exitCode, run.text).toBe(0);
    backup = run.outputs['backup.0']?.['backup-id'] ?? '';
    await shop.server.query('DELETE FROM order_items; DELETE FROM orders', 'shop');
  });
  afterAll(() => shop?.stop());

  /** With what the form has when nobody changes anything, as GitHub sends it, but for these. */
  const dispatch = (
    inputs: Record<string, string> = {},
    more: { vars?: Record<string, string>; actor?: string } = {},
  ) =>
    shop.run({
      workflow: 'restore',
      event: 'workflow_dispatch',
      inputs: {
        environment: 'restore',
        backup: 'latest-proven',
        strategy: 'new-database',
        reason: 'somebody deleted the orders',
        'dry-run': 'true',
        confirm: '',
        schemas: '',
        'accept-partial': 'false',
        close: 'false',
        'cut-over': 'false',
        ...inputs,
      },
      actor: more.actor ?? 'octocat',
      vars: { RESTORE_SECOND_PERSON: 'false', ...more.vars },
    });
  const databases = async () =>
    (await shop.server.query<{ datname: string }>('SELECT datname FROM pg_database ORDER BY 1')).map(
      ({ datname }) => datname,
    );

  test('begins with a dry run, which shows the whole plan and touches nothing', async () => {
    const [before, bucket] = [await databases(), await shop.bucket.keys()];
    const run = await dispatch();
    expect(run.exitCode, run.text).toBe(0);
    expect(run.jobs).toEqual({ restore: 'success' });
    expect(run.text).toContain(backup);
    expect(await databases()).toEqual(before);
    expect(await shop.bucket.keys()).toEqual(bucket);
  });

  test('then restores for real, into a new database, and writes down who did it and why', async () => {
    const run = await dispatch({ 'dry-run': 'false', 'cut-over': 'true' });
    expect(run.exitCode, run.text).toBe(0);
    expect(run.jobs).toEqual({ restore: 'success', 'cut-over': 'success', healthy: 'success' });
    const outputs = run.outputs['restore.restore'];
    expect(outputs).toMatchObject({ verdict: 'passed', 'backup-id': backup });
    const restored = outputs?.['restored-database'] ?? '';
    expect(restored).not.toBe('shop');
    expect(await shop.digest(restored)).toBe(good);
    expect(run.text).toContain(`The database is called ${restored}`);
    expect(Object.keys(run.artifacts)).toEqual(['restore-report/incident.md']);
    expect(run.artifacts['restore-report/incident.md']).toContain('somebody deleted the orders');
    const records = await shop.keys('_audit/');
    expect(records).toHaveLength(2);
    const written = (await shop.bucket.read(`postgres/shop/${records[0]}`)).toString('utf8');
    expect(JSON.parse(written)).toMatchObject({ command: 'restore', reason: 'somebody deleted the orders' });
    expect(written).toContain('octocat');
  });

  test('in place is refused without a confirmation; the dry run says what to type', async () => {
    const before = await shop.digest('shop');
    const inputs = { strategy: 'in-place', 'cut-over': 'true' };
    const planned = await dispatch(inputs);
    expect(planned.exitCode, planned.text).toBe(0);
    confirm = /set exactly `confirm: (\S+)`/.exec(planned.text)?.[1] ?? '';
    expect(confirm, planned.text).toBe(`127.0.0.1:${shop.server.port}/shop`);
    const refused = await dispatch({ ...inputs, 'dry-run': 'false' });
    expect(refused.exitCode).toBe(1);
    expect(refused.jobs).toEqual({ restore: 'failure' });
    expect(refused.text).toContain('(ERR_TARGET_NOT_EMPTY)');
    expect(await shop.digest('shop')).toBe(before);
  });

  test('closes no application for a restore that is refused', async () => {
    const inputs = { strategy: 'in-place', close: 'true', 'dry-run': 'false' };
    for (const wrong of ['', 'db.example.com/another']) {
      const refused = await dispatch({ ...inputs, confirm: wrong });
      expect(refused.exitCode).toBe(1);
      expect(refused.jobs).toEqual({ restore: 'failure' });
      expect(refused.text).toMatch(/\(ERR_TARGET_NOT_EMPTY\)|\(ERR_CONFIRM\)/);
      expect(refused.text).not.toContain('Nothing is closed yet');
    }
  });

  test('in place, confirmed, puts the data back; a closed application is opened when it is healthy', async () => {
    const vars = { APPLICATION_HEALTH_URL: `${shop.secrets.BACKUP_HEARTBEAT_URL?.replace('nightly', 'health')}` };
    const inputs = { 'dry-run': 'false', strategy: 'in-place', confirm, close: 'true' };
    const run = await dispatch(inputs, { vars });
    expect(run.exitCode, run.text).toBe(0);
    expect(run.jobs).toEqual({ restore: 'success', healthy: 'success', open: 'success' });
    expect(await shop.digest('shop')).toBe(good);
    expect(shop.heartbeats).toContain('GET /health');
  });

  test('asks for a second person unless told otherwise, who types the fingerprint of the plan', async () => {
    await shop.server.query('DELETE FROM order_items', 'shop');
    const before = await shop.digest('shop');
    const vars = { RESTORE_SECOND_PERSON: '' };
    const strategy = 'in-place';
    const plan = await dispatch({ strategy }, { vars });
    expect(plan.exitCode, plan.text).toBe(0);
    const fingerprint = plan.outputs['restore.restore']?.['plan-fingerprint'] ?? '';
    expect(plan.text).toContain(fingerprint);
    const real = { strategy, 'dry-run': 'false', confirm: fingerprint };
    const alone = await dispatch(real, { vars });
    expect(alone.exitCode).toBe(1);
    expect(alone.text).toContain('ERR_PLAN_OWN');
    expect(await shop.digest('shop')).toBe(before);
    const together = await dispatch(real, { vars, actor: 'hubot' });
    expect(together.exitCode, together.text).toBe(0);
    expect(await shop.digest('shop')).toBe(good);
    expect(shop.github.openIssues()).toEqual([]);
  });
});
