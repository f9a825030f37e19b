/** How the drills and health checks ended whose records one destination holds. */
import type { Target } from '../backup/destinations.ts';
import { type CheckOutcome, checkOutcome } from '../domain/check/outcome.ts';
import { type CheckRecord, MAX_CHECK_BYTES, parseCheckRecord } from '../domain/check/record.ts';
import { type DrillOutcome, drillOutcome } from '../domain/drill-record.ts';
import { BackupError } from '../domain/errors.ts';
import type { Inventory, RecordKey } from '../domain/retention/inventory.ts';
import { MAX_RECORD_BYTES, readDrillRecord } from '../drill/records.ts';
import { inParallel } from '../runner/in-parallel.ts';
import { isDoubtful, type Reading, type RecordKind, readRecord } from '../storage/records.ts';
import { LANES } from './found-sets.ts';

export interface Outcomes<T> {
  outcomes: readonly T[];
  /** A sentence for each record that does not count. */
  doubts: readonly string[];
}

/** Gives what `read` gives, or what it gave for the same object in an earlier run. */
export type Recall<T> = (record: RecordKey, read: () => Promise<Reading<T>>) => Promise<Reading<T>>;

const CHECK: RecordKind<CheckRecord> = { of: 'a check', parse: parseCheckRecord, ownerOf: ({ name }) => name };

/** Throws what reading throws, but for a record that is gone by now. */
export async function readDrills(
  { storage }: Target,
  series: string,
  { drills }: Inventory,
  recall: Recall<DrillOutcome> = (_, read) => read(),
): Promise<Outcomes<DrillOutcome>> {
  const records = [...drills].flatMap(([id, all]) => all.map((record) => ({ ...record, id })));
  return await readAll(records, MAX_RECORD_BYTES, (record) =>
    recall(record, async () => {
      const read = await readDrillRecord(storage, record.key, { series, id: record.id });
      return read === undefined || isDoubtful(read) ? read : drillOutcome(read);
    }),
  );
}

/** A key that may not read them is told, and no reason to know nothing else: nothing of a backup depends on them. */
export async function readChecks(
  { storage }: Target,
  series: string,
  records: readonly RecordKey[],
  recall: Recall<CheckOutcome>,
): Promise<Outcomes<CheckOutcome>> {
  try {
    return await readAll(records, MAX_CHECK_BYTES, (record) =>
      recall(record, async () => {
        const read = await readRecord(storage, record.key, CHECK, series);
        return read === undefined || isDoubtful(read) ? read : checkOutcome(read);
      }),
    );
  } catch (error) {
    if (!(error instanceof BackupError) || error.code !== 'ERR_STORAGE_DENIED') throw error;
    return { outcomes: [], doubts: [`Records of health checks may not be read: ${error.message}`] };
  }
}

/** What is larger than `most` bytes is no record, and is not read. */
async function readAll<R extends RecordKey, T extends object>(
  records: readonly R[],
  most: number,
  read: (record: R) => Promise<Reading<T>>,
): Promise<Outcomes<T>> {
  const small = records.filter(({ sizeBytes }) => sizeBytes <= most);
  const readings = (await inParallel(small, LANES, read)).filter((reading) => reading !== undefined);
  return {
    outcomes: readings.flatMap((reading) => (isDoubtful(reading) ? [] : [reading])),
    doubts: readings.flatMap((reading) => (isDoubtful(reading) ? [reading.doubt] : [])),
  };
}
