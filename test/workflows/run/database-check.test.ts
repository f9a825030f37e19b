/** The template database-check, run by a real runner before a deployment of ours. */
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { describeWith } from '../../support/availability.ts';
import { edits, withInputs } from '../../support/workflows/edits.ts';
import { type Shop, startShop } from '../../support/workflows/shop.ts';

const DEPLOY = `
  deploy:
    needs: check
    runs-on: ubuntu-latest
    timeout-minutes: 5
    steps:
      - run: echo deployed
`;

describeWith(inject('workflowRig'), 'database-check', (rig) => {
  let shop: Shop;
  beforeEach(async () => {
    shop = await startShop(rig);
  });
  afterEach(() => shop?.stop());

  /** The rig's server runs without fsync, which a check is right to fail. */
  const release = () =>
    shop.run({
      workflow: 'database-check',
      event: 'schedule',
      edit: edits(withInputs({ checks: 'durability=off' }), (text) => `${text}${DEPLOY}`),
    });

  test('lets a deployment through when no check fails', async () => {
    const run = await release();
    expect(run.exitCode, run.text).toBe(0);
    expect(run.jobs).toEqual({ check: 'success', deploy: 'success' });
    expect(await shop.keys('_checks/')).toHaveLength(1);
  });

  test('keeps a failing one from being deployed, and opens an issue', async () => {
    await shop.server.query('CREATE TABLE twice (i int); INSERT INTO twice VALUES (1), (1)', 'shop');
    await shop.server.query('CREATE UNIQUE INDEX CONCURRENTLY twice_i ON twice (i)', 'shop').catch(() => undefined);
    const run = await release();
    expect(run.exitCode).toBe(1);
    expect(run.jobs).toEqual({ check: 'failure' });
    expect(run.text).toContain('invalid-indexes');
    expect(shop.github.openIssues()).toHaveLength(1);
  });
});
