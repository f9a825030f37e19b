/**
 * What a restore writes into the comments of databases, so that a later run, or whoever looks, knows what they are. A
 * comment is all that the owner of a database may attach to it on every host.
 */
import { parsePauseNote } from './pause.ts';

const UNFINISHED = 'db-backup-action: unfinished restore into ';
const PAUSED = 'db-backup-action: paused by a restore, give access back with this: ';
const COPY = 'db-backup-action: restored ';

/**
 * Of a database between CREATE DATABASE and its comment, which cannot be in one transaction: nobody may connect, and
 * the limit of connections, which says nothing then, is this.
 */
export const LIMIT_OF_UNBORN = 20_777;

/** One that is not finished yet. `target` is the database whose place or whose neighbour it will be. */
export function unfinishedMark(target: string, id: string, run: string): string {
  return `${UNFINISHED}${JSON.stringify({ target, id, run })}. Drop it, unless that run is still at work.`;
}

/** One that is finished. */
export function copyMark(id: string): string {
  return `${COPY}from backup ${id}`;
}

/** `original` is the database's own comment. */
export function pausedMark(note: string): string {
  return `${PAUSED}${note}`;
}

/**
 * The note of a pause, if the comment is one. A copy that was made from a dump of the paused database may have its
 * comment, but another OID, and is not paused.
 */
export function noteInComment(comment: string, oid: number): string | undefined {
  if (!comment.startsWith(PAUSED)) return undefined;
  const note = comment.slice(PAUSED.length);
  return parsePauseNote(note)?.oid === oid ? note : undefined;
}

/** The comment is that of a copy which was never finished. A finished one may be somebody's by now. */
export function isUnfinished(comment: string): boolean {
  return comment.startsWith(UNFINISHED);
}

/** A database of the server, as far as it matters here. */
export interface NeighbourDatabase {
  name: string;
  comment?: string;
  allowsConnections: boolean;
  connectionLimit: number;
}

/**
 * Whether a restore into `target` began it and did not finish it. Whoever drops it must hold the lock of that target:
 * else the restore may still be at work.
 */
export function isLeftover(database: NeighbourDatabase, target: string): boolean {
  const { comment = '', name, allowsConnections, connectionLimit } = database;
  const begins = name.startsWith([...target].slice(0, 2).join(''));
  if (comment === '') return !allowsConnections && connectionLimit === LIMIT_OF_UNBORN && begins;
  return comment.startsWith(`${UNFINISHED}${JSON.stringify({ target }).slice(0, -1)},`);
}
