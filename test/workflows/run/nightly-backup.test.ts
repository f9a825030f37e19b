/** The template nightly-backup, run unchanged by a real runner. */
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { describeWith } from '../../support/availability.ts';
import { type FaultProxy, type RequestTest, startFaultProxy } from '../../support/fault-proxy.ts';
import { ROLE_ARN, startRoleRig } from '../../support/s3-role.ts';
import { freePort } from '../../support/s3-servers.ts';
import { edits, uncommented, withoutLines } from '../../support/workflows/edits.ts';
import { type Shop, startShop } from '../../support/workflows/shop.ts';

const SCHEDULED = { workflow: 'nightly-backup', event: 'schedule', payload: { schedule: '23 2 * * *' } } as const;
const DISPATCHED = { workflow: 'nightly-backup', event: 'workflow_dispatch' } as const;

describeWith(inject('workflowRig'), 'nightly-backup', (rig) => {
  let shop: Shop;
  let proxy: FaultProxy;

  beforeAll(async () => {
    shop = await startShop(rig);
    proxy = await startFaultProxy(shop.s3);
  });
  beforeEach(() => proxy.set({}));
  afterAll(async () => {
    await proxy?.close();
    await shop?.stop();
  });

  test('stores a proven, encrypted backup every night, and says so to whoever waits for it', async () => {
    const run = await shop.run(SCHEDULED);
    expect(run.exitCode, run.text).toBe(0);
    expect(run.jobs).toEqual({ backup: 'success' });
    expect(run.outputs['backup.0']).toMatchObject({ verdict: 'proven', tables: '5' });
    const [manifest] = await shop.manifests();
    expect(manifest).toMatchObject({ verdict: 'proven', label: 'nightly' });
    const set = run.outputs['backup.0']?.['backup-id'];
    expect(await shop.keys(set)).toEqual(
      ['RESTORE.md', 'contents.json.age', 'database.backup.age', 'globals.sql.age', 'metadata.json'].map(
        (name) => `${set}/${name}`,
      ),
    );
    expect(shop.github.issues).toEqual([]);
    expect(shop.heartbeats).toEqual(['GET /nightly']);
  });

  test('takes a label, and keeps a backup for ever when it is told to', async () => {
    const run = await shop.run({ ...DISPATCHED, inputs: { label: 'release-2.4.0', 'keep-forever': 'true' } });
    expect(run.exitCode, run.text).toBe(0);
    expect((await shop.manifests()).at(-1)).toMatchObject({ label: 'release-2.4.0', keepForever: true });
  });

  test('tries everything in a dry run, and stores nothing', async () => {
    const before = await shop.bucket.keys();
    const run = await shop.run({ ...DISPATCHED, inputs: { 'dry-run': 'true' } });
    expect(run.exitCode, run.text).toBe(0);
    expect(run.text).toContain('Dry run: nothing was written, nothing was backed up');
    expect(await shop.bucket.keys()).toEqual(before);
  });

  test('prunes by its policy after a proven backup, where somebody switched it on', async () => {
    await shop.run(SCHEDULED);
    const sets = await shop.manifests();
    const run = await shop.run({ ...SCHEDULED, vars: { BACKUP_PRUNE: 'true', BACKUP_NAME: 'shop' } });
    expect(run.exitCode, run.text).toBe(0);
    expect(run.jobs).toEqual({ backup: 'success', prune: 'success' });
    // All of one day: the newest takes its slot, the release is kept for ever.
    const kept = await shop.manifests();
    expect(kept.length).toBeLessThan(sets.length + 1);
    expect(kept.map(({ id }) => id)).toContain(run.outputs['backup.0']?.['backup-id']);
    expect(kept.filter(({ keepForever }) => keepForever)).toEqual(sets.filter(({ keepForever }) => keepForever));
    expect(run.outputs['prune.0']).toMatchObject({
      removed: String(sets.length + 1 - kept.length),
      kept: String(kept.length),
    });
  });

  test('stores everything twice when there is a second destination, with keys of its own', async () => {
    const other = shop.s3.storageUri('backups', 'offsite', { region: shop.s3.region, credentials: 'OFFSITE' });
    const run = await shop.run({
      ...SCHEDULED,
      vars: { BACKUP_STORAGE: `${shop.vars.BACKUP_STORAGE}\n${other}` },
      secrets: { OFFSITE_ACCESS_KEY_ID: shop.s3.accessKeyId, OFFSITE_SECRET_ACCESS_KEY: shop.s3.secretAccessKey },
    });
    expect(run.exitCode, run.text).toBe(0);
    const set = run.outputs['backup.0']?.['backup-id'];
    const twice = (await shop.bucket.keys()).filter((key) => key.includes(`/${set}/`));
    expect(twice).toHaveLength(10);
    expect(twice.filter((key) => key.startsWith('offsite/shop/'))).toHaveLength(5);
  });

  test('takes a role by the token of the job instead of stored keys, when its lines for that are uncommented', async () => {
    const role = await startRoleRig(shop.s3);
    try {
      const { endpoint } = role.gateway;
      const run = await shop.run({
        ...SCHEDULED,
        // Of the job that backs up.
        edit: edits(withoutLines(/AWS_\w+: .*BACKUP_/), uncommented('aws-role-to-assume:', 'id-token: write')),
        vars: {
          BACKUP_AWS_ROLE: ROLE_ARN,
          BACKUP_STORAGE: shop.s3.storageUri('backups', 'postgres', { region: shop.s3.region, endpoint }),
        },
        env: role.env,
      });
      expect(run.exitCode, run.text).toBe(0);
      expect(run.outputs['backup.0']).toMatchObject({ verdict: 'proven' });
      expect(role.sessions).not.toEqual([]);
    } finally {
      await role.close();
    }
  });

  test('opens an issue while the database is down, and closes it with the next proven backup', async () => {
    const gone = shop.secrets.DATABASE_URL?.replace(`:${shop.server.port}/`, `:${await freePort()}/`) ?? '';
    const beats = shop.heartbeats.length;
    // A minute, in which a server that is asleep would wake up.
    const down = await shop.run({ ...SCHEDULED, secrets: { DATABASE_URL: gone } });
    expect(down.exitCode).toBe(1);
    expect(down.jobs).toEqual({ backup: 'failure' });
    const [issue] = shop.github.openIssues();
    expect(issue?.title).toContain('shop');
    expect(down.outputs['backup.0']?.['issue-number']).toBe(String(issue?.number));
    expect(shop.github.sent()).not.toContain('S3cr3t');
    expect(down.text).not.toContain('S3cr3t');
    const up = await shop.run(SCHEDULED);
    expect(up.exitCode, up.text).toBe(0);
    expect(shop.github.issues.map(({ state }) => state)).toEqual(['closed']);
    expect(shop.heartbeats.length).toBe(beats + 1);
  });

  test('leaves nothing that looks like a backup when it is cancelled in the middle, and tells of it', async () => {
    const before = await shop.bucket.keys();
    const issues = shop.github.issues.length;
    const endpoint = `http://${proxy.host}:${proxy.port}`;
    let cancelled: Promise<void> | undefined;
    const run = await shop.run({
      ...SCHEDULED,
      vars: { BACKUP_STORAGE: shop.s3.storageUri('backups', 'postgres', { region: shop.s3.region, endpoint }) },
      onStart: (running) => {
        // Once the upload of the archive has begun its bytes go nowhere.
        const inMidUpload: RequestTest = (head) => {
          if (!/^P(UT|OST) \S*\/database\.backup/.test(head)) return false;
          proxy.set({ direction: 'to-server', blackholeAfter: 0, strikes: 1 });
          cancelled = running.cancel();
          return false;
        };
        proxy.set({ answerTo: { request: inMidUpload, times: 1, response: '' } });
      },
    });
    await cancelled;
    expect(cancelled, run.text).toBeDefined();
    expect(run.exitCode).not.toBe(0);
    expect(run.text).toContain('ERR_CANCELLED');
    expect(await shop.bucket.keys()).toEqual(before);
    expect(await shop.bucket.unfinishedUploads()).toBe(0);
    expect(shop.github.issues).toHaveLength(issues + 1);
  });
});
