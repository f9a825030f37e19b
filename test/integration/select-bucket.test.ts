/** Choosing among made-up sets of a real bucket, and of a bucket with a directory beside it. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { writeBytes } from '../../src/storage/write-object.ts';
import { describeIf } from '../support/availability.ts';
import { newBucket } from '../support/bucket.ts';
import { codes, FetchBench } from '../support/fetch-bench.ts';
import { MIDDLE, NEWEST, put, setObjects, twoPlaces, type Wish } from '../support/made-up-sets.ts';
import { failure } from '../support/s3-fault-bench.ts';
import { type GatewayRequest, startGateway } from '../support/s3-gateway.ts';
import { availabilityOf, availableS3Servers, type S3Server, startVersitygw } from '../support/s3-servers.ts';
import { openLine } from '../support/storage-bench.ts';

const places = twoPlaces();
const [kind] = await availableS3Servers();
describeIf(availabilityOf(kind), 'of a bucket', () => {
  let server: S3Server;
  let buckets = 0;
  let bucket: string;
  beforeAll(async () => {
    server = await startVersitygw();
  });
  afterAll(() => server?.stop());
  beforeEach(async () => {
    bucket = `select-${++buckets}`;
    (await newBucket(server, bucket)).close();
  });

  async function upload(prefix: string, id: string, wish: Wish = {}): Promise<void> {
    const storage = openLine(server.storageUri(bucket, prefix), server.env);
    for (const [key, text] of setObjects(id, wish)) await writeBytes(storage, key, Buffer.from(text));
    await storage.close();
  }

  test('a URI outside of every prefix takes endpoint and keys from the line of the same bucket', async () => {
    await upload('other/team', NEWEST, { series: 'crm' });
    const bench = new FetchBench([server.storageUri(bucket, 'ours')], { env: server.env });
    const set = await bench.selectSet(`s3://${bucket}/other/team/crm/${NEWEST}`);
    expect(set.copies[0]).toMatchObject({
      uri: `s3://${bucket}/other/team/crm/${NEWEST}`,
      folder: `crm/${NEWEST}`,
      target: { destination: { prefix: 'other/team' } },
    });
    await bench.close();
  });

  test('with options of its own it needs no line', async () => {
    await upload('other/team', NEWEST, { series: 'crm' });
    const uri = server.storageUri(bucket, `other/team/crm/${NEWEST}/metadata.json`);
    const set = await new FetchBench([places.first], { env: server.env }).selectSet(uri);
    expect(set.series).toBe('crm');
  });

  test('a URI below a line is that destination, with its other copies behind it', async () => {
    await upload('ours', NEWEST);
    await put(places.first, NEWEST);
    const bench = new FetchBench([places.first, server.storageUri(bucket, 'ours')], { env: server.env });
    const { copies } = await bench.selectSet(`s3://${bucket}/ours/shop/${NEWEST}/`);
    expect(copies.map(({ target }) => target)).toEqual([bench.targets[1], bench.targets[0]]);
    await bench.close();
  });

  test('the first destination down: the second is taken, and what may be missed is said', async () => {
    await upload('ours', NEWEST);
    await put(places.second, MIDDLE);
    const gone = server.storageUri(bucket, 'ours').replace(/127\.0\.0\.1%3A\d+/, '127.0.0.1%3A1');
    const bench = new FetchBench([gone, places.second], { env: server.env });
    const set = await bench.selectSet('latest');
    expect(set.manifest.id).toBe(MIDDLE);
    expect(codes(set.findings)).toEqual(['destination-passed-over']);
    const nothing = await failure(bench.select('2025', { series: 'shop' }));
    expect(nothing.message).toContain('could not be asked and may hold it');
    const alone = await failure(new FetchBench([gone], { env: server.env }).select('latest'));
    expect(alone.code).toMatch(/^ERR_STORAGE/);
  });

  test('a role that may read objects and not list them reaches a set by its URI', async () => {
    await upload('ours', NEWEST);
    const judge = ({ query }: GatewayRequest) =>
      query.has('list-type') ? { status: 403, code: 'AccessDenied', message: 'Access Denied' } : undefined;
    const gateway = await startGateway(server, { judge });
    try {
      const bench = new FetchBench([throughGateway(gateway.port)], { env: server.env });
      const set = await bench.selectSet(`s3://${bucket}/ours/shop/${NEWEST}`);
      expect(set.manifest.id).toBe(NEWEST);
      expect(await failure(bench.select('latest'))).toMatchObject({ code: 'ERR_STORAGE_DENIED' });
      await bench.close();
    } finally {
      await gateway.close();
    }
  });

  const throughGateway = (port: number): string =>
    server.storageUri(bucket, 'ours', { endpoint: `http://127.0.0.1:${port}` });

  test('latest reads two manifests of a long series, not all of them', async () => {
    const ids = Array.from(
      { length: 30 },
      (_, day) => `202610${String(day + 1).padStart(2, '0')}_020000_nightly_aaaaaa`,
    );
    for (const id of ids) await upload('ours', id);
    const gateway = await startGateway(server);
    try {
      const bench = new FetchBench([throughGateway(gateway.port)], { env: server.env });
      expect((await bench.selectSet('latest', { series: 'shop' })).manifest.id).toBe(ids.at(-1));
      const reads = gateway.requests.filter(({ method, query }) => method === 'GET' && !query.has('list-type'));
      // Once to choose, once to look at the copy.
      expect(reads).toHaveLength(2);
      await bench.close();
    } finally {
      await gateway.close();
    }
  });
});
