/** The template pre-migration-backup, run unchanged by a real runner, with a migration of ours. */
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { describeWith } from '../../support/availability.ts';
import { type Edit, edits, uncommented, withoutLines } from '../../support/workflows/edits.ts';
import { type Shop, startShop } from '../../support/workflows/shop.ts';

/** Statements are applied one by one, as some tools do: what fails half-way stays half-way. */
const MIGRATE = 'psql "$DATABASE_URL" --quiet --set ON_ERROR_STOP=1 --file migrations/0001.sql\n';
const GOOD = 'ALTER TABLE customers ADD COLUMN phone text;\n';
const BAD =
  "DELETE FROM reviews WHERE stars < 3; UPDATE customers SET full_name = 'nobody'; ALTER TABLE nowhere ADD COLUMN a int;\n";

describeWith(inject('workflowRig'), 'pre-migration-backup', (rig) => {
  let shop: Shop;

  beforeEach(async () => {
    shop = await startShop(rig);
  });
  afterEach(() => shop?.stop());

  const push = (migration: string, vars = {}, edit?: Edit) =>
    shop.run({
      ...(edit === undefined ? {} : { edit }),
      workflow: 'pre-migration-backup',
      event: 'push',
      files: { 'migrate.sh': MIGRATE, 'migrations/0001.sql': migration },
      vars,
    });

  test('migrates once a backup is proven', async () => {
    const before = await shop.digest('shop');
    const run = await push(GOOD, { MIGRATION_ROLLBACK: 'true' });
    expect(run.exitCode, run.text).toBe(0);
    expect(run.jobs).toEqual({ backup: 'success', migrate: 'success' });
    expect(await shop.manifests()).toMatchObject([{ verdict: 'proven', label: 'pre-migration' }]);
    expect(await shop.digest('shop')).not.toBe(before);
    await expect(shop.server.query('SELECT phone FROM customers LIMIT 1', 'shop')).resolves.toHaveLength(1);
  });

  test('puts the database back to exactly that backup when the migration fails half-way', async () => {
    const before = await shop.digest('shop');
    const run = await push(BAD, { MIGRATION_ROLLBACK: 'true' });
    expect(run.exitCode).toBe(1);
    expect(run.jobs).toEqual({ backup: 'success', migrate: 'failure', rollback: 'success' });
    expect(await shop.digest('shop')).toBe(before);
    const [backup, restored] = [run.outputs['backup.backup'], run.outputs['rollback.0']];
    expect(restored).toMatchObject({
      'backup-id': backup?.['backup-id'],
      verdict: 'passed',
      'restored-database': 'shop',
    });
    const databases = await shop.server.query<{ datname: string }>('SELECT datname FROM pg_database ORDER BY 1');
    expect(databases.map(({ datname }) => datname)).toContainEqual(expect.stringMatching(/^shop_before_/));
    expect(await shop.keys('_audit/')).toHaveLength(2);
  });

  test('says the way back, and touches nothing, where nobody switched the rollback on', async () => {
    const run = await push(BAD);
    expect(run.exitCode).toBe(1);
    expect(run.jobs).toEqual({ backup: 'success', migrate: 'failure' });
    expect(run.text).toContain(`is the backup \`${run.outputs['backup.backup']?.['backup-id']}\``);
    await expect(
      shop.server.query("SELECT 1 FROM customers WHERE full_name = 'nobody' LIMIT 1", 'shop'),
    ).resolves.toHaveLength(1);
  });

  test('does not migrate when the backup is not proven', async () => {
    const before = await shop.digest('shop');
    await shop.server.query('ALTER ROLE backup NOLOGIN');
    const run = await push(GOOD, { MIGRATION_ROLLBACK: 'true' });
    expect(run.exitCode).toBe(1);
    expect(run.jobs).toEqual({ backup: 'failure' });
    expect(await shop.digest('shop')).toBe(before);
    expect(shop.github.openIssues()).toHaveLength(1);
  });

  test('takes a recent proven backup again where the team says so', async () => {
    const first = await push(GOOD);
    const second = await push('ALTER TABLE customers DROP COLUMN phone;\n', {}, uncommented('reuse-within-minutes:'));
    expect(second.exitCode, second.text).toBe(0);
    expect(second.outputs['backup.backup']?.['backup-id']).toBe(first.outputs['backup.backup']?.['backup-id']);
    expect(await shop.manifests()).toHaveLength(1);
  });

  test('keeps the backup of a release for ever', async () => {
    const release = edits(withoutLines(/ label: pre-migration$/), uncommented('label: release-', 'keep-forever:'));
    const run = await push(GOOD, {}, release);
    expect(run.exitCode, run.text).toBe(0);
    expect(await shop.manifests()).toMatchObject([{ label: 'release-main', keepForever: true }]);
  });
});
