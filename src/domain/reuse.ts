/** Whether a recent backup can stand in for a new one: only one that is proven and at least as good in every way. */
import { compareSource, type SourceFingerprint } from './fingerprint.ts';
import type { Manifest, ManifestEncryption } from './manifest.ts';
import { scopeFingerprint, tableHash } from './previous-backup.ts';
import type { QualifiedName } from './relations.ts';
import type { Scope } from './scope.ts';
import { countOf } from './words.ts';

/** What the backup that is asked for would be. */
export interface ReuseWish {
  withinMinutes: number;
  now: Date;
  source: SourceFingerprint;
  scope: Scope;
  encryption: ManifestEncryption;
  keepForever: boolean;
  globals: boolean;
  verifySource: boolean;
  verifyRestore: boolean;
  /** That must hold rows. */
  criticalTables: readonly QualifiedName[];
}

/** `manifest` is absent when nothing can be reused; `reason` says why, of the newest one. */
export interface ReuseDecision {
  manifest?: Manifest;
  reason: string;
}

/** Decides over the manifests of one destination, newest first. */
export function chooseReusable(wish: ReuseWish, manifests: readonly Manifest[]): ReuseDecision {
  const [newest] = manifests;
  if (newest === undefined) return { reason: 'no earlier backup is known' };
  for (const manifest of manifests) {
    if (obstacle(wish, manifest) === undefined) {
      return { manifest, reason: `${manifest.id} is proven and ${ageInWords(wish.now, manifest)} old` };
    }
  }
  return { reason: `${newest.id} ${obstacle(wish, newest)}` };
}

/** What speaks against it, as a predicate. */
function obstacle(wish: ReuseWish, manifest: Manifest): string | undefined {
  const age = wish.now.getTime() - Date.parse(manifest.snapshotAt);
  const passed = (id: string): boolean => manifest.checks.some((check) => check.id === id && check.status === 'passed');
  if (age < 0) return 'lies in the future: the clock of a runner is wrong';
  if (age > wish.withinMinutes * 60_000) return `is ${ageInWords(wish.now, manifest)} old`;
  if (manifest.verdict !== 'proven') return 'is not proven';
  const { fingerprint, fingerprintKind: kind } = manifest.source;
  if (compareSource({ fingerprint, kind }, wish.source) !== 'same') return 'is not known to be of this database';
  if (manifest.scope.fingerprint !== scopeFingerprint(wish.scope, manifest.tableStats.salt)) {
    return 'holds another part of the database';
  }
  if (!sameEncryption(manifest.encryption, wish.encryption)) return 'is encrypted in another way';
  if (wish.keepForever && !manifest.keepForever) return 'is not kept for ever';
  if (wish.globals && !passed('globals')) return 'holds no roles';
  if (wish.verifySource && !passed('source')) return 'was not compared with the source';
  if (wish.verifyRestore && !passed('restore')) return 'was not restored for a trial';
  if (wish.criticalTables.length > 0 && !passed('critical-tables')) return 'was made without critical tables';
  if (wish.criticalTables.some((table) => !holdsRows(manifest, table)))
    return 'is not known to hold rows of every critical table';
  return undefined;
}

/** Others may have been critical then. A single partition counts under its parent, so that nothing is known of it. */
function holdsRows({ tableStats: { salt, tables } }: Manifest, table: QualifiedName): boolean {
  return (tables[tableHash(salt, table)]?.rows ?? 0) > 0;
}

function sameEncryption(one: ManifestEncryption, other: ManifestEncryption): boolean {
  if (one.method !== 'age' || other.method !== 'age') return one.method === other.method;
  return [...one.recipients].sort().join() === [...other.recipients].sort().join();
}

function ageInWords(now: Date, { snapshotAt }: Manifest): string {
  const minutes = Math.floor((now.getTime() - Date.parse(snapshotAt)) / 60_000);
  return countOf(minutes, 'minute');
}
