/** Records of drills in storage: written where the set is, read by whoever must know which backups were brought back. */
import { parseBackupId } from '../domain/backup-id.ts';
import {
  DOUBTFUL_DRILL,
  type DrillRecord,
  parseDrillRecord,
  restoredBackups,
  serializeDrillRecord,
} from '../domain/drill-record.ts';
import { BackupError, messageOf } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { drillKey, drillsPrefix, isRecordName } from '../domain/set-layout.ts';
import type { Storage } from '../ports.ts';
import { isDoubtful, type Reading, type RecordKind, readRecord, writeRecord } from '../storage/records.ts';

/** Sets whose records are looked at, the newest first: more than two years of monthly drills. */
const SETS_READ = 100;
/** For a quick look. */
const NEWEST_SETS = 3;
/** Of one set; the newest first. */
const RECORDS_OF_SET = 20;
const RECORDS_READ = 300;
/** A record is a few KiB. What is larger is none, and is not read. */
export const MAX_RECORD_BYTES = 256 * 1024;

export interface WrittenRecord {
  /** Of every destination that took it. */
  uris: readonly string[];
  /** One for each that did not: a warning, and an error when no destination did. */
  findings: readonly Finding[];
}

/**
 * Writes the record to every one of `storages`, those that hold the set. Needs no right but to put below `_drills/`.
 * Throws only for a record that cannot be read back (`ERR_MANIFEST`).
 * @param random as `randomSuffix` gives it
 */
export async function writeDrillRecord(
  storages: readonly Storage[],
  record: DrillRecord,
  random: string,
): Promise<WrittenRecord> {
  const text = serializeDrillRecord(record);
  const { name, id } = record.backup;
  const key = drillKey(name, id, new Date(record.startedAt), random);
  const uris: string[] = [];
  const failures: { location: string; error: unknown }[] = [];
  for (const storage of storages) {
    try {
      await writeRecord(storage, key, text);
      uris.push(storage.uri(key));
    } catch (error) {
      failures.push({ location: storage.location, error });
    }
  }
  const severity = uris.length === 0 ? 'error' : 'warning';
  const findings = failures.map(
    ({ location, error }): Finding => ({
      code: 'drill-unrecorded',
      severity,
      seen: `The verdict of this drill could not be kept in ${location}: ${messageOf(error)}`,
      action: `Grant the right to write below ${drillsPrefix(name)} there (docs/permissions.md). Until a drill is recorded, ${id} does not count as restored.`,
    }),
  );
  return { uris, findings };
}

export interface ReadRecords {
  /** Newest first. */
  records: readonly DrillRecord[];
  findings: readonly Finding[];
}

/**
 * Records of the given sets, or of the newest that have any. One counts only when it parses, and names the series and
 * the set under whose folder it lies; others are a warning. Without the right to read there are none, and a notice
 * says so.
 */
export async function readDrillRecords(
  storage: Storage,
  series: string,
  ids?: readonly string[],
): Promise<ReadRecords> {
  const records: DrillRecord[] = [];
  const findings: Finding[] = [];
  try {
    const sets = ids ?? (await setsWithDrills(storage, series));
    for (const id of [...sets].sort().reverse().slice(0, SETS_READ)) {
      for (const key of await recordKeys(storage, series, id)) {
        if (records.length === RECORDS_READ) break;
        const record = await readDrillRecord(storage, key, { series, id });
        if (record === undefined) continue;
        if (isDoubtful(record)) findings.push(doubtfulDrill(record.doubt));
        else records.push(record);
      }
    }
  } catch (error) {
    if (!(error instanceof BackupError) || error.code !== 'ERR_STORAGE_DENIED') throw error;
    return { records: [], findings: [unreadable(error, series)] };
  }
  records.sort((left, right) => (left.startedAt < right.startedAt ? 1 : left.startedAt > right.startedAt ? -1 : 0));
  return { records, findings };
}

/** Of the newest sets that have any: a few requests, however many drills there were. */
export async function readNewestDrills(storage: Storage, series: string): Promise<ReadRecords> {
  const ids = (await setsWithDrills(storage, series)).sort().slice(-NEWEST_SETS);
  return await readDrillRecords(storage, series, ids);
}

export interface RestoredIds {
  ids: ReadonlySet<string>;
  findings: readonly Finding[];
}

/** Ids of the series' backups that a drill has brought back; see {@link restoredBackups}. */
export async function restoredIds(storage: Storage, series: string, ids?: readonly string[]): Promise<RestoredIds> {
  const { records, findings } = await readDrillRecords(storage, series, ids);
  return { ids: restoredBackups(records), findings };
}

async function setsWithDrills(storage: Storage, series: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const folder of storage.listFolders(drillsPrefix(series))) {
    const id = folder.split('/').at(-2) ?? '';
    if (parseBackupId(id) !== undefined) ids.push(id);
  }
  return ids;
}

/** The newest, by their names. */
async function recordKeys(storage: Storage, series: string, id: string): Promise<string[]> {
  const prefix = drillsPrefix(series, id);
  const keys: string[] = [];
  for await (const { key, sizeBytes } of storage.list(prefix)) {
    if (isRecordName(key.slice(prefix.length)) && sizeBytes <= MAX_RECORD_BYTES) keys.push(key);
  }
  return keys.sort().reverse().slice(0, RECORDS_OF_SET);
}

const DRILL: RecordKind<DrillRecord> = {
  of: 'a drill',
  parse: parseDrillRecord,
  ownerOf: ({ backup }) => `${backup.name}/${backup.id}`,
};

/** As `readRecord`, of one that lies in the folder of a set. */
export function readDrillRecord(
  storage: Storage,
  key: string,
  { series, id }: { series: string; id: string },
): Promise<Reading<DrillRecord>> {
  return readRecord(storage, key, DRILL, `${series}/${id}`);
}

/** @param doubt as `readDrillRecord` gives it */
export function doubtfulDrill(doubt: string): Finding {
  return { ...DOUBTFUL_DRILL, severity: 'warning', seen: doubt };
}

function unreadable(error: BackupError, series: string): Finding {
  return {
    code: 'drills-unreadable',
    severity: 'notice',
    seen: `Records of earlier drills could not be read, so no backup counts as restored: ${error.message}`,
    action: `Grant s3:ListBucket, and s3:GetObject below ${drillsPrefix(series)}, if they should be.`,
  };
}
