/** Verdicts of checks in `_checks/`: written to every destination, and read back to be compared with. */
import type { Target } from '../backup/destinations.ts';
import {
  type CheckRecord,
  checkKey,
  checksPrefix,
  MAX_CHECK_BYTES,
  parseCheckRecord,
  serializeCheckRecord,
} from '../domain/check/record.ts';
import { BackupError, messageOf } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { isRecordName } from '../domain/set-layout.ts';
import type { Storage } from '../ports.ts';
import { writeRecord } from '../storage/records.ts';
import { readBytes } from '../storage/write-object.ts';

/**
 * Needs no right but to put below `_checks/`; without it a notice says so, since a check is worth something without.
 * @param random as `randomSuffix` gives it
 */
export async function writeCheckRecord(
  targets: readonly Target[],
  record: CheckRecord,
  random: string,
  signal: AbortSignal,
): Promise<{ uris: readonly string[]; findings: readonly Finding[] }> {
  const key = checkKey(record.name, new Date(record.startedAt), random);
  const text = serializeCheckRecord(record);
  const uris: string[] = [];
  const findings: Finding[] = [];
  for (const { storage } of targets) {
    try {
      await writeRecord(storage, key, text);
      uris.push(storage.uri(key));
    } catch (error) {
      signal.throwIfAborted();
      findings.push(unwritten(storage, record.name, error));
    }
  }
  return { uris, findings };
}

function unwritten(storage: Storage, series: string, error: unknown): Finding {
  const denied = error instanceof BackupError && error.code === 'ERR_STORAGE_DENIED';
  return {
    code: 'check-unrecorded',
    severity: denied ? 'notice' : 'warning',
    seen: `The verdict of this check is not kept in ${storage.location}: ${messageOf(error)}`,
    action: `Grant the right to write below ${checksPrefix(series)} there if status should show it (docs/permissions.md).`,
  };
}

/** The newest record in the first destination, or the notice that there is none. Throws only when the run ends. */
export async function readNewestRecord(
  [first]: readonly Target[],
  series: string,
  signal: AbortSignal,
): Promise<CheckRecord | Finding> {
  if (first === undefined) return noBaseline('there is no storage');
  try {
    return (
      (await newestRecord(first.storage, series)) ?? noBaseline(`none is in ${first.storage.uri(checksPrefix(series))}`)
    );
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof BackupError)) throw error;
    return noBaseline(error.message);
  }
}

async function newestRecord(storage: Storage, series: string): Promise<CheckRecord | undefined> {
  const prefix = checksPrefix(series);
  let newest: string | undefined;
  for await (const { key, sizeBytes } of storage.list(prefix)) {
    if (isRecordName(key.slice(prefix.length)) && sizeBytes <= MAX_CHECK_BYTES) newest = key;
  }
  return newest === undefined ? undefined : parseCheckRecord((await readBytes(storage, newest)).toString('utf8'));
}

/** The first run has none. */
export function noBaseline(why: string): Finding {
  return {
    code: 'no-baseline',
    severity: 'notice',
    seen: `There is no earlier check to compare with: ${why}`,
    action: 'Nothing, if this is the first one.',
  };
}
