/** The template restore-drill, run unchanged by a real runner, with its Postgres as a service container. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { describeWith } from '../../support/availability.ts';
import { readable } from '../../support/expect-run.ts';
import { flipByte } from '../../support/spoil.ts';
import { type Shop, startShop } from '../../support/workflows/shop.ts';

const SCHEDULED = { workflow: 'restore-drill', event: 'schedule', payload: { schedule: '37 4 1 * *' } } as const;

describeWith(inject('workflowRig'), 'restore-drill', (rig) => {
  let shop: Shop;
  let first = '';
  let second = '';

  beforeAll(async () => {
    shop = await startShop(rig);
    const backUp = async () => {
      const run = await shop.run({ workflow: 'nightly-backup', event: 'schedule' });
      expect(run.exitCode, run.text).toBe(0);
      return run.outputs['backup.0']?.['backup-id'] ?? '';
    };
    first = await backUp();
    await shop.server.query(
      "INSERT INTO reviews (product_id, customer_id, stars, body, written_at) VALUES (1, 1, 5, 'new', now())",
      'shop',
    );
    second = await backUp();
  });
  afterAll(() => shop?.stop());

  test('brings the newest proven backup back into its service container, and keeps the report and the record', async () => {
    const run = await shop.run(SCHEDULED);
    expect(run.exitCode, run.text).toBe(0);
    expect(run.outputs['drill.drill']).toMatchObject({ 'backup-id': second, verdict: 'passed', tables: '5' });
    expect(Object.keys(run.artifacts).sort()).toEqual(['drill-report/drill.md', 'drill-report/drill.xml']);
    expect(readable(run.artifacts['drill-report/drill.md'] ?? '')).toContain(second);
    expect(JSON.stringify(run.artifacts)).not.toContain('@example.org');
    expect(await shop.keys(`_drills/${second}/`)).toHaveLength(1);
    expect(shop.github.issues).toEqual([]);
    expect(shop.heartbeats).toContain('GET /drill');
  });

  test('drills the backup that a dispatch names', async () => {
    const run = await shop.run({ workflow: 'restore-drill', event: 'workflow_dispatch', inputs: { backup: first } });
    expect(run.exitCode, run.text).toBe(0);
    expect(run.outputs['drill.drill']).toMatchObject({ 'backup-id': first, verdict: 'passed' });
  });

  test('is red on a damaged backup, with an issue, a record and a report', async () => {
    await flipByte(shop.fileOf(`${second}/database.backup.age`));
    const run = await shop.run(SCHEDULED);
    expect(run.exitCode).toBe(1);
    expect(run.jobs).toEqual({ drill: 'failure' });
    expect(run.text).toContain('The drill of "shop" failed');
    expect(shop.github.openIssues()).toHaveLength(1);
    expect(await shop.keys(`_drills/${second}/`)).toHaveLength(2);
    expect(Object.keys(run.artifacts)).toContain('drill-report/drill.md');
    await flipByte(shop.fileOf(`${second}/database.backup.age`));
    const good = await shop.run(SCHEDULED);
    expect(good.exitCode, good.text).toBe(0);
    expect(shop.github.openIssues()).toEqual([]);
  });
});
