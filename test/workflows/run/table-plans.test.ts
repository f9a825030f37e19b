/** The template table-plans, run unchanged by a real runner, on the tables that it names. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { describeWith } from '../../support/availability.ts';
import { type Shop, startShop } from '../../support/workflows/shop.ts';

const TABLES = ['users', 'profiles', 'messages', 'messages_archive', 'subscriptions', 'invoices', 'unrelated'];

describeWith(inject('workflowRig'), 'table-plans', (rig) => {
  let shop: Shop;

  beforeAll(async () => {
    shop = await startShop(rig);
    for (const name of TABLES) {
      await shop.server.query(`CREATE TABLE ${name} AS SELECT g AS id FROM generate_series(1, 10) g`, 'shop');
    }
  });
  afterAll(() => shop?.stop());

  const scheduled = (schedule: string) =>
    shop.run({ workflow: 'table-plans', event: 'schedule', payload: { schedule } });

  test.each([
    ['17 */6 * * *', 'users', 'scheduled', 2],
    ['41 2 * * *', 'messages', 'scheduled', 2],
    ['29 5 1 1 *', 'subscriptions', 'yearly', 2],
  ])('runs by %s what is planned for %s', async (schedule, series, label, tables) => {
    const run = await scheduled(schedule);
    expect(run.exitCode, run.text).toBe(0);
    expect(run.outputs['backup.1']).toMatchObject({ verdict: 'proven', tables: String(tables) });
    expect(await shop.manifests(series)).toMatchObject([{ label, keepForever: label === 'yearly' }]);
  });

  test('runs the plan that a dispatch names, and prunes its series alone, where somebody switched that on', async () => {
    const run = await shop.run({
      ...{ workflow: 'table-plans', event: 'workflow_dispatch', inputs: { plan: 'users' } },
      vars: { BACKUP_PRUNE: 'true' },
    });
    expect(run.exitCode, run.text).toBe(0);
    expect(run.jobs).toEqual({ backup: 'success', prune: 'success' });
    // Both are younger than the plan keeps them.
    expect(run.outputs['prune.0']).toMatchObject({ removed: '0', kept: '2' });
    expect(await shop.manifests('users')).toHaveLength(2);
  });

  test('is red for a schedule that is in no plan', async () => {
    const run = await scheduled('0 0 * * *');
    expect(run.exitCode).toBe(1);
    expect(run.text).toContain("There is no plan for '0 0 * * *'");
  });
});
