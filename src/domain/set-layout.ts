/**
 * Names and keys of a backup set's objects: `<series>/<id>/<object>`. Keys are relative to the destination's root;
 * its prefix is the storage's own business.
 */
import { isSeriesName, parseBackupId } from './backup-id.ts';

/**
 * Of the plain bytes; what is encrypted has `.age` behind it in storage. The guide and the manifest never are: one
 * says how to decrypt, the other is the commit marker, which is written last.
 */
export const OBJECT_NAMES = {
  archive: 'database.backup',
  globals: 'globals.sql',
  contents: 'contents.json',
  'restore-guide': 'RESTORE.md',
  manifest: 'metadata.json',
} as const;

/** `shop/` */
export function seriesPrefix(series: string): string {
  return `${series}/`;
}

/** `shop/20261121_020000_nightly_k3v9qa/` */
export function setPrefix(series: string, id: string): string {
  return `${setFolder(series, id)}/`;
}

/** The folder of a set, without a slash at its end. */
export function setFolder(series: string, id: string): string {
  return `${seriesPrefix(series)}${id}`;
}

/** `shop/20261121_020000_nightly_k3v9qa/metadata.json` */
export function objectKey(series: string, id: string, name: string): string {
  return `${setPrefix(series, id)}${name}`;
}

/**
 * The series of a set whose key, URI or path (of its folder or of an object in it) this is: `shop` of
 * `s3://bucket/prefix/shop/2026…_k3v9qa/metadata.json`. `undefined` when it names no set.
 */
export function seriesInLocation(location: string): string | undefined {
  const parts = location.replace(/[?#].*$/, '').split('/');
  const at = parts.findLastIndex((part) => parseBackupId(part) !== undefined);
  const series = parts[at - 1];
  return series !== undefined && isSeriesName(series) ? series : undefined;
}

/** `shop/_drills/`, and with an id the folder of one set's drills: `shop/_drills/20261121_020000_nightly_k3v9qa/` */
export function drillsPrefix(series: string, id?: string): string {
  return `${seriesPrefix(series)}_drills/${id === undefined ? '' : `${id}/`}`;
}

/** `shop/_drills/20261121_020000_nightly_k3v9qa/20261201_040000_x7m2pq.json`: sorts by time. */
export function drillKey(series: string, id: string, at: Date, random: string): string {
  const time = at
    .toISOString()
    .replaceAll(/[-:]|\.\d+Z$/g, '')
    .replace('T', '_');
  return `${drillsPrefix(series, id)}${time}_${random}.json`;
}

/** Whether the last part of a key is the name of a record, so that it was written by {@link drillKey}. */
export function isRecordName(name: string): boolean {
  return /^\d{8}_\d{6}_[0-9abcdefghjkmnpqrstvwxyz]{6}\.json$/.test(name);
}
