/** Small sets in a directory of their own, written as a backup writes them, but for what is wrong with them. */
import { createHash } from 'node:crypto';
import type { ArchiveReport } from '../../domain/archive-report.ts';
import { formatBackupId } from '../../domain/backup-id.ts';
import { type Contents, serializeContents } from '../../domain/contents.ts';
import { type Manifest, type ManifestObject, serializeManifest } from '../../domain/manifest.ts';
import { OBJECT_NAMES, objectKey } from '../../domain/set-layout.ts';
import type { Storage } from '../../ports.ts';
import { writeBytes } from '../../storage/write-object.ts';

export const REHEARSED_SERIES = 'rehearsal';
const LABEL = 'alarm';

export interface SetModel {
  /** Of the drilled backup: what it does not say of this set stays as it is there. */
  manifest: Manifest;
  contents: Contents;
  /** Of the whole sample: what contents.json records. */
  report: ArchiveReport;
}

export interface SetWish {
  at: Date;
  /** Six characters of an id. */
  random: string;
  /** What contents.json and metadata.json are made for. */
  recorded: Buffer;
  /** What is put into storage; absent: the same. */
  stored?: Buffer;
}

export function rehearsedId({ at, random }: Pick<SetWish, 'at' | 'random'>): string {
  return formatBackupId(at, LABEL, random);
}

/** The objects of a set by their names, metadata.json last. */
export function setObjects(model: SetModel, wish: SetWish): Map<string, Buffer> {
  const id = rehearsedId(wish);
  const contents = Buffer.from(serializeContents(contentsOf(model, id, wish.recorded)));
  const guide = Buffer.from('A rehearsal of a drill. It may be removed.\n');
  const objects: ManifestObject[] = [
    described('archive', wish.recorded),
    described('contents', contents),
    described('restore-guide', guide),
  ];
  const manifest = Buffer.from(serializeManifest(manifestOf(model, { id, at: wish.at, objects })));
  return new Map([
    [OBJECT_NAMES.archive, wish.stored ?? wish.recorded],
    [OBJECT_NAMES.contents, contents],
    [OBJECT_NAMES['restore-guide'], guide],
    [OBJECT_NAMES.manifest, manifest],
  ]);
}

/** Puts objects below the folder `id`, whatever they say of themselves. */
export async function writeSet(storage: Storage, id: string, objects: ReadonlyMap<string, Buffer>): Promise<void> {
  for (const [name, bytes] of objects) await writeBytes(storage, objectKey(REHEARSED_SERIES, id, name), bytes);
}

function contentsOf({ contents, report }: SetModel, id: string, archive: Buffer): Contents {
  return {
    ...contents,
    id,
    plainObjects: [{ role: 'archive', name: OBJECT_NAMES.archive, sizeBytes: archive.length, sha256: sha256(archive) }],
    tables: report.tables.map((table) => ({ ...table, sizeBytes: 0 })),
    definedOnly: [],
    sequences: [],
    largeObjects: report.largeObjects,
    objects: report.objects,
    checks: [],
  };
}

interface SetFacts {
  id: string;
  at: Date;
  objects: ManifestObject[];
}

function manifestOf({ manifest, report }: SetModel, { id, at, objects }: SetFacts): Manifest {
  const storedBytes = objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const rows = report.tables.reduce((sum, table) => sum + table.rows, 0);
  return {
    ...manifest,
    id,
    name: REHEARSED_SERIES,
    label: LABEL,
    keepForever: false,
    verdict: 'proven',
    snapshotAt: at.toISOString(),
    finishedAt: at.toISOString(),
    encryption: { method: 'none' },
    archive: { format: 'custom', compression: 'none' },
    objects,
    totals: { ...manifest.totals, tables: report.tables.length, rows, plainBytes: report.plainBytes, storedBytes },
    tableStats: { salt: manifest.tableStats.salt, tables: {} },
    checks: [{ id: 'archive', status: 'passed', reason: 'A rehearsal' }],
    warnings: [],
  };
}

function described(role: ManifestObject['role'], bytes: Buffer): ManifestObject {
  return { role, name: OBJECT_NAMES[role], sizeBytes: bytes.length, sha256: sha256(bytes), evidence: 'read-back' };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
