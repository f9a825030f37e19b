/** How the drills ended whose records one destination holds. */
import type { Target } from '../backup/destinations.ts';
import type { DrillOutcome } from '../domain/drill-record.ts';
import type { Finding } from '../domain/findings.ts';
import type { Inventory, RecordKey } from '../domain/retention/inventory.ts';
import { MAX_RECORD_BYTES, readDrillRecord } from '../drill/records.ts';
import { inParallel } from '../runner/in-parallel.ts';
import { LANES } from './found-sets.ts';

/** A record, from where it lies or from memory; as `readDrillRecord` gives it. */
export type ReadOutcome = (place: {
  target: Target;
  series: string;
  id: string;
  record: RecordKey;
}) => Promise<DrillOutcome | Finding | undefined>;

export interface Outcomes {
  outcomes: readonly DrillOutcome[];
  /** A warning for each record that does not count. */
  findings: readonly Finding[];
}

const readOutcome: ReadOutcome = ({ target, series, id, record }) =>
  readDrillRecord(target.storage, record.key, { series, id });

/** Throws what reading throws, but for a record that is gone by now. */
export async function readOutcomes(
  target: Target,
  series: string,
  { drills }: Inventory,
  read: ReadOutcome = readOutcome,
): Promise<Outcomes> {
  const places = [...drills].flatMap(([id, records]) =>
    records.filter(({ sizeBytes }) => sizeBytes <= MAX_RECORD_BYTES).map((record) => ({ target, series, id, record })),
  );
  const all = await inParallel(places, LANES, read);
  return {
    outcomes: all.flatMap((each) => (each === undefined || 'severity' in each ? [] : [each])),
    findings: all.flatMap((each) => (each !== undefined && 'severity' in each ? [each] : [])),
  };
}
