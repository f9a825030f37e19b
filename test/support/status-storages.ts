/** Storages that a status looks at: series of made-up sets that are young, and some whose bytes are what they say. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { StatusResult } from '../../src/command.ts';
import { serializeManifest } from '../../src/domain/manifest.ts';
import type { Storage } from '../../src/ports.ts';
import { writeBytes } from '../../src/storage/write-object.ts';
import { setObjects } from './made-up-sets.ts';
import { idOf, makeUpDrill, makeUpSet } from './prune-bench.ts';
import { manifest } from './set-documents.ts';
import { sha256 } from './storage-bench.ts';

export const DAY_MS = 86_400_000;
/** Of the machine. */
export const NOW = new Date();
/** A few hours ago, and the same some days before. */
export const daysAgo = (days: number): string => new Date(NOW.getTime() - days * DAY_MS - 3 * 3_600_000).toISOString();

/** `critical backup-too-old`; of all levels but plain information, unless they are named. */
export function codes({ report }: StatusResult, ...levels: string[]): string[] {
  const wanted = levels.length === 0 ? ['critical', 'warning'] : levels;
  return report.findings.filter(({ level }) => wanted.includes(level)).map(({ level, code }) => `${level} ${code}`);
}

/** A set whose manifest says what is really stored. */
export async function makeTrueSet(to: Storage, days: number): Promise<string> {
  const id = idOf({ at: daysAgo(days) });
  const objects = manifest().objects.map((object) => {
    const bytes = Buffer.from(`${object.name} of ${id}`);
    return { ...object, sizeBytes: bytes.length, sha256: sha256(bytes) };
  });
  for (const { name } of objects) await writeBytes(to, `shop/${id}/${name}`, Buffer.from(`${name} of ${id}`));
  const snapshotAt = `${daysAgo(days).slice(0, 19)}.000Z`;
  const document = serializeManifest(manifest({ id, objects, snapshotAt }));
  await writeBytes(to, `shop/${id}/metadata.json`, Buffer.from(document));
  return id;
}

/** Written past every interface, because there are many. */
export function placeSet(root: string, id: string): void {
  mkdirSync(path.join(root, 'shop', id), { recursive: true });
  for (const [key, text] of setObjects(id, {})) writeFileSync(path.join(root, key), text);
}

/** Five nights and a drill: all is well. */
export async function fill(storage: Storage, series = 'shop'): Promise<string[]> {
  const ids: string[] = [];
  for (const days of [4, 3, 2, 1, 0]) ids.push(await makeUpSet(storage, { at: daysAgo(days), series }));
  await makeUpDrill(storage, ids[3] as string, daysAgo(0.5), series);
  return ids;
}
