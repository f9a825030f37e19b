/** Everything that breaks between here and a bucket. The server is real; a proxy in front of it breaks the way. */
import { randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DeleteBucketCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BackupError } from '../../src/domain/errors.ts';
import type { Storage } from '../../src/ports.ts';
import { readBytes, writeBytes } from '../../src/storage/write-object.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { availableS3Servers, type S3Server, startVersitygw } from '../support/s3-servers.ts';
import {
  keysOf,
  MIB,
  type OpenOptions,
  openLine,
  quickRetry,
  type RecordingLog,
  recordingLog,
  sha256,
  writeChunked,
} from './storage.ts';

const [kind] = await availableS3Servers();
const missing = kind?.available === false ? kind.reason : undefined;
const title = missing === undefined ? 'S3 behind a bad network' : `S3 behind a bad network (skipped: ${missing})`;

describe.skipIf(missing !== undefined)(title, () => {
  let server: S3Server;
  let proxy: FaultProxy;
  let log: RecordingLog;
  let storage: Storage;
  let bucket: string;
  let buckets = 0;

  beforeAll(async () => {
    server = await startVersitygw();
  });
  afterAll(() => server?.stop());
  beforeEach(async () => {
    bucket = `bucket-${++buckets}`;
    await server.createBucket(bucket);
    proxy = await startFaultProxy(server);
    log = recordingLog();
    storage = open();
  });
  afterEach(async () => {
    proxy.set({});
    await storage.close();
    await proxy.close();
  });

  function open(
    query: Record<string, string> = {},
    options: OpenOptions & { env?: Record<string, string> } = {},
  ): Storage {
    const endpoint = `http://${proxy.host}:${proxy.port}`;
    const line = server.storageUri(bucket, 'team', { 'part-size-mib': '5', ...query, endpoint });
    return openLine(line, options.env ?? server.env, { log, ...options });
  }

  async function directClient<T>(use: (client: S3Client) => Promise<T>): Promise<T> {
    const { endpoint, region, accessKeyId, secretAccessKey } = server;
    const client = new S3Client({
      endpoint,
      region,
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
    });
    return use(client).finally(() => client.destroy());
  }

  const unfinishedUploads = (): Promise<number> =>
    directClient(async (client) => {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
      return Uploads.length;
    });

  async function failure(work: Promise<unknown>): Promise<BackupError> {
    const error = await work.then(
      () => new Error('it did not fail'),
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(BackupError);
    return error as BackupError;
  }

  /** Writes, expects a failure, aborts, and sees that nothing is left. */
  async function failsCleanly(work: (writing: Storage) => Promise<unknown>): Promise<BackupError> {
    const error = await failure(work(storage));
    proxy.set({});
    await storage.close();
    storage = open();
    expect(await keysOf(storage)).toEqual([]);
    expect(await unfinishedUploads()).toBe(0);
    return error;
  }

  /** Always waits the full 400 ms before it tries again, so that others can come in between. */
  const pausing = { random: () => 1, retry: { attempts: 3, baseDelayMs: 400, maxDelayMs: 400 } };

  /** Answers the first matching request with 503 and meanwhile writes `content` as `marker`, past the proxy. */
  function interfere(request: (head: string) => boolean, content: string): () => Promise<void> {
    const other = openLine(server.storageUri(bucket, 'team'), server.env);
    let written: Promise<unknown> | undefined;
    const observed = (head: string): boolean => {
      if (!request(head)) return false;
      written ??= writeBytes(other, 'marker', Buffer.from(content));
      return true;
    };
    const response = 'HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
    proxy.set({ answerTo: { request: observed, times: 1, response } });
    return async () => {
      await written;
      await other.close();
    };
  }

  describe('credentials, rights and names', () => {
    const secrets = () => [server.accessKeyId, server.secretAccessKey, 'AKIAWRONGWRONGWRONG0', 'wrong-secret'];
    function expectNoSecrets(error: BackupError): void {
      const cause = error.cause as Error;
      const said = [error.message, error.hint, cause.message, cause.stack, JSON.stringify(cause)].join('\n');
      for (const secret of secrets()) expect(said).not.toContain(secret);
      expect(said).not.toMatch(/X-Amz-Signature|AWS4-HMAC-SHA256/);
    }

    it('says that the secret access key is wrong', async () => {
      storage = open({}, { env: { ...server.env, AWS_SECRET_ACCESS_KEY: 'wrong-secret' } });
      const error = await failure(writeBytes(storage, 'a', Buffer.from('1')));
      expect(error).toMatchObject({
        code: 'ERR_STORAGE_AUTH',
        message: expect.stringContaining('secret access key is wrong'),
      });
      expectNoSecrets(error);
      expect(log.masked).toContain('wrong-secret');
    });

    it('says that the access key id is unknown', async () => {
      storage = open({}, { env: { ...server.env, AWS_ACCESS_KEY_ID: 'AKIAWRONGWRONGWRONG0' } });
      const error = await failure(writeBytes(storage, 'a', Buffer.from('1')));
      expect(error).toMatchObject({
        code: 'ERR_STORAGE_AUTH',
        message: expect.stringContaining('access key id is unknown'),
      });
      expectNoSecrets(error);
    });

    it('takes credentials by name', async () => {
      const env = { BACKUP_ACCESS_KEY_ID: server.accessKeyId, BACKUP_SECRET_ACCESS_KEY: server.secretAccessKey };
      storage = open({ credentials: 'BACKUP' }, { env });
      await writeBytes(storage, 'a', Buffer.from('1'));
      expect(log.masked).toContain(server.secretAccessKey);
    });

    it('says that the bucket does not exist', async () => {
      bucket = 'no-such-bucket';
      storage = open();
      for (const work of [
        () => writeBytes(storage, 'a', Buffer.from('1')),
        () => writeChunked(storage, 'b', randomBytes(6 * MIB)),
        () => keysOf(storage),
      ]) {
        expect(await failure(work())).toMatchObject({
          code: 'ERR_STORAGE_MISSING',
          message: expect.stringContaining('there is no such bucket'),
        });
      }
    });

    it('names the right that is missing, and on what', async () => {
      const readOnly = await startVersitygw({ readOnlyWith: ['locked'] });
      const denied = openLine(readOnly.storageUri('locked', 'team', { 'part-size-mib': '5' }), readOnly.env);
      try {
        for (const work of [
          () => writeBytes(denied, 'a', Buffer.from('1')),
          () => writeChunked(denied, 'b', randomBytes(6 * MIB)),
        ]) {
          expect(await failure(work())).toMatchObject({
            code: 'ERR_STORAGE_DENIED',
            message: expect.stringContaining('s3:PutObject on arn:aws:s3:::locked/team/*'),
          });
        }
        expect(await failure(denied.delete('a'))).toMatchObject({
          message: expect.stringContaining('s3:DeleteObject'),
        });
      } finally {
        await denied.close();
        await readOnly.stop();
      }
    });

    it('names the region that the bucket is in', async () => {
      const body =
        '<Error><Code>PermanentRedirect</Code><Message>The bucket you are attempting to access must be addressed using the specified endpoint.</Message></Error>';
      const head =
        'HTTP/1.1 301 Moved Permanently\r\nx-amz-bucket-region: eu-central-1\r\nContent-Type: application/xml';
      const response = `${head}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
      proxy.set({ answerTo: { request: (head) => /^PUT /.test(head), times: 9, response } });
      expect(await failure(writeBytes(storage, 'a', Buffer.from('1')))).toMatchObject({
        code: 'ERR_STORAGE',
        message: expect.stringContaining('not in region us-east-1 but in eu-central-1'),
        hint: expect.stringContaining('?region=eu-central-1'),
      });
    });

    it('reports a server that cannot be reached', async () => {
      proxy.set({ refuse: true });
      expect(await failure(keysOf(storage))).toMatchObject({
        code: 'ERR_STORAGE',
        message: expect.stringContaining('the connection failed at every try'),
      });
    });
  });

  describe.each(['md5', 'crc32'])('checked by %s', (checksum) => {
    const big = randomBytes(17 * MIB + 5);
    beforeEach(() => {
      storage = open({ checksum });
    });

    it('recovers from a reset in mid-part', async () => {
      proxy.set({ direction: 'to-server', resetAfter: 3 * MIB, strikes: 3 });
      const stored = await writeChunked(storage, 'archive', big, { onlyIfAbsent: true });
      expect(proxy.counts.struck).toBe(3);
      expect(stored.sha256).toBe(sha256(await readBytes(storage, 'archive')));
    });

    it('recovers from an orderly end in mid-part and from refused connections', async () => {
      proxy.set({ direction: 'to-server', finAfter: 2 * MIB, strikes: 1, failFirst: 2 });
      await writeChunked(storage, 'archive', big);
      expect(proxy.counts.struck).toBe(3);
      expect(sha256(await readBytes(storage, 'archive'))).toBe(sha256(big));
    });

    it('recovers from a byte that is flipped on the way', async () => {
      proxy.set({ direction: 'to-server', flipAt: 3 * MIB, strikes: 1 });
      await writeChunked(storage, 'archive', big);
      expect(proxy.counts.struck).toBe(1);
      expect(sha256(await readBytes(storage, 'archive'))).toBe(sha256(big));
    });

    it('fails cleanly when bytes are flipped at every try', async () => {
      proxy.set({ direction: 'to-server', flipAt: 3 * MIB });
      const error = await failsCleanly(async (writing) => {
        const writer = await writing.create('archive');
        await writer.write(big);
        await writer.commit();
      });
      expect(error).toMatchObject({
        code: 'ERR_STORAGE',
        message: expect.stringContaining('the bytes arrived damaged'),
      });
    });

    it('recovers from 503 and 500 answers', async () => {
      const response = 'HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
      proxy.set({ answerTo: { request: (head) => /^(PUT|POST) /.test(head), times: 3, response } });
      await writeChunked(storage, 'archive', big, { onlyIfAbsent: true });
      proxy.set({
        answerTo: {
          request: (head) => /^PUT /.test(head),
          times: 2,
          response: response.replace('503 Slow Down', '500 Oops'),
        },
      });
      await writeBytes(storage, 'marker', Buffer.from('1'), { onlyIfAbsent: true });
      expect(proxy.counts.struck).toBe(5);
      expect(await keysOf(storage)).toEqual(['archive', 'marker']);
    });

    it('recognises its own object when the answer to the completion was lost', async () => {
      proxy.set({ loseAnswerTo: { request: (head) => /^POST \S*uploadId=/.test(head), times: 1 } });
      const stored = await writeChunked(storage, 'archive', big, { onlyIfAbsent: true });
      expect(proxy.counts.struck).toBe(1);
      expect(stored.evidence).toBe(checksum === 'md5' ? 'size-and-etag' : 'provider-checksum');
      expect(sha256(await readBytes(storage, 'archive'))).toBe(sha256(big));
      expect(await unfinishedUploads()).toBe(0);
    });

    it('recognises its own object when the answer to a single put was lost', async () => {
      proxy.set({ loseAnswerTo: { request: (head) => /^PUT /.test(head), times: 1 } });
      const stored = await writeBytes(storage, 'marker', Buffer.from('mine'), { onlyIfAbsent: true });
      expect(proxy.counts.struck).toBe(1);
      expect(stored.evidence).toBe('size-and-etag');
    });

    it('does not take another writer’s object for its own', async () => {
      await storage.close();
      storage = open({ checksum }, { s3: pausing });
      const writer = await storage.create('marker', { onlyIfAbsent: true });
      await writer.write(Buffer.from('mine'));
      // The first try fails; before the second one somebody else takes the name.
      const finished = interfere((head) => head.startsWith('PUT '), 'theirs');
      expect(await failure(writer.commit())).toMatchObject({ code: 'ERR_STORAGE_EXISTS' });
      await writer.abort();
      await finished();
      expect((await readBytes(storage, 'marker')).toString()).toBe('theirs');
    });

    it('lets exactly one of two simultaneous writers win', async () => {
      const contents = ['one', 'two'].map((name) => Buffer.concat([Buffer.from(name), big]));
      const results = await Promise.allSettled(contents.map((bytes) => writeWhole(storage, bytes)));
      const losers = results.filter((result) => result.status === 'rejected');
      expect(losers).toEqual([
        expect.objectContaining({ reason: expect.objectContaining({ code: 'ERR_STORAGE_EXISTS' }) }),
      ]);
      const winner = contents[results.findIndex((result) => result.status === 'fulfilled')] as Buffer;
      expect(sha256(await readBytes(storage, 'archive'))).toBe(sha256(winner));
      expect(await unfinishedUploads()).toBe(0);
    });

    it('goes on without If-None-Match on a store that does not know it', async () => {
      const response = 'HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
      proxy.set({ answerTo: { request: (head) => /if-none-match: \*/i.test(head), times: 1, response } });
      await writeBytes(storage, 'marker', Buffer.from('1'), { onlyIfAbsent: true });
      expect(proxy.counts.struck).toBe(1);
      expect(await keysOf(storage)).toEqual(['marker']);
    });

    it('ends with an error, not with waiting, when the socket stalls', async () => {
      await storage.close();
      storage = open(
        { checksum },
        { s3: { ...quickRetry, stallTimeoutMs: 400, completeTimeoutMs: 400, abortTimeoutMs: 500 } },
      );
      const started = Date.now();
      const writer = await storage.create('archive');
      proxy.set({ direction: 'to-server', blackholeAfter: 2 * MIB });
      const error = await failure(writer.write(big).then(() => writer.commit()));
      expect(error).toMatchObject({ code: 'ERR_STORAGE_STALLED', message: expect.stringContaining('stood still') });
      proxy.set({});
      await writer.abort();
      expect(Date.now() - started).toBeLessThan(10_000);
      expect(await unfinishedUploads()).toBe(0);
    });

    it('recovers from one stalled socket', async () => {
      await storage.close();
      storage = open({ checksum }, { s3: { ...quickRetry, stallTimeoutMs: 400 } });
      proxy.set({ direction: 'to-server', blackholeAfter: 2 * MIB, strikes: 1 });
      await writeChunked(storage, 'archive', big);
      expect(sha256(await readBytes(storage, 'archive'))).toBe(sha256(big));
    });
  });

  async function writeWhole(writing: Storage, bytes: Buffer): Promise<void> {
    const writer = await writing.create('archive', { onlyIfAbsent: true });
    await writer.write(bytes);
    await writer.commit().catch(async (error: unknown) => {
      await writer.abort();
      throw error;
    });
  }

  it('leaves no upload behind after abort', async () => {
    const writer = await storage.create('archive');
    await writer.write(randomBytes(13 * MIB));
    await writer.abort();
    expect(await unfinishedUploads()).toBe(0);
    expect(await keysOf(storage)).toEqual([]);
  });

  it('discards the upload although the run was cancelled', async () => {
    const cancel = new AbortController();
    const cancelled = open({}, { signal: cancel.signal });
    const writer = await cancelled.create('archive');
    await writer.write(randomBytes(13 * MIB));
    cancel.abort(new BackupError('ERR_DEADLINE', 'Too late.', { op: 'dump', hint: 'Wait longer.' }));
    expect(await failure(writer.commit())).toMatchObject({ code: 'ERR_DEADLINE' });
    await writer.abort();
    expect(await unfinishedUploads()).toBe(0);
    await cancelled.close();
  });

  it('warns, and does not throw or wait long, when an upload cannot be discarded', async () => {
    await storage.close();
    storage = open({}, { s3: { ...quickRetry, stallTimeoutMs: 10_000, abortTimeoutMs: 300 } });
    const writer = await storage.create('archive');
    await writer.write(randomBytes(13 * MIB));
    await expect.poll(unfinishedUploads).toBe(1);
    proxy.set({ blackholeAfter: 0 });
    const started = Date.now();
    await writer.abort();
    expect(Date.now() - started).toBeLessThan(2_000);
    expect(log.lines).toEqual(
      expect.arrayContaining([expect.stringMatching(/^warning: .*AbortIncompleteMultipartUpload/)]),
    );
  });

  it('removes the object when the answer to its completion never came', async () => {
    proxy.set({ loseAnswerTo: { request: (head) => /^POST \S*uploadId=/.test(head), times: 99 } });
    const writer = await storage.create('archive');
    await writer.write(randomBytes(13 * MIB));
    // The first try succeeds unheard; the tries after it are told that the upload is gone, unheard as well.
    const error = await failure(writer.commit());
    expect(error.code).toBe('ERR_STORAGE');
    expect(await keysOf(storage)).toEqual(['archive']);
    proxy.set({});
    await writer.abort();
    expect(await keysOf(storage)).toEqual([]);
  });

  it('fails by code when the bucket vanishes before the commit', async () => {
    const writer = await storage.create('marker', { onlyIfAbsent: true });
    await writer.write(Buffer.from('{}'));
    await directClient((client) => client.send(new DeleteBucketCommand({ Bucket: bucket })));
    expect(await failure(writer.commit())).toMatchObject({ code: 'ERR_STORAGE_MISSING' });
    await writer.abort();
    expect(log.lines.filter((line) => line.startsWith('warning'))).toEqual([]);
    await server.createBucket(bucket);
  });

  it('stops with a code when the parts are used up', async () => {
    storage = open({ 'max-parts': '2' });
    const error = await failsCleanly(async (writing) => {
      const writer = await writing.create('archive');
      await writer.write(randomBytes(10 * MIB));
      await writer.write(randomBytes(1));
    });
    expect(error).toMatchObject({ code: 'ERR_STORAGE_TOO_LARGE', hint: expect.stringContaining('part-size-mib=20') });
  });

  it('reads back when the ETag says nothing, and sees a difference', async () => {
    const opaque = await startVersitygw({ opaqueEtags: true });
    await opaque.createBucket('opaque');
    const reading = openLine(opaque.storageUri('opaque', '', { 'part-size-mib': '5' }), opaque.env);
    try {
      expect(await writeChunked(reading, 'archive', randomBytes(11 * MIB))).toMatchObject({ evidence: 'read-back' });
      expect(await writeBytes(reading, 'small', Buffer.from('1'))).toMatchObject({ evidence: 'read-back' });
    } finally {
      await reading.close();
      await opaque.stop();
    }
  });

  it('refuses an object that is not what was sent, and removes it', async () => {
    await storage.close();
    storage = open({}, { s3: pausing });
    const writer = await storage.create('marker');
    await writer.write(Buffer.from('mine'));
    // Between the put and the look at it, somebody else puts other bytes in its place.
    const finished = interfere((head) => /^GET \S*list-type=2/.test(head), 'theirs!');
    expect(await failure(writer.commit())).toMatchObject({ code: 'ERR_STORED_DIFFERS' });
    await writer.abort();
    await finished();
    expect(await keysOf(storage)).toEqual([]);
  });

  describe('reading', () => {
    const bytes = randomBytes(9 * MIB);
    beforeEach(async () => {
      await writeChunked(storage, 'archive', bytes);
      await storage.close();
      storage = open({}, { s3: { ...quickRetry, stallTimeoutMs: 400 } });
    });

    it.each([
      ['a reset', { resetAfter: 3 * MIB }],
      ['an early end', { finAfter: 3 * MIB }],
      ['a stalled socket', { blackholeAfter: 3 * MIB }],
    ])('goes on where it was after %s', async (_what, fault) => {
      proxy.set({ direction: 'to-client', strikes: 2, ...fault });
      expect(sha256(await readBytes(storage, 'archive'))).toBe(sha256(bytes));
      expect(proxy.counts.struck).toBe(2);
    });

    it('gives up with a code when nothing more comes', async () => {
      proxy.set({ direction: 'to-client', blackholeAfter: 0 });
      expect(await failure(readBytes(storage, 'archive'))).toMatchObject({ code: 'ERR_STORAGE_STALLED' });
    });

    it('waits for a slow reader', async () => {
      let read = 0;
      for await (const chunk of await storage.get('archive')) {
        if (read === 0) await new Promise((resolve) => setTimeout(resolve, 1_500));
        read += (chunk as Buffer).byteLength;
      }
      expect(read).toBe(bytes.byteLength);
    });
  });

  it('keeps memory bounded when the network is slower than the writer', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const chunk = randomBytes(MIB);
    proxy.set({ bytesPerSecond: 60 * MIB });
    collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    let peak = 0;
    const writer = await storage.create('archive');
    for (let written = 0; written < 200; written++) {
      await writer.write(chunk);
      if (written % 10 !== 0) continue;
      collectGarbage();
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
    }
    await writer.commit();
    // Five parts of 5 MiB, and what the proxy in this process holds.
    expect(peak).toBeLessThan(5 * 5 * MIB + 30 * MIB);
  });
});
