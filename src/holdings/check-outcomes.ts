/** How the health checks ended whose records one destination holds. */
import type { Target } from '../backup/destinations.ts';
import { type CheckOutcome, checkOutcome } from '../domain/check/outcome.ts';
import { MAX_CHECK_BYTES, parseCheckRecord } from '../domain/check/record.ts';
import { BackupError } from '../domain/errors.ts';
import type { RecordKey } from '../domain/retention/inventory.ts';
import { inParallel } from '../runner/in-parallel.ts';
import { readBytes } from '../storage/write-object.ts';
import { LANES } from './found-sets.ts';

/** Why it does not count, one sentence; `undefined` when it is gone by now. */
export type CheckReading = CheckOutcome | { doubt: string } | undefined;

export type ReadCheck = (record: RecordKey) => Promise<CheckReading>;

export interface CheckOutcomes {
  outcomes: readonly CheckOutcome[];
  /** A sentence for each record that does not count. */
  doubts: readonly string[];
}

/** Of one record. Throws what reading throws, but for one that is gone. */
export async function readCheck({ storage }: Target, series: string, { key }: RecordKey): Promise<CheckReading> {
  const uri = storage.uri(key);
  try {
    const record = parseCheckRecord((await readBytes(storage, key)).toString('utf8'));
    return record.name === series ? checkOutcome(record) : { doubt: `${uri} names the series ${record.name}` };
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    if (error.code === 'ERR_STORAGE_MISSING') return undefined;
    if (error.code !== 'ERR_MANIFEST') throw error;
    return { doubt: `${uri} does not count as the record of a check: ${error.message}` };
  }
}

/** A key that may not read them is told, and no reason to know nothing else: nothing of a backup depends on them. */
export async function readChecks(records: readonly RecordKey[], read: ReadCheck): Promise<CheckOutcomes> {
  const small = records.filter(({ sizeBytes }) => sizeBytes <= MAX_CHECK_BYTES);
  try {
    const all = await inParallel(small, LANES, read);
    return {
      outcomes: all.flatMap((each) => (each === undefined || 'doubt' in each ? [] : [each])),
      doubts: all.flatMap((each) => (each !== undefined && 'doubt' in each ? [each.doubt] : [])),
    };
  } catch (error) {
    if (!(error instanceof BackupError) || error.code !== 'ERR_STORAGE_DENIED') throw error;
    return { outcomes: [], doubts: [`Records of health checks may not be read: ${error.message}`] };
  }
}
