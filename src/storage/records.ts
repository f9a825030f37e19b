/** Records: small JSON objects beside the backups, each written once and never replaced. */
import { BackupError } from '../domain/errors.ts';
import type { Storage } from '../ports.ts';
import { readBytes, writeBytes } from './write-object.ts';

/** Throws what `Storage.create` and its writer throw; one that is there already is an error too. */
export async function writeRecord(storage: Storage, key: string, text: string): Promise<void> {
  await writeBytes(storage, key, Buffer.from(text, 'utf8'), { contentType: 'application/json', onlyIfAbsent: true });
}

/** What lies where a record should, and why it does not count as one: one sentence. */
export interface Doubtful {
  doubt: string;
}

/** `undefined` when it is gone by now. */
export type Reading<T> = T | Doubtful | undefined;

export function isDoubtful(reading: object): reading is Doubtful {
  return 'doubt' in reading;
}

export interface RecordKind<T> {
  /** What it is the record of: `a drill`. */
  of: string;
  /** Throws `ERR_MANIFEST` for what is none. */
  parse(text: string): T;
  /** Whose record it is, as it says itself. */
  ownerOf(record: T): string;
}

/** One counts only when it names the `owner` under whose folder it lies. Throws what reading throws. */
export async function readRecord<T extends object>(
  storage: Storage,
  key: string,
  { of, parse, ownerOf }: RecordKind<T>,
  owner: string,
): Promise<Reading<T>> {
  const doubtful = (why: string): Doubtful => {
    return { doubt: `${storage.uri(key)} does not count as the record of ${of}: ${why}` };
  };
  try {
    const record = parse((await readBytes(storage, key)).toString('utf8'));
    const named = ownerOf(record);
    return named === owner ? record : doubtful(`it names ${named}`);
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    if (error.code === 'ERR_STORAGE_MISSING') return undefined;
    if (error.code !== 'ERR_MANIFEST') throw error;
    return doubtful(error.message);
  }
}
