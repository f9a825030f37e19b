/** The newest backup of a series that can be trusted: what somebody wants to know first when the latest one failed. */
import type { Manifest } from '../manifest.ts';
import { ageOf } from '../time.ts';

export type GoodBackup =
  | {
      known: 'found';
      id: string;
      /** Time of its snapshot, ISO 8601 UTC. */
      snapshotAt: string;
      /** Its folder. */
      uri: string;
    }
  /** Nothing proven is among the backups that were looked at. */
  | { known: 'none' }
  | { known: 'unreadable'; why: string };

/** @param manifests newest first */
export function newestProven(manifests: readonly Manifest[], uriOf: (id: string) => string): GoodBackup {
  const proven = manifests.find(({ verdict }) => verdict === 'proven');
  if (proven === undefined) return { known: 'none' };
  return { known: 'found', id: proven.id, snapshotAt: proven.snapshotAt, uri: uriOf(proven.id) };
}

/** One sentence. */
export function describeGoodBackup(good: GoodBackup, now: Date): string {
  switch (good.known) {
    case 'found':
      return `The newest proven backup is ${ageOf(good.snapshotAt, now)} old: \`${good.id}\`, in \`${good.uri}\`. Its \`RESTORE.md\` says how to get it back.`;
    case 'none':
      return 'None known: the storage was looked at, and no proven backup of this series was found among the newest.';
    case 'unreadable':
      return `It could not be read which backups there are: ${good.why}. That says nothing about them.`;
  }
}
