/** The template backup-status, run unchanged by a real runner. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { describeWith } from '../../support/availability.ts';
import { type Shop, startShop } from '../../support/workflows/shop.ts';

const MORNING = { workflow: 'backup-status', event: 'schedule' } as const;

describeWith(inject('workflowRig'), 'backup-status', (rig) => {
  let shop: Shop;
  let backup = '';
  beforeAll(async () => {
    shop = await startShop(rig);
    const run = await shop.run({ workflow: 'nightly-backup', event: 'schedule' });
    expect(run.exitCode, run.text).toBe(0);
    backup = run.outputs['backup.0']?.['backup-id'] ?? '';
  });
  afterAll(() => shop?.stop());

  test('is green while the newest backup is young, writes nothing, and keeps the dashboard', async () => {
    const before = await shop.keys();
    const run = await shop.run({ ...MORNING, vars: { BACKUP_EXPECTED: 'shop' } });
    expect(run.exitCode, run.text).toBe(0);
    expect(run.outputs['status.status']).toMatchObject({ verdict: 'warning', 'backup-id': backup });
    expect(run.text).toContain('never-drilled');
    expect(Object.keys(run.artifacts)).toEqual(['dashboard/dashboard.html']);
    expect(run.artifacts['dashboard/dashboard.html']).toContain(backup);
    expect(await shop.keys()).toEqual(before);
    expect(shop.heartbeats).toContain('GET /status');
    expect(shop.github.issues).toEqual([]);
  });

  test('is red when an expected series has no backup at all, opens one issue, and a good morning closes it', async () => {
    const expecting = { ...MORNING, vars: { BACKUP_EXPECTED: 'shop, crm' } };
    for (let morning = 0; morning < 2; morning += 1) {
      const run = await shop.run(expecting);
      expect(run.exitCode).toBe(1);
      expect(run.jobs).toEqual({ status: 'failure' });
      expect(run.text).toContain('There is no backup of crm at all');
      expect(Object.keys(run.artifacts)).toEqual(['dashboard/dashboard.html']);
      expect(shop.github.openIssues()).toHaveLength(1);
    }
    const good = await shop.run({ ...MORNING, vars: { BACKUP_EXPECTED: 'shop' } });
    expect(good.exitCode, good.text).toBe(0);
    expect(shop.github.openIssues()).toEqual([]);
  });
});
