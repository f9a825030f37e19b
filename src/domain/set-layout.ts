/**
 * Names and keys of a backup set's objects: `<series>/<id>/<object>`. Keys are relative to the destination's root;
 * its prefix is the storage's own business.
 */

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
