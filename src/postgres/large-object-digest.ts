/** Digests the large objects of a live database as the reader of an archive does: a row `oid TAB sha256` for each. */
import { createHash } from 'node:crypto';
import type pg from 'pg';
import type { ArchivedLargeObjects } from '../domain/archive-report.ts';
import { copyOut } from './copy-out.ts';
import { RowsDigester } from './digest/rows-digester.ts';

/** Objects looked at by one statement, each with its beginning: most are small. */
const BATCH = 128;
const FIRST_BYTES = 16 * 1024;
/** Then in pieces, so that memory does not grow with the object: twice as many hexadecimal digits arrive. */
const PIECE_BYTES = 1024 * 1024;

interface Beginning {
  oid: string;
  bytes: Buffer;
}

/** Number, bytes and digest of all. Throws the server's errors, such as a missing right to read one of them. */
export async function digestLargeObjects(client: pg.Client): Promise<ArchivedLargeObjects> {
  const digester = new RowsDigester();
  const totals = { count: 0, bytes: 0 };
  for (let last = '0'; ; ) {
    const { rows } = await client.query<Beginning>(
      `SELECT m.oid::text AS oid, pg_catalog.lo_get(m.oid, 0, ${FIRST_BYTES}) AS bytes
         FROM (SELECT oid FROM pg_catalog.pg_largeobject_metadata WHERE oid > $1::oid ORDER BY oid LIMIT ${BATCH}) m
        ORDER BY m.oid`,
      [last],
    );
    for (const { oid, bytes } of rows) {
      const hash = createHash('sha256').update(bytes);
      const size =
        bytes.length < FIRST_BYTES ? bytes.length : await hashRest(client, oid, (piece) => hash.update(piece));
      totals.count += 1;
      totals.bytes += size;
      digester.feedRows(Buffer.from(`${oid}\t${hash.digest('hex')}\n`, 'latin1'));
      last = oid;
    }
    if (rows.length < BATCH) return { ...totals, digest: digester.finish().digest };
  }
}

/** Returns the size of the whole object. */
async function hashRest(client: pg.Client, oid: string, take: (piece: Buffer) => void): Promise<number> {
  for (let offset = FIRST_BYTES; ; ) {
    const { rows } = await client.query<{ bytes: Buffer }>(
      `SELECT pg_catalog.lo_get($1::oid, $2::bigint, ${PIECE_BYTES}) AS bytes`,
      [oid, offset],
    );
    const piece = rows[0]?.bytes ?? Buffer.alloc(0);
    take(piece);
    offset += piece.length;
    if (piece.length < PIECE_BYTES) return offset;
  }
}

/** One digest over owners, rights and comments of all large objects. Throws the server's errors. */
export async function digestLargeObjectRights(client: pg.Client): Promise<string> {
  const digester = new RowsDigester();
  await copyOut(
    client,
    `COPY (SELECT m.oid, pg_catalog.pg_get_userbyid(m.lomowner), m.lomacl,
                  pg_catalog.obj_description(m.oid, 'pg_largeobject')
             FROM pg_catalog.pg_largeobject_metadata m) TO STDOUT`,
    (block) => digester.feedRows(block),
  );
  const { rows, digest } = digester.finish();
  return `${rows} ${digest}`;
}
