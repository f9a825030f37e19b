/**
 * `metadata.json`: the commit marker of a backup set, plain and without secrets.
 * Format: docs/format.md, docs/metadata.schema.json.
 */
import { isSeriesName, parseBackupId } from './backup-id.ts';
import { type Check, type CheckId, type CheckStatus, type Verdict, verdictOf } from './checks.ts';
import { type DocumentKind, parseDocument, serializeDocument } from './document.ts';
import * as json from './json-reader.ts';
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
    /** Tables whose rows are in the archive. */
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

/** Throws `ERR_MANIFEST`; a newer `schemaVersion` is refused by name. Fields that this version does not know are dropped. */
export function parseManifest(text: string): Manifest {
  return parseDocument(KIND, text);
}

/** Fields in a fixed order, tables by their hash. Throws `ERR_MANIFEST` for what {@link parseManifest} would refuse. */
export function serializeManifest(manifest: Manifest): string {
  return serializeDocument(KIND, manifest);
}

/** A plain path inside the set's own folder: nothing that a hostile bucket writes here may lead out of it. */
export const readObjectName = json.matching(
  /^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}(\/[A-Za-z0-9_][A-Za-z0-9._-]{0,199})*$/,
  'a plain name inside the set',
);
export const readObjectRole = json.oneOf<ObjectRole>('archive', 'globals', 'contents', 'restore-guide');
export const readCheckStatus = json.oneOf<CheckStatus>('passed', 'failed', 'partial', 'not-run');
export const readContent = json.oneOf<Content>('all', 'schema', 'data');
/** Only ids of real dates. */
export const readBackupId: json.Reader<string> = (value, path) => {
  const id = json.text(value, path);
  if (parseBackupId(id) !== undefined) return id;
  throw new json.ShapeError(`${path} is not a backup id`);
};

export const readSeries: json.Reader<string> = (value, path) => {
  const name = json.text(value, path);
  if (isSeriesName(name)) return name;
  throw new json.ShapeError(`${path} is not the name of a series`);
};

const readEncryption: json.Reader<ManifestEncryption> = (value, path) => {
  const { method } = json.object({ method: json.oneOf('age', 'age-passphrase', 'none') })(value, path);
  if (method !== 'age') return { method };
  const { recipients } = json.object({ recipients: json.list(json.text) })(value, path);
  if (recipients.length === 0) throw new json.ShapeError(`${path}.recipients is empty`);
  return { method, recipients };
};

/** Of the workflow that wrote a document. */
export const readRun = json.object<ManifestRun>({
  repository: json.text,
  workflow: json.text,
  runId: json.text,
  runAttempt: json.text,
  sha: json.text,
  actor: json.text,
  url: json.text,
});

const readFields = json.object<Manifest>({
  schemaVersion: json.count,
  id: readBackupId,
  name: readSeries,
  label: json.text,
  keepForever: json.flag,
  verdict: json.oneOf('proven', 'unproven'),
  snapshotAt: json.utcTime,
  finishedAt: json.utcTime,
  action: json.object({ version: json.text }),
  source: json.object({ fingerprint: json.sha256Hex, fingerprintKind: json.oneOf('system', 'address') }),
  server: json.object({ version: json.text, major: json.count }),
  client: json.object({ version: json.text }),
  scope: json.object({ content: readContent, wholeDatabase: json.flag, fingerprint: json.sha256Hex }),
  encryption: readEncryption,
  archive: json.object({ format: json.oneOf('custom'), compression: json.text }),
  objects: json.list(
    json.object({
      role: readObjectRole,
      name: readObjectName,
      sizeBytes: json.count,
      sha256: json.sha256Hex,
      evidence: json.anyWord(),
    }),
  ),
  totals: json.object({
    tables: json.count,
    rows: json.count,
    largeObjects: json.count,
    plainBytes: json.count,
    databaseBytes: json.count,
    storedBytes: json.count,
  }),
  tableStats: json.object({
    salt: json.matching(/^([0-9a-f]{2}){16,64}$/, 'a salt of 16 to 64 bytes in hexadecimal'),
    tables: json.mapOf(json.sha256Hex, json.object({ rows: json.count, bytes: json.count })),
  }),
  checks: json.list(json.object({ id: json.anyWord<CheckId>(), status: readCheckStatus, reason: json.text })),
  warnings: json.list(json.object({ code: json.anyWord(), message: json.text })),
  timings: json.object({ preflightSeconds: json.amount, dumpSeconds: json.amount, totalSeconds: json.amount }),
  run: json.nullable(readRun),
});

const KIND: DocumentKind<Manifest> = {
  name: 'metadata.json',
  version: MANIFEST_SCHEMA_VERSION,
  read: (value, path) => {
    const manifest = readFields(value, path);
    const contradiction = contradictionIn(manifest);
    if (contradiction !== undefined) throw new json.ShapeError(contradiction);
    return manifest;
  },
};

/** What keeps a set from being proven: its checks that did not pass, and why. Empty for a proven one. */
export function whatIsUnproven({ checks }: Pick<Manifest, 'checks'>): string[] {
  const open = checks.filter(({ status }) => status !== 'passed').map(({ id, reason }) => `${id}: ${reason}`);
  return checks.length === 0 ? ['no check was made'] : open;
}

/** What no honest writer says, in words; a manifest with it is damaged or forged. */
function contradictionIn(manifest: Manifest): string | undefined {
  const { id, label, objects, verdict, checks } = manifest;
  const roles = objects.map(({ role }) => role);
  const having = (role: ObjectRole): number => roles.filter((each) => each === role).length;
  if (parseBackupId(id)?.label !== label) return 'label is not the one in id';
  if (new Set(objects.map(({ name }) => name)).size < objects.length) return 'objects names one object twice';
  if (having('archive') === 0) return 'objects holds no archive';
  if (having('contents') !== 1) return 'objects does not hold contents.json once';
  if (having('restore-guide') !== 1) return 'objects does not hold RESTORE.md once';
  if (having('globals') > 1) return 'objects holds globals.sql more than once';
  const provenByChecks = verdictOf(checks.map((check) => ({ ...check, details: [] })));
  return verdict === provenByChecks ? undefined : `verdict is ${verdict}, but the checks say ${provenByChecks}`;
}
