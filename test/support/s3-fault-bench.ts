/** A real S3 server, a proxy in front of it that breaks the way, and a fresh bucket for every test. */
import { ListMultipartUploadsCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { BackupError } from '../../src/domain/errors.ts';
import type { Storage } from '../../src/ports.ts';
import { writeBytes } from '../../src/storage/write-object.ts';
import { describeIf } from './availability.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { clientOf } from './s3-client.ts';
import { availabilityOf, availableS3Servers, type S3Server, startVersitygw } from './s3-servers.ts';
import { keysOf, type OpenOptions, openLine, type RecordingLog, recordingLog } from './storage-bench.ts';

const [kind] = await availableS3Servers();

/** One server for the suite; for every test its own bucket, proxy, log and storage, set up by the hooks. */
export function describeS3Faults(body: (bench: S3FaultBench) => void): void {
  describeIf(availabilityOf(kind), 'S3 behind a bad network', () => {
    const bench = new S3FaultBench();
    beforeAll(async () => {
      bench.server = await startVersitygw();
    });
    afterAll(() => bench.server?.stop());
    beforeEach(() => bench.renew());
    afterEach(async () => {
      bench.proxy.set({});
      await bench.storage.close();
      await bench.proxy.close();
    });
    body(bench);
  });
}

/** Complete inside tests only. */
export class S3FaultBench {
  declare server: S3Server;
  declare proxy: FaultProxy;
  declare log: RecordingLog;
  /** Closed after the test; a test that needs other settings puts another one here. */
  declare storage: Storage;
  declare bucket: string;
  #buckets = 0;

  async renew(): Promise<void> {
    this.bucket = `bucket-${++this.#buckets}`;
    await this.server.createBucket(this.bucket);
    this.proxy = await startFaultProxy(this.server);
    this.log = recordingLog();
    this.storage = this.open();
  }

  /** The bucket through the proxy; `query` is added to the line of `storage`. */
  open(query: Record<string, string> = {}, options: OpenOptions & { env?: Record<string, string> } = {}): Storage {
    const endpoint = `http://${this.proxy.host}:${this.proxy.port}`;
    const line = this.server.storageUri(this.bucket, 'team', { 'part-size-mib': '5', ...query, endpoint });
    return openLine(line, options.env ?? this.server.env, { log: this.log, ...options });
  }

  /** A client that goes past the proxy. */
  async directClient<T>(use: (client: S3Client) => Promise<T>): Promise<T> {
    const client = clientOf(this.server);
    return use(client).finally(() => client.destroy());
  }

  readonly unfinishedUploads = (): Promise<number> =>
    this.directClient(async (client) => {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: this.bucket }));
      return Uploads.length;
    });

  /** Writes, expects a failure, aborts, and sees that nothing is left. */
  async failsCleanly(work: (writing: Storage) => Promise<unknown>): Promise<BackupError> {
    const error = await failure(work(this.storage));
    this.proxy.set({});
    await this.storage.close();
    this.storage = this.open();
    expect(await keysOf(this.storage)).toEqual([]);
    expect(await this.unfinishedUploads()).toBe(0);
    return error;
  }

  /** Answers the first matching request with 503 and meanwhile writes `content` as `marker`, past the proxy. */
  interfere(request: (head: string) => boolean, content: string): () => Promise<void> {
    const other = openLine(this.server.storageUri(this.bucket, 'team'), this.server.env);
    let written: Promise<unknown> | undefined;
    const observed = (head: string): boolean => {
      if (!request(head)) return false;
      written ??= writeBytes(other, 'marker', Buffer.from(content));
      return true;
    };
    const response = 'HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
    this.proxy.set({ answerTo: { request: observed, times: 1, response } });
    return async () => {
      await written;
      await other.close();
    };
  }
}

/** What `work` fails with; that it fails, and with a `BackupError`, is part of the test. */
export async function failure(work: Promise<unknown>): Promise<BackupError> {
  const error = await work.then(
    () => new Error('it did not fail'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(BackupError);
  return error as BackupError;
}

/** Always waits the full 400 ms before it tries again, so that others can come in between. */
export const pausing = { random: () => 1, retry: { attempts: 3, baseDelayMs: 400, maxDelayMs: 400 } };
