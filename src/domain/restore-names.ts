/** Names of the databases that a restore makes. Postgres cuts names at 63 bytes without a word, so that is done here. */
import { createHash } from 'node:crypto';
import { parseBackupId } from './backup-id.ts';

/** NAMEDATALEN - 1 (src/include/pg_config_manual.h). */
export const MAX_NAME_BYTES = 63;
const HASH_CHARACTERS = 6;
const SHORT_ID_BYTES = 'YYYYMMDD_HHMMSS_xxxxxx'.length;
/** Of the database's own name, when it has to be cut: enough to be recognised. */
const LEAST_NAME_BYTES = 8;

/** The copy that a backup is restored into: `shop_restored_20261121_020000_nightly_k3v9qa`. */
export function restoredName(database: string, id: string, taken: readonly string[]): string {
  return freeName(database, 'restored', id, taken);
}

/** What a database is called after another one took its place: `shop_before_20261121_020000_nightly_k3v9qa`. */
export function formerName(database: string, id: string, taken: readonly string[]): string {
  return freeName(database, 'before', id, taken);
}

/** The copy of definitions alone that the restored ones are compared with. */
export function referenceName(database: string, id: string, taken: readonly string[]): string {
  return freeName(database, 'reference', id, taken);
}

function freeName(database: string, word: string, id: string, taken: readonly string[]): string {
  for (let number = 1; ; number += 1) {
    const name = nameWithinLimit(database, word, id, number === 1 ? '' : `_${number}`);
    if (!taken.includes(name)) return name;
  }
}

/** The label of the id goes first, since time and random characters tell ids apart; then the database's name is cut. */
function nameWithinLimit(database: string, word: string, id: string, number: string): string {
  const whole = `${database}_${word}_${id}${number}`;
  if (byteLength(whole) <= MAX_NAME_BYTES && !/[^\x20-\x7e]/.test(id)) return whole;
  const end = `_${word}_${shortId(id)}${number}`;
  return `${cutName(database, byteLength(end))}${end}`;
}

/** 22 bytes at most. A dump made by other means has any file name for an id: its hash stands for what is lost of it. */
function shortId(id: string): string {
  const parsed = parseBackupId(id);
  if (parsed !== undefined) return `${id.slice(0, 15)}_${parsed.random}`;
  const readable = id
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, SHORT_ID_BYTES - HASH_CHARACTERS - 1);
  return `${readable}-${hashOf(id)}`;
}

/** Two long names with one beginning stay apart by their hashes. */
function cutName(database: string, endBytes: number): string {
  if (byteLength(database) + endBytes <= MAX_NAME_BYTES) return database;
  const room = Math.max(MAX_NAME_BYTES - endBytes - HASH_CHARACTERS - 1, LEAST_NAME_BYTES);
  let cut = '';
  for (const character of database) {
    if (byteLength(cut + character) > room) break;
    cut += character;
  }
  return `${cut}-${hashOf(database)}`;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, HASH_CHARACTERS);
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
