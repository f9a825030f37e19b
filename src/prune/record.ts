/** The records that a prune leaves in `_audit/`: before its first deletion, and at its end. */
import { randomBytes } from 'node:crypto';
import { auditKey } from '../domain/audit.ts';
import { RANDOM_CHARACTERS, randomSuffix } from '../domain/backup-id.ts';
import { BackupError } from '../domain/errors.ts';
import { type PruneFinished, type PruneStarted, serializePruneRecord } from '../domain/prune-record.ts';
import type { Storage } from '../ports.ts';
import { writeRecord } from '../storage/records.ts';

export interface WrittenStart {
  record: PruneStarted;
  random: string;
  uri: string;
  /** When the storage took it, by its own clock. */
  writtenAt: Date;
}

/** Throws the storage's error: what cannot be recorded is not deleted. */
export async function writeStart(storage: Storage, record: PruneStarted): Promise<WrittenStart> {
  const random = randomSuffix(randomBytes(RANDOM_CHARACTERS));
  const key = auditKey(record.series, new Date(record.startedAt), random, 'started');
  try {
    await put(storage, key, record);
    const stored = await storage.stat(key);
    if (stored === undefined) throw vanished(storage.uri(key));
    return { record, random, uri: storage.uri(key), writtenAt: stored.modifiedAt };
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    throw new BackupError(error.code, `The record of this prune could not be written: ${error.message}`, {
      op: 'write the audit record',
      hint: `${error.hint} Nothing is deleted without a record of it: a prune needs the right to write below \`_audit/\` (docs/permissions.md).`,
      cause: error.cause,
    });
  }
}

/** Gives where it lies. Throws the storage's error. */
export async function writeEnd(storage: Storage, { random }: WrittenStart, record: PruneFinished): Promise<string> {
  const key = auditKey(record.series, new Date(record.startedAt), random, 'finished');
  await put(storage, key, record);
  return storage.uri(key);
}

async function put(storage: Storage, key: string, record: PruneStarted | PruneFinished): Promise<void> {
  await writeRecord(storage, key, serializePruneRecord(record));
}

function vanished(uri: string): BackupError {
  return new BackupError('ERR_STORAGE_MISSING', `${uri} was written, and is not there`, {
    op: 'write the audit record',
    hint: 'Find out what deletes objects there.',
  });
}
