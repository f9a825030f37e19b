/** What tests of storages open, write and read with. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseDestination } from '../../src/domain/destination.ts';
import type { Clock, Log, Storage, WriteOptions } from '../../src/ports.ts';
import { openStorage } from '../../src/storage/open.ts';
import type { S3Tuning } from '../../src/storage/s3/tuning.ts';

export const MIB = 1024 * 1024;

export const realClock: Clock = {
  now: () => new Date(),
  sleep: (milliseconds, signal) => sleep(milliseconds, undefined, signal === undefined ? {} : { signal }),
};

/** Retries at once, so that tests of failures do not wait for them. */
export const quickRetry: Partial<S3Tuning> = { retry: { attempts: 4, baseDelayMs: 10, maxDelayMs: 40 } };

export interface RecordingLog extends Log {
  lines: string[];
  masked: string[];
}

export function recordingLog(): RecordingLog {
  const lines: string[] = [];
  const masked: string[] = [];
  const say = (level: string) => (message: string) => void lines.push(`${level}: ${message}`);
  const speak = {
    info: say('info'),
    progress: say('progress'),
    notice: say('notice'),
    warning: say('warning'),
    error: say('error'),
  };
  const group = <T>(_title: string, body: () => Promise<T>): Promise<T> => body();
  return { ...speak, debug: say('debug'), group, mask: (secret) => void masked.push(secret), lines, masked };
}

export interface OpenOptions {
  log?: RecordingLog;
  signal?: AbortSignal;
  s3?: Partial<S3Tuning>;
}

export function openLine(line: string, env: Record<string, string>, options: OpenOptions = {}): Storage {
  return openStorage(parseDestination(line), {
    env,
    log: options.log ?? recordingLog(),
    clock: realClock,
    signal: options.signal ?? new AbortController().signal,
    s3: options.s3 ?? quickRetry,
  });
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export async function keysOf(storage: Storage, prefix = ''): Promise<string[]> {
  return (await collect(storage.list(prefix))).map((info) => info.key);
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Writes in uneven chunks, as a dump does; aborts when that fails. */
export async function writeChunked(storage: Storage, key: string, bytes: Buffer, options: WriteOptions = {}) {
  const writer = await storage.create(key, options);
  try {
    for (let offset = 0; offset < bytes.byteLength; offset += 300_007) {
      await writer.write(bytes.subarray(offset, offset + 300_007));
    }
    return await writer.commit();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}
