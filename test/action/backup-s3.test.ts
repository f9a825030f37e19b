/** Backups into buckets: on every S3 server that can be had, with the credentials and rights that users have. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Manifest } from '../../src/domain/manifest.ts';
import { describeWith } from '../support/availability.ts';
import { type Scenario, type ScenarioRun, type ScenarioRunOptions, startScenario } from '../support/backup-scenario.ts';
import { type Bucket, newBucket } from '../support/bucket.ts';
import { type Clients, clientTools } from '../support/clients.ts';
import { expectNoSecret, expectTidy, readable } from '../support/expect-run.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { schemaErrors } from '../support/published-schemas.ts';
import { availableS3Servers, type S3Server, type S3ServerKind } from '../support/s3-servers.ts';

const OBJECTS = ['database.backup', 'globals.sql', 'contents.json', 'RESTORE.md'];
const FORBIDDEN =
  '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message><RequestId>1</RequestId></Error>';
const DENIED = `HTTP/1.1 403 Forbidden\r\nContent-Type: application/xml\r\nContent-Length: ${FORBIDDEN.length}\r\nConnection: close\r\n\r\n${FORBIDDEN}`;

async function needs(
  kind: S3ServerKind,
): Promise<{ clients: Clients; start: () => Promise<S3Server> } | { skipped: string }> {
  const clients = await clientTools(17);
  if ('skipped' in clients) return clients;
  return kind.available ? { clients, start: kind.start } : { skipped: kind.reason };
}

for (const kind of await availableS3Servers()) {
  describeWith(await needs(kind), `A backup into a bucket of ${kind.name}`, ({ clients, start }) => {
    let scenario: Scenario;
    let server: S3Server;
    let bucket: Bucket;
    beforeAll(async () => {
      scenario = await startScenario(clients);
      server = await start();
      bucket = await newBucket(server, 'backups');
    });
    afterAll(async () => {
      bucket?.close();
      await server?.stop();
      await scenario?.stop();
    });

    const run = (options: ScenarioRunOptions = {}): Promise<ScenarioRun> =>
      scenario.run({
        ...options,
        inputs: { storage: server.storageUri('backups', 'team'), ...options.inputs },
        env: options.env ?? server.env,
      });
    const manifestOf = async (result: ScenarioRun): Promise<Manifest> =>
      JSON.parse((await bucket.read(`team/shop/${result.outputs['backup-id']}/metadata.json`)).toString('utf8'));

    async function expectStored(result: ScenarioRun): Promise<Manifest> {
      expect(result.exitCode, result.maskedLog).toBe(0);
      expect(result.outputs.verdict).toBe('proven');
      await expectTidy(scenario, result);
      expectNoSecret(result, [server.secretAccessKey]);
      const manifest = await manifestOf(result);
      expect(schemaErrors('metadata', manifest)).toEqual([]);
      expect(manifest.objects.map(({ name }) => name)).toEqual(OBJECTS);
      for (const { name, sha256, sizeBytes } of manifest.objects) {
        const bytes = await bucket.read(`team/shop/${manifest.id}/${name}`);
        expect([bytes.byteLength, createHash('sha256').update(bytes).digest('hex')]).toEqual([sizeBytes, sha256]);
      }
      expect(await bucket.unfinishedUploads()).toBe(0);
      return manifest;
    }

    test('stores the set below the prefix and says where', async () => {
      const result = await run();
      const { id } = await expectStored(result);
      const keys = [...OBJECTS, 'metadata.json'].map((name) => `team/shop/${id}/${name}`).sort();
      expect(await bucket.keys()).toEqual(keys);
      expect(result.outputs).toMatchObject({
        'backup-uri': `s3://backups/team/shop/${id}`,
        'manifest-uri': `s3://backups/team/shop/${id}/metadata.json`,
      });
      expect(result.outputs['restore-command']).toContain(`s3://backups/team/shop/${id}/database.backup`);
      expect(readable(result.summary)).toContain(`s3://backups/team/shop/${id}`);
    });

    test('takes an archive of several parts', async () => {
      await scenario.query(`CREATE DATABASE large`, 'postgres');
      await scenario.query(
        `CREATE TABLE t AS SELECT g AS id, md5(g::text) || md5((g + 1)::text) AS body FROM generate_series(1, 180000) g`,
        'large',
      );
      const storage = server.storageUri('backups', 'team', { 'part-size-mib': '5' });
      const url = scenario.url({ database: 'large' });
      const result = await run({
        url,
        inputs: { storage, compression: 'none', 'accept-new-source': 'true' },
      });
      const manifest = await expectStored(result);
      expect(manifest.objects[0]?.sizeBytes).toBeGreaterThan(12 * 1024 * 1024);
    });

    test('takes its credentials from a name of the user’s choice', async () => {
      const storage = server.storageUri('backups', 'team', { credentials: 'OFFSITE' });
      const env = {
        OFFSITE_ACCESS_KEY_ID: server.accessKeyId,
        OFFSITE_SECRET_ACCESS_KEY: server.secretAccessKey,
        AWS_REGION: server.region,
      };
      await expectStored(await run({ inputs: { storage, 'accept-new-source': 'true' }, env }));
    });

    test('of a role that may not read what is there is proven, and not compared', async () => {
      const proxy = await startFaultProxy(server, {
        answerTo: { request: (head) => /^GET [^?\s]*metadata\.json/.test(head), times: 100, response: DENIED },
      });
      try {
        const endpoint = `http://${proxy.host}:${proxy.port}`;
        const result = await run({ inputs: { storage: server.storageUri('backups', 'team', { endpoint }) } });
        await expectStored(result);
        expect(proxy.counts.struck).toBeGreaterThan(0);
        expect(result.annotations.map(({ kind, title }) => [kind, title])).toEqual([['notice', 'history-unreadable']]);
        expect(result.annotations[0]?.message).toContain('s3:GetObject');
      } finally {
        await proxy.close();
      }
    });

    test('of two runs in the same second is two complete sets', async () => {
      for (let round = 1; ; round += 1) {
        const before = await bucket.keys();
        const [one, other] = await Promise.all([run(), run()]);
        const manifests = [await expectStored(one), await expectStored(other)];
        const [first = '', second = ''] = manifests.map(({ id }) => id);
        expect(first).not.toBe(second);
        const fresh = (await bucket.keys()).filter((key) => !before.includes(key));
        const expected = [first, second].flatMap((id) =>
          [...OBJECTS, 'metadata.json'].map((name) => `team/shop/${id}/${name}`),
        );
        expect(fresh).toEqual(expected.sort());
        if (first.slice(0, 'YYYYMMDD_HHMMSS'.length) === second.slice(0, 'YYYYMMDD_HHMMSS'.length)) return;
        expect(round, 'two runs never fell into one second').toBeLessThan(5);
      }
    });
  });
}
