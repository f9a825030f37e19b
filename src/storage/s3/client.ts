/** The connection to one bucket: clients, timeouts, checksum policy, retries. The SDK's own retries are off. */
import { Readable } from 'node:stream';
import { S3Client, type StorageClass } from '@aws-sdk/client-s3';
import type { ResolvedS3, S3Destination, StaticCredentials } from '../../domain/destination.ts';
import { BackupError } from '../../domain/errors.ts';
import type { Clock, Log } from '../../ports.ts';
import { cancelledError } from '../cancelled.ts';
import { withRetry } from '../retry.ts';
import { AssumedRole } from './assumed-role.ts';
import { s3Error } from './error-words.ts';
import { EXPIRED_CODES, errorCodeOf, isNetworkError, isTransient, type S3Operation, statusOf } from './errors.ts';
import { askRegion } from './region.ts';
import { trustedAuthorities } from './trust.ts';
import type { S3Tuning } from './tuning.ts';

export interface SendOptions {
  /** Instead of the connection's own signal. */
  signal?: AbortSignal;
  /** Waits as long as completing an upload may take. */
  patient?: boolean;
}

type Request<T> = (client: S3Client, http: { abortSignal: AbortSignal }, attempt: number) => Promise<T>;

/** Bodies leave in slices, because TLS would otherwise keep an encrypted copy of every whole part. */
const SLICE_BYTES = 256 * 1024;
/** Classes for rare access bill smaller objects as if they had this size (S3 User Guide, "storage classes"). */
const CLASSED_FROM_BYTES = 128 * 1024;

export class S3Connection {
  readonly bucket: string;
  /** `s3://bucket/prefix`. */
  readonly location: string;
  readonly checksum: ResolvedS3['checksum'];
  readonly maxParts: number;
  readonly tuning: S3Tuning;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly #root: string;
  readonly #destination: S3Destination;
  readonly #role: AssumedRole | undefined;
  #region: string;
  #asked: Promise<string> | undefined;
  readonly #client: S3Client;
  readonly #patientClient: S3Client;

  constructor(destination: S3Destination, resolved: ResolvedS3, tuning: S3Tuning, context: ConnectionContext) {
    this.bucket = destination.bucket;
    this.location = `s3://${destination.bucket}${destination.prefix === '' ? '' : `/${destination.prefix}`}`;
    this.#root = destination.prefix === '' ? '' : `${destination.prefix}/`;
    this.#region = resolved.region;
    this.checksum = resolved.checksum;
    this.maxParts = resolved.maxParts;
    this.#destination = destination;
    this.tuning = tuning;
    this.log = context.log;
    this.signal = context.signal;
    this.clock = context.clock;
    const ca = trustedAuthorities(resolved.caFile);
    this.#role = resolved.role === undefined ? undefined : new AssumedRole(resolved.role, { ...context, tuning, ca });
    const facts = {
      resolved,
      ca,
      credentials: this.#role?.provide ?? resolved.credentials,
      region: resolved.regionIsGuess ? () => this.#askedRegion() : resolved.region,
    };
    this.#client = makeClient(facts, tuning.connectTimeoutMs, tuning.stallTimeoutMs);
    this.#patientClient = makeClient(facts, tuning.connectTimeoutMs, tuning.completeTimeoutMs);
  }

  /** The key in the bucket. */
  objectKey(key: string): string {
    return this.#root + key;
  }

  /** The inverse of {@link objectKey}. */
  relativeKey(objectKey: string): string {
    return objectKey.slice(this.#root.length);
  }

  uri(key: string): string {
    return `${this.location}/${key}`;
  }

  /** How the provider is to keep an object of so many bytes; `undefined` when that is not known yet, but many. */
  keeping(sizeBytes?: number) {
    const { sse, kmsKeyId, storageClass } = this.#destination;
    const classed = storageClass !== undefined && (sizeBytes ?? Number.POSITIVE_INFINITY) >= CLASSED_FROM_BYTES;
    return {
      ...(sse === undefined ? {} : { ServerSideEncryption: sse }),
      ...(kmsKeyId === undefined ? {} : { SSEKMSKeyId: kmsKeyId }),
      ...(classed ? { StorageClass: storageClass as StorageClass } : {}),
    };
  }

  /** Runs a request with retries. Throws a `BackupError` that names the operation. */
  async send<T>(operation: S3Operation, request: Request<T>, options: SendOptions = {}): Promise<T> {
    const signal = options.signal ?? this.signal;
    const client = options.patient === true ? this.#patientClient : this.#client;
    let answered: unknown;
    try {
      if (signal.aborted) throw cancelledError(signal, operation.words);
      return await withRetry((attempt) => request(client, { abortSignal: signal }, attempt), {
        policy: this.tuning.retry,
        clock: this.clock,
        signal,
        random: this.tuning.random,
        // What is said in our own words has been tried again already.
        isTransient: (error) => !(error instanceof BackupError) && (isTransient(error) || this.#mayRenew(error)),
        onRetry: (error, attempt, pauseMs) => {
          if (statusOf(error) !== undefined) answered = error;
          this.log.debug(`Try ${attempt} to ${operation.words} failed (${errorCodeOf(error)}); next in ${pauseMs} ms.`);
        },
      });
    } catch (error) {
      // What the server said of an earlier try says more than that the connection broke at the last.
      const telling = answered !== undefined && isNetworkError(error) ? answered : error;
      throw this.#inWords(telling, operation, signal);
    }
  }

  /** Waits; throws a `BackupError` when `signal` fires before the time is over. */
  async pause(milliseconds: number, signal: AbortSignal, op: string): Promise<void> {
    try {
      await this.clock.sleep(milliseconds, signal);
    } catch (error) {
      throw signal.aborted ? cancelledError(signal, op) : error;
    }
  }

  /** The error in the project's words, for streams that fail after their request succeeded. */
  describe(error: unknown, operation: S3Operation): Error {
    return this.#inWords(error, operation, this.signal);
  }

  /** `signal` is the request's: what discards an upload after the run has failed says why it failed itself. */
  #inWords(error: unknown, operation: S3Operation, signal: AbortSignal): Error {
    if (signal.aborted) return cancelledError(signal, operation.words);
    return s3Error(error, operation, { bucket: this.bucket, root: this.#root, region: this.#region });
  }

  /** A role's credentials that the provider calls expired too early are replaced. */
  #mayRenew(error: unknown): boolean {
    if (this.#role === undefined || !EXPIRED_CODES.has(errorCodeOf(error))) return false;
    this.#role.forget();
    return true;
  }

  /** Once for all requests; Amazon's default when there is no such bucket, which the request then says itself. */
  #askedRegion(): Promise<string> {
    this.#asked ??= withRetry(
      () => askRegion(this.bucket, this.tuning.regionEndpoint, AbortSignal.timeout(this.tuning.connectTimeoutMs)),
      { policy: this.tuning.retry, clock: this.clock, signal: this.signal, random: this.tuning.random, isTransient },
    ).then((found) => {
      if (found !== undefined) this.#region = found;
      this.log.info(`Bucket ${this.bucket} is in region ${this.#region}, as Amazon says.`);
      return this.#region;
    });
    return this.#asked;
  }

  close(): void {
    this.#client.destroy();
    this.#patientClient.destroy();
  }
}

export interface ConnectionContext {
  log: Log;
  clock: Clock;
  signal: AbortSignal;
}

interface ClientFacts {
  resolved: ResolvedS3;
  region: string | (() => Promise<string>);
  credentials: StaticCredentials | AssumedRole['provide'] | undefined;
  /** Certificates to trust; absent: the machine's own. */
  ca: string[] | undefined;
}

/**
 * Amazon: the SDK's default checksums. Elsewhere only where S3 demands them, because several providers refuse
 * `x-amz-checksum-*` and trailers; there Content-MD5 and the signed SHA-256 of the payload protect the way.
 */
function makeClient(facts: ClientFacts, connectionTimeout: number, socketTimeout: number): S3Client {
  const { resolved, region, credentials, ca } = facts;
  const checksums = resolved.checksum === 'crc32' ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED';
  const client = new S3Client({
    region,
    forcePathStyle: resolved.forcePathStyle,
    maxAttempts: 1,
    requestChecksumCalculation: checksums,
    responseChecksumValidation: checksums,
    // Otherwise every part would open a connection of its own and wait for "100 Continue".
    expectContinueHeader: false,
    requestHandler: { connectionTimeout, socketTimeout, ...(ca === undefined ? {} : { httpsAgent: { ca } }) },
    ...(resolved.endpoint === undefined ? {} : { endpoint: resolved.endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  });
  client.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { body?: unknown };
      if (request.body instanceof Uint8Array && request.body.byteLength > SLICE_BYTES) {
        request.body = sliced(request.body);
      }
      return next(args);
    },
    // After signing: signature and length cover the whole body.
    { step: 'deserialize', name: 'sliceLargeBodies', priority: 'low' },
  );
  return client;
}

function sliced(body: Uint8Array): Readable {
  let offset = 0;
  return new Readable({
    highWaterMark: SLICE_BYTES,
    read() {
      const slice = body.subarray(offset, offset + SLICE_BYTES);
      offset += slice.byteLength;
      this.push(slice.byteLength === 0 ? null : slice);
    },
  });
}
