/**
 * `metadata.json`: the commit marker of a backup set, plain and without secrets.
 * Format: docs/format.md, docs/metadata.schema.json.
 */
import type { Check, CheckId, CheckStatus, Verdict } from './checks.ts';
import type { Content } from './scope.ts';

/** The newest format that this code writes and reads. A reader refuses anything newer, by name. */
export const MANIFEST_SCHEMA_VERSION = 1;

export type ObjectRole = 'archive' | 'globals' | 'contents' | 'restore-guide';

export interface ManifestObject {
  role: ObjectRole;
  /** Relative to the set's own folder: `database.backup.age`. */
  name: string;
  /** Of the stored bytes. */
  sizeBytes: number;
  /** Of the stored bytes, hex. */
  sha256: string;
  /** How storage was shown to hold these bytes. */
  evidence: string;
}

export type ManifestEncryption =
  | { method: 'age'; recipients: string[] }
  | { method: 'age-passphrase' }
  | { method: 'none' };

export interface ManifestRun {
  repository: string;
  workflow: string;
  runId: string;
  runAttempt: string;
  sha: string;
  actor: string;
  url: string;
}

/** A warning recorded with the set; no names of the database's content. */
export interface ManifestWarning {
  code: string;
  message: string;
}

export interface Manifest {
  schemaVersion: number;
  id: string;
  /** The series. */
  name: string;
  label: string;
  keepForever: boolean;
  verdict: Verdict;
  /** Time of the snapshot, ISO 8601 UTC. */
  snapshotAt: string;
  /** When the manifest was written. */
  finishedAt: string;
  action: { version: string };
  source: { fingerprint: string; fingerprintKind: 'system' | 'address' };
  server: { version: string; major: number };
  client: { version: string };
  scope: { content: Content; wholeDatabase: boolean; fingerprint: string };
  encryption: ManifestEncryption;
  archive: { format: 'custom'; compression: string };
  objects: ManifestObject[];
  totals: {
    tables: number;
    rows: number;
    largeObjects: number;
    plainBytes: number;
    databaseBytes: number;
    storedBytes: number;
  };
  /**
   * Per table under `sha256(salt + schema NUL name)`, hex: enough to notice, without a key,
   * that a table shrank. The salt is random per set.
   */
  tableStats: { salt: string; tables: Record<string, { rows: number; bytes: number }> };
  checks: { id: CheckId; status: CheckStatus; reason: string }[];
  warnings: ManifestWarning[];
  timings: { preflightSeconds: number; dumpSeconds: number; totalSeconds: number };
  run: ManifestRun | null;
}

/** The part of a check that may stand in the plain manifest. */
export function publicCheck(check: Check): { id: CheckId; status: CheckStatus; reason: string } {
  return { id: check.id, status: check.status, reason: check.reason };
}
