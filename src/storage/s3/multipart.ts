/** The streaming write of one object: a single request when it fits into one part, else equal parts in parallel. */
import { createHash } from 'node:crypto';
import { BackupError, messageOf } from '../../domain/errors.ts';
import type { PartPlan } from '../../domain/part-size.ts';
import type { ObjectInfo, ObjectWriter, StoredObject } from '../../ports.ts';
import { cancelledError } from '../cancelled.ts';
import { isCertainRefusal } from '../certain-refusal.ts';
import { joinCrc32 } from './crc32-join.ts';
import { statObject } from './list.ts';
import { encodeCrc32, Part, PartBuffers } from './part.ts';
import {
  type Answer,
  abortUpload,
  completeUpload,
  createUpload,
  deleteObject,
  multipartEtag,
  type PartReceipt,
  putObject,
  refuseIfPresent,
  type UploadTarget,
  uploadPart,
} from './upload.ts';
import { type Sent, verifyStored } from './verify.ts';

/** Most rounds of aborting one upload, and the pause between them. */
const ABORT_TIMES = 4;
const ABORT_PAUSE_MS = 200;
const LEAST_JOINING_TOLD = 0.3;

export interface WriterContext extends Omit<UploadTarget, 'signal'> {
  plan: PartPlan;
  /** Called once, when the writer is committed or aborted. */
  onEnd: () => void;
}

export class S3ObjectWriter implements ObjectWriter {
  readonly #target: UploadTarget;
  readonly #plan: PartPlan;
  readonly #onEnd: () => void;
  readonly #stop = new AbortController();
  readonly #stopCreating = new AbortController();
  readonly #buffers: PartBuffers;
  readonly #sha256 = createHash('sha256');
  readonly #receipts: PartReceipt[] = [];
  readonly #uploads = new Set<Promise<void>>();
  #filling: Part | undefined;
  #partNumber = 0;
  #sizeBytes = 0;
  /** Of all parts that were handed over. */
  #crc32 = 0;
  #uploadId: Promise<string> | undefined;
  #failure: { error: unknown } | undefined;
  #state: 'open' | 'finished' | 'aborted' = 'open';
  #visible: 'no' | 'maybe' | 'yes' = 'no';
  /** What the object's ETag is when this writer made it visible. */
  #ownEtag: (() => string | undefined) | undefined;
  #discarding: Promise<void> | undefined;

  constructor(context: WriterContext) {
    this.#plan = context.plan;
    this.#onEnd = context.onEnd;
    this.#target = { ...context, signal: AbortSignal.any([context.connection.signal, this.#stop.signal]) };
    this.#target.signal.addEventListener('abort', this.#onCancel, { once: true });
    this.#buffers = new PartBuffers(context.plan.partSizeBytes, context.plan.inFlight + 1);
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#assertUsable();
    this.#sha256.update(chunk);
    this.#sizeBytes += chunk.byteLength;
    for (let offset = 0; offset < chunk.byteLength; ) {
      // Only now, with a byte more to come, is a full part known not to be the last.
      if (this.#filling?.full === true) this.#startUpload(this.#filling);
      this.#filling ??= await this.#nextPart();
      offset += this.#filling.fill(chunk, offset);
    }
  }

  async commit(): Promise<StoredObject> {
    this.#assertUsable();
    const { connection, key, onlyIfAbsent, signal } = this.#target;
    const sha256 = this.#sha256.digest('hex');
    if (this.#uploadId !== undefined) await this.#finishParts();
    if (onlyIfAbsent) await refuseIfPresent(this.#target);
    const askedAt = connection.clock.now().getTime();
    const answer = await this.#publish();
    this.#tellJoining((connection.clock.now().getTime() - askedAt) / 1000);
    const sent: Sent = {
      key,
      sizeBytes: this.#sizeBytes,
      sha256,
      ...(connection.checksum === 'crc32' ? { crc32: encodeCrc32(this.#crc32) } : {}),
      ...(this.#receipts.some((receipt) => receipt.md5 === undefined) ? {} : { etag: () => this.#ownEtag?.() }),
    };
    const evidence = await verifyStored(connection, sent, answer, signal);
    this.#end('finished');
    return { key, sizeBytes: this.#sizeBytes, sha256, evidence };
  }

  /** Some servers copy all parts at the end, which nothing can hide. */
  #tellJoining(seconds: number): void {
    if (this.#partNumber < 2 || seconds < LEAST_JOINING_TOLD) return;
    const { connection, key } = this.#target;
    connection.log.info(`The storage took ${seconds.toFixed(1)} s to join the ${this.#partNumber} parts of ${key}`);
  }

  abort(): Promise<void> {
    if (this.#state === 'finished') return Promise.resolve();
    this.#discarding ??= this.#discard().finally(() => this.#end('aborted'));
    return this.#discarding;
  }

  async #discard(): Promise<void> {
    this.#fail(new BackupError('ERR_CANCELLED', `The upload of ${this.#target.key} was discarded.`, discarded));
    this.#stop.abort(this.#failure?.error);
    const { connection, key } = this.#target;
    const signal = AbortSignal.timeout(connection.tuning.abortTimeoutMs);
    signal.addEventListener('abort', () => this.#stopCreating.abort(signal.reason), { once: true });
    // Parts that are still travelling could otherwise arrive after the upload was discarded, and stay.
    const travelling = this.#uploads.size > 0;
    await Promise.allSettled([this.#uploadId, ...this.#uploads]);
    try {
      // An upload whose creation failed has no parts: even if it came to exist, it costs nothing.
      const uploadId = await this.#uploadId?.catch(() => undefined);
      // "It might be necessary to abort a given upload multiple times" (S3 API reference, AbortMultipartUpload).
      for (let left = ABORT_TIMES; uploadId !== undefined && left > 0; left -= 1) {
        if (!(await abortUpload(connection, key, uploadId, signal)) || !travelling) break;
        await connection.clock.sleep(ABORT_PAUSE_MS, signal);
      }
    } catch (error) {
      connection.log.warning(
        `${messageOf(error)} It is invisible but billed: let a lifecycle rule (AbortIncompleteMultipartUpload) remove it.`,
      );
    }
    await this.#removeIfVisible(signal);
  }

  async #nextPart(): Promise<Part> {
    if (this.#partNumber >= this.#plan.maxParts) throw tooLarge(this.#target.key, this.#plan);
    const buffer = await this.#buffers.take();
    this.#partNumber++;
    return new Part(this.#partNumber, buffer, this.#target.connection.checksum);
  }

  #startUpload(part: Part): void {
    this.#filling = undefined;
    this.#crc32 = joinCrc32(this.#crc32, part.crc32, part.length);
    this.#uploadId ??= createUpload(this.#target, this.#stopCreating.signal);
    const upload = this.#uploadId
      .then((uploadId) => uploadPart(this.#target, uploadId, part))
      .then(
        (receipt) => {
          this.#receipts.push(receipt);
          this.#buffers.give(part.buffer);
        },
        (error: unknown) => this.#fail(error),
      )
      .finally(() => this.#uploads.delete(upload));
    this.#uploads.add(upload);
  }

  async #finishParts(): Promise<void> {
    if (this.#filling !== undefined) this.#startUpload(this.#filling);
    await Promise.all(this.#uploads);
    this.#assertUsable();
    this.#receipts.sort((left, right) => left.number - right.number);
  }

  async #publish(): Promise<Answer> {
    this.#visible = 'maybe';
    try {
      const answer = await (this.#uploadId === undefined ? this.#put() : this.#complete(await this.#uploadId));
      this.#visible = 'yes';
      return answer;
    } catch (error) {
      if (isCertainRefusal(error)) this.#visible = 'no';
      throw error;
    }
  }

  #put(): Promise<Answer> {
    const part = this.#filling ?? new Part(1, Buffer.alloc(0), this.#target.connection.checksum);
    this.#crc32 = part.crc32;
    this.#ownEtag = () => part.md5().toString('hex');
    return putObject(this.#target, part);
  }

  #complete(uploadId: string): Promise<Answer> {
    this.#ownEtag = () => multipartEtag(this.#receipts);
    return completeUpload(this.#target, {
      uploadId,
      receipts: this.#receipts,
      sizeBytes: this.#sizeBytes,
      crc32: encodeCrc32(this.#crc32),
    });
  }

  /** An object that became visible but failed its check, or whose answer never came, must not stay. */
  async #removeIfVisible(signal: AbortSignal): Promise<void> {
    if (this.#visible === 'no') return;
    const { connection, key } = this.#target;
    try {
      const present = await this.#awaitVisible(signal);
      if (present === undefined) return;
      if (this.#visible === 'yes' || (present.etag !== undefined && present.etag === this.#ownEtag?.()))
        await deleteObject(connection, key, signal);
    } catch (error) {
      connection.log.warning(
        `${connection.uri(key)} may have stayed although its upload failed: ${messageOf(error)} ` +
          'No backup refers to it; delete it by hand.',
      );
    }
  }

  /** A request that was cut off may still be carried out: what is not there at once may be there a little later. */
  async #awaitVisible(signal: AbortSignal): Promise<ObjectInfo | undefined> {
    const { connection, key } = this.#target;
    for (let left = ABORT_TIMES; ; left -= 1) {
      const present = await statObject(connection, key, signal);
      if (present !== undefined || left <= 1) return present;
      await connection.clock.sleep(ABORT_PAUSE_MS, signal);
    }
  }

  readonly #onCancel = (): void => {
    this.#fail(cancelledError(this.#target.signal, `upload ${this.#target.key}`));
  };

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#buffers.fail(error);
  }

  #assertUsable(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#state === 'open') return;
    throw new BackupError('ERR_INTERNAL', `The writer of ${this.#target.key} was used after its end.`, {
      op: `upload ${this.#target.key}`,
      hint: 'This is a defect of the action: please report it.',
    });
  }

  #end(state: 'finished' | 'aborted'): void {
    this.#state = state;
    this.#filling = undefined;
    this.#buffers.drop();
    this.#target.signal.removeEventListener('abort', this.#onCancel);
    this.#onEnd();
  }
}

const discarded = { op: 'upload', hint: 'Nothing of it became visible.' };

function tooLarge(key: string, plan: PartPlan): BackupError {
  const gib = (plan.capacityBytes / 1024 ** 3).toFixed(2);
  const parts = plan.maxParts.toLocaleString('en-US');
  const what = `${key} is larger than ${gib} GiB, which is what ${parts} parts of ${plan.partSizeBytes / 1024 ** 2} MiB hold`;
  return new BackupError('ERR_STORAGE_TOO_LARGE', `${what}.`, {
    op: `upload ${key}`,
    hint: `Set ?part-size-mib=${Math.ceil((plan.partSizeBytes / 1024 ** 2) * 4)} in the destination.`,
  });
}
