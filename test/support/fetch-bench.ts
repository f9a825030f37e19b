/** What tests of selecting and fetching open and look at. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Target } from '../../src/backup/destinations.ts';
import { type Destination, parseDestination } from '../../src/domain/destination.ts';
import { parseSelector } from '../../src/domain/selector.ts';
import type { FetchParts } from '../../src/restore/fetched.ts';
import { type SelectRequest, selectBackup } from '../../src/restore/select.ts';
import type { Selected, SelectedSet } from '../../src/restore/selected.ts';
import { openStorage } from '../../src/storage/open.ts';
import type { S3Tuning } from '../../src/storage/s3/tuning.ts';
import { quickRetry, type RecordingLog, realClock, recordingLog } from './storage-bench.ts';

export interface BenchOptions {
  env?: Record<string, string>;
  s3?: Partial<S3Tuning>;
  signal?: AbortSignal;
}

export class FetchBench {
  readonly log: RecordingLog = recordingLog();
  readonly targets: readonly Target[];
  readonly signal: AbortSignal;
  readonly #options: BenchOptions;

  constructor(lines: readonly string[], options: BenchOptions = {}) {
    this.#options = options;
    this.signal = options.signal ?? new AbortController().signal;
    this.targets = lines.map((line) => this.#target(parseDestination(line)));
  }

  readonly openStorage = (destination: Destination) =>
    openStorage(destination, {
      env: this.#options.env ?? {},
      log: this.log,
      clock: realClock,
      signal: this.signal,
      s3: { ...quickRetry, ...this.#options.s3 },
    });

  async select(backup: string, over: Partial<SelectRequest> = {}): Promise<Selected> {
    const { targets, openStorage, signal, log } = this;
    return await selectBackup({ selector: parseSelector(backup), targets, openStorage, signal, log, ...over });
  }

  async selectSet(backup = 'latest', over: Partial<SelectRequest> = {}): Promise<SelectedSet> {
    const selected = await this.select(backup, over);
    if (selected.kind !== 'set') throw new Error('a dump was selected, not a set');
    return selected;
  }

  /** `workDir` is private to the test. */
  parts(workDir: string, over: Partial<FetchParts> = {}): FetchParts {
    return {
      workDir,
      log: this.log,
      clock: realClock,
      signal: this.signal,
      env: { PATH: process.env.PATH ?? '' },
      stallSeconds: 20,
      ...over,
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.targets.map(({ storage }) => storage.close()));
  }

  #target(destination: Destination): Target {
    return { destination, storage: this.openStorage(destination) };
  }
}

/** SHA-256 and size of a file or a stream. */
export async function measured(
  bytes: string | AsyncIterable<Uint8Array>,
): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const piece of typeof bytes === 'string' ? createReadStream(bytes) : bytes) {
    hash.update(piece as Uint8Array);
    sizeBytes += (piece as Uint8Array).byteLength;
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}

export function codes(findings: readonly { code: string }[]): string[] {
  return findings.map(({ code }) => code).sort();
}
