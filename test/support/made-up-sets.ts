/** Sets that were never taken: objects of the right names and sizes with a manifest, for tests of choosing among them. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { parseBackupId } from '../../src/domain/backup-id.ts';
import type { Manifest } from '../../src/domain/manifest.ts';
import { manifest } from './set-documents.ts';

export const [NEWEST, MIDDLE, OLDEST] = [
  '20261121_020000_nightly_cccccc',
  '20261120_020000_nightly_bbbbbb',
  '20261119_020000_pre-migration_aaaaaa',
] as const;
const NAMES = ['database.backup.age', 'globals.sql.age', 'contents.json.age', 'RESTORE.md'];

export interface Wish {
  series?: string;
  unproven?: boolean;
  /** Nothing but the archive. */
  unfinished?: boolean;
  /** The text of metadata.json instead of a good one. */
  metadata?: string;
  change?: Partial<Manifest>;
}

/** Every object of a set by its key, metadata.json included. */
export function setObjects(
  id: string,
  { series = 'shop', unproven, unfinished, metadata, change }: Wish,
): Map<string, string> {
  const good = manifest();
  const document: Manifest = {
    ...good,
    id,
    name: series,
    label: parseBackupId(id)?.label ?? '',
    snapshotAt: (parseBackupId(id)?.at ?? new Date(0)).toISOString(),
    objects: good.objects.map((object) => ({ ...object, sizeBytes: object.name.length })),
    ...(unproven === true
      ? { verdict: 'unproven', checks: [{ id: 'archive', status: 'failed', reason: 'It ends too soon' }] }
      : {}),
    ...change,
  };
  const names = unfinished === true ? NAMES.slice(0, 1) : NAMES;
  const objects = new Map(names.map((name) => [`${series}/${id}/${name}`, name]));
  if (unfinished !== true) objects.set(`${series}/${id}/metadata.json`, metadata ?? JSON.stringify(document));
  return objects;
}

/** Writes the objects of a set below `root`. */
export async function put(root: string, id: string, wish: Wish = {}): Promise<void> {
  for (const [key, text] of setObjects(id, wish)) {
    await mkdir(path.dirname(path.join(root, key)), { recursive: true });
    await writeFile(path.join(root, key), text);
  }
}

/** Two empty directories for every test of the file; made and removed by the hooks. */
export function twoPlaces(): TwoPlaces {
  const places = new TwoPlaces();
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'select-'));
    places.first = path.join(folder, 'first');
    places.second = path.join(folder, 'second');
    for (const place of [places.first, places.second]) await mkdir(place);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  return places;
}

/** Complete inside tests only. */
export class TwoPlaces {
  declare first: string;
  declare second: string;
}
