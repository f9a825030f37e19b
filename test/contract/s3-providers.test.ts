/** Options of a destination: two providers at once, regions, private authorities, encryption, classes, few rights. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseDestination, resolveS3, type S3Destination } from '../../src/domain/destination.ts';
import type { Storage } from '../../src/ports.ts';
import { S3Connection } from '../../src/storage/s3/client.ts';
import { statObject } from '../../src/storage/s3/list.ts';
import { DEFAULT_TUNING } from '../../src/storage/s3/tuning.ts';
import { readBytes, writeBytes } from '../../src/storage/write-object.ts';
import { allOf, describeIf, programAvailable } from '../support/availability.ts';
import { type Bucket, newBucket } from '../support/bucket.ts';
import { makeAuthority, makeServerCertificate } from '../support/connection-bench.ts';
import { failure } from '../support/s3-fault-bench.ts';
import { type Gateway, type GatewayRequest, type Judge, startGateway } from '../support/s3-gateway.ts';
import { denying, fewParts } from '../support/s3-profiles.ts';
import { availabilityOf, availableS3Servers, type S3Server, startVersitygw } from '../support/s3-servers.ts';
import {
  keysOf,
  MIB,
  openLine,
  quickRetry,
  realClock,
  recordingLog,
  sha256,
  writeChunked,
} from '../support/storage-bench.ts';

const [versitygw] = await availableS3Servers();
const available = availabilityOf(versitygw);

describeIf(available, 'A destination', () => {
  let server: S3Server;
  let bucket: Bucket;
  let gateway: Gateway;
  let judge: Judge | undefined;
  let buckets = 0;

  beforeAll(async () => {
    server = await startVersitygw({ region: 'eu-central-1' });
    gateway = await startGateway(server, { judge: (request) => judge?.(request) });
  });
  afterAll(async () => {
    await gateway?.close();
    await server?.stop();
  });
  beforeEach(async () => {
    judge = undefined;
    gateway.requests.length = 0;
    bucket = await newBucket(server, `bucket-${++buckets}`);
  });
  afterEach(() => bucket.close());

  const line = (options: Record<string, string> = {}) =>
    server.storageUri(bucket.name, 'team', { 'part-size-mib': '5', endpoint: gateway.endpoint, ...options });

  async function using<T>(storage: Storage, work: (storage: Storage) => Promise<T>): Promise<T> {
    try {
      return await work(storage);
    } finally {
      await storage.close();
    }
  }

  it('has credentials of its own beside another provider’s, both at work at once', async () => {
    const keys = { accessKeyId: 'AKIAOTHERPROVIDER000', secretAccessKey: 'other+secret/0123456789' };
    const other = await startVersitygw({ keys });
    await other.createBucket('elsewhere');
    const env = { ...server.env, R2_ACCESS_KEY_ID: keys.accessKeyId, R2_SECRET_ACCESS_KEY: keys.secretAccessKey };
    const lines = [line(), other.storageUri('elsewhere', '', { credentials: 'R2', region: 'us-east-1' })];
    const bytes = randomBytes(11 * MIB);
    const storages = lines.map((each) => openLine(each, env));
    await Promise.all(storages.map((storage) => writeChunked(storage, 'archive', bytes)));
    for (const storage of storages) {
      expect(sha256(await readBytes(storage, 'archive'))).toBe(sha256(bytes));
      await storage.close();
    }
    await other.stop();
  });

  it('whose secret is missing is refused before anything is opened', () => {
    const env = { ...server.env, R2_ACCESS_KEY_ID: 'AKIAOTHERPROVIDER000' };
    expect(() => openLine(line({ credentials: 'R2' }), env)).toThrow('R2_SECRET_ACCESS_KEY is not set');
    expect(gateway.requests).toEqual([]);
  });

  it('in another region says which, and what to type', async () => {
    const storage = openLine(line({ region: 'us-west-2' }), server.env);
    expect(await failure(using(storage, (wrong) => writeBytes(wrong, 'a', Buffer.from('1'))))).toMatchObject({
      code: 'ERR_STORAGE',
      message: expect.stringContaining('not in region us-west-2 but in eu-central-1'),
      hint: expect.stringContaining('?region=eu-central-1'),
    });
    expect(await bucket.keys()).toEqual([]);
  });

  it('of a role that may write and not list is written, proven and not listed', async () => {
    judge = denying(({ method }) => method === 'GET' || method === 'HEAD');
    await using(openLine(line(), server.env), async (storage) => {
      const archive = await writeChunked(storage, 'archive', randomBytes(11 * MIB), { onlyIfAbsent: true });
      const marker = await writeBytes(storage, 'marker', Buffer.from('1'), { onlyIfAbsent: true });
      expect([archive.evidence, marker.evidence]).toEqual(['size-and-etag', 'size-and-etag']);
      expect(await failure(writeBytes(storage, 'marker', Buffer.from('2'), { onlyIfAbsent: true }))).toMatchObject({
        code: 'ERR_STORAGE_EXISTS',
      });
      expect(await failure(keysOf(storage))).toMatchObject({
        code: 'ERR_STORAGE_DENIED',
        message: expect.stringContaining('s3:ListBucket'),
      });
    });
    expect(await bucket.keys()).toEqual(['team/archive', 'team/marker']);
  });

  it('of a role that may not list is proven by the provider’s checksum too', async () => {
    judge = denying(({ method }) => method === 'GET' || method === 'HEAD');
    await using(openLine(line({ checksum: 'crc32' }), server.env), async (storage) => {
      const archive = await writeChunked(storage, 'archive', randomBytes(11 * MIB), { onlyIfAbsent: true });
      expect(archive.evidence).toBe('provider-checksum');
    });
  });

  it('with a key and a class asks for both where the object begins, and leaves small objects in the usual class', async () => {
    const options = { sse: 'aws:kms', 'kms-key-id': 'alias/backup', 'storage-class': 'STANDARD_IA' };
    await using(openLine(line(options), server.env), async (storage) => {
      await writeChunked(storage, 'archive', randomBytes(11 * MIB));
      await writeChunked(storage, 'contents', randomBytes(128 * 1024));
      await writeBytes(storage, 'metadata.json', Buffer.from('{}'));
    });
    const begun = (test: (request: GatewayRequest) => boolean) => {
      const headers = gateway.requests.find(test)?.headers ?? {};
      const names = ['', '-aws-kms-key-id'].map((end) => headers[`x-amz-server-side-encryption${end}`]);
      return [...names, headers['x-amz-storage-class']];
    };
    expect(begun(({ query }) => query.has('uploads'))).toEqual(['aws:kms', 'alias/backup', 'STANDARD_IA']);
    expect(begun(({ path }) => path.endsWith('/contents'))).toEqual(['aws:kms', 'alias/backup', 'STANDARD_IA']);
    expect(begun(({ path }) => path.endsWith('/metadata.json'))).toEqual(['aws:kms', 'alias/backup', undefined]);
    expect(begun(({ query }) => query.has('partNumber'))).toEqual([undefined, undefined, undefined]);
  });

  it('whose KMS key is denied names the key, not the bucket', async () => {
    const message = 'User: arn:aws:sts::1:x is not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms';
    judge = ({ method }) => (method === 'PUT' ? { status: 403, code: 'AccessDenied', message } : undefined);
    const storage = openLine(line({ sse: 'aws:kms' }), server.env);
    expect(await failure(using(storage, (denied) => writeBytes(denied, 'a', Buffer.from('1'))))).toMatchObject({
      code: 'ERR_STORAGE_DENIED',
      message: expect.stringContaining('kms:GenerateDataKey'),
      hint: expect.stringContaining('key policy'),
    });
  });

  it('of a provider with few parts gets parts large enough for what is expected (parts limit)', async () => {
    judge = fewParts(4);
    const storage = openLine(
      server.storageUri(bucket.name, '', { endpoint: gateway.endpoint, 'max-parts': '4' }),
      server.env,
    );
    const bytes = randomBytes(52 * MIB);
    await using(storage, (small) => writeChunked(small, 'archive', bytes, { expectedBytes: 60 * MIB }));
    expect(sha256(await bucket.read('archive'))).toBe(sha256(bytes));
    const parts = gateway.requests.flatMap(({ query }) => query.get('partNumber') ?? []);
    expect(parts.sort()).toEqual(['1', '2']);
  });
});

describeIf(available, 'A bucket of Amazon’s whose region nobody named', () => {
  /** Amazon's answer to HeadBucket from another region. */
  async function amazon(region: string | undefined, failures = 0) {
    let asked = 0;
    const front = createServer((_request, response) => {
      asked += 1;
      const headers = region === undefined ? {} : { 'x-amz-bucket-region': region };
      if (asked <= failures) response.writeHead(503).end();
      else response.writeHead(region === undefined ? 404 : 301, headers).end();
    });
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
    return { endpoint, asked: () => asked, close: () => void front.close() };
  }

  function connect(server: S3Server, regionEndpoint: string) {
    const log = recordingLog();
    const destination = parseDestination('s3://asked-bucket') as S3Destination;
    const { AWS_REGION: _unset, ...env } = server.env;
    const resolved = { ...resolveS3(destination, env), endpoint: server.endpoint, forcePathStyle: true };
    const context = { log, clock: realClock, signal: new AbortController().signal };
    const tuning = { ...DEFAULT_TUNING, ...quickRetry, regionEndpoint };
    return { log, resolved, connection: new S3Connection(destination, resolved, tuning, context) };
  }

  it('is asked for it once, and all requests are for that region', async () => {
    const server = await startVersitygw({ region: 'ap-southeast-2' });
    await server.createBucket('asked-bucket');
    const who = await amazon('ap-southeast-2', 2);
    const { connection, resolved, log } = connect(server, who.endpoint);
    expect(resolved).toMatchObject({ region: 'us-east-1', regionIsGuess: true });
    await Promise.all([statObject(connection, 'a'), statObject(connection, 'b')]);
    await statObject(connection, 'c');
    expect(who.asked()).toBe(3);
    expect(log.lines).toContainEqual('info: Bucket asked-bucket is in region ap-southeast-2, as Amazon says.');
    connection.close();
    who.close();
    await server.stop();
  });

  it('is told from one that does not exist, and from an Amazon that does not answer', async () => {
    const server = await startVersitygw();
    const nobody = await amazon(undefined);
    const missing = connect(server, nobody.endpoint);
    expect(await failure(statObject(missing.connection, 'a'))).toMatchObject({ code: 'ERR_STORAGE_MISSING' });
    const silent = connect(server, 'http://127.0.0.1:1');
    expect(await failure(statObject(silent.connection, 'a'))).toMatchObject({
      code: 'ERR_STORAGE',
      hint: expect.stringContaining('?region='),
    });
    for (const { connection } of [missing, silent]) connection.close();
    nobody.close();
    await server.stop();
  });
});

const openssl = programAvailable('openssl', ['version'], 'apt-get install openssl');
describeIf(allOf(available, openssl), 'A server with a certificate of a private authority', () => {
  let folder: string;
  let server: S3Server;
  let gateway: Gateway;
  let caFile: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 's3-tls-'));
    caFile = await makeAuthority(folder, 'authority');
    const { cert, key } = await makeServerCertificate(folder, 'server', 'authority');
    const tls = { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') };
    server = await startVersitygw();
    await server.createBucket('backups');
    gateway = await startGateway(server, { tls });
  });
  afterAll(async () => {
    await gateway?.close();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const at = (host: string, options: Record<string, string> = {}) =>
    server.storageUri('backups', '', { endpoint: `https://${host}:${gateway.port}`, ...options });
  async function tryTo(line: string, env: Record<string, string> = {}) {
    const storage = openLine(line, { ...server.env, ...env });
    try {
      return await writeBytes(storage, 'a', Buffer.from('1'));
    } finally {
      await storage.close();
    }
  }

  it('is not trusted by itself, and the words say how it can be', async () => {
    expect(await failure(tryTo(at('localhost')))).toMatchObject({
      code: 'ERR_STORAGE',
      message: expect.stringContaining('comes from an authority that this machine does not trust'),
      hint: expect.stringContaining('?ca-file='),
    });
    expect(gateway.requests).toEqual([]);
  });

  it('is trusted with ca-file in the destination, and with AWS_CA_BUNDLE', async () => {
    expect(await tryTo(at('localhost', { 'ca-file': caFile }))).toMatchObject({ sizeBytes: 1 });
    expect(await tryTo(at('localhost'), { AWS_CA_BUNDLE: caFile })).toMatchObject({ sizeBytes: 1 });
  });

  it('is not trusted under another name', async () => {
    expect(await failure(tryTo(at('127.0.0.1', { 'ca-file': caFile })))).toMatchObject({
      message: expect.stringContaining('the endpoint’s certificate is for another name'),
    });
  });

  describe('whose file', () => {
    it.each([
      ['is not there', 'none.pem', 'cannot be read'],
      ['holds no certificate', 'empty.pem', 'holds no certificate in PEM form'],
    ])('%s is an error before anything is sent', async (_what, name, words) => {
      await writeFile(join(folder, 'empty.pem'), 'nothing');
      expect(await failure(tryTo(at('localhost', { 'ca-file': join(folder, name) })))).toMatchObject({
        code: 'ERR_INPUT',
        message: expect.stringContaining(words),
      });
    });
  });
});
