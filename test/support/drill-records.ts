/** Records of drills, made up: for tests of what is done with them, not of drills. */
import { type DrillRecord, drillRecord } from '../../src/domain/drill-record.ts';
import { OCCASION, type RecoveryWishes, recoveryOf, SET_ID } from './recovery-result.ts';

export const SNAPSHOT_AT = '2026-11-21T02:00:00.123Z';

/** Of a drill that began at `startedAt`. */
export function drilled(startedAt: string, wishes: RecoveryWishes = {}, more: Partial<DrillRecord> = {}): DrillRecord {
  const record = drillRecord(recoveryOf(wishes), {
    backup: { id: SET_ID, name: 'shop', snapshotAt: SNAPSHOT_AT },
    occasion: { ...OCCASION, startedAt },
    finishedAt: new Date(Date.parse(startedAt) + 160_400),
    targetKind: 'own-server',
  });
  return { ...record, ...more };
}
