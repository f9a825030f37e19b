/** Databases whose size is chosen by the caller, made on the server's side. */
import type pg from 'pg';
import type { PostgresServer } from '../postgres-server.ts';

/** Tables per transaction: each takes several locks until its end. */
const TABLES_PER_BATCH = 200;
/** Rows per INSERT. */
const ROWS_PER_BATCH = 500_000;

/** A schema `many` of `count` small tables, each with a key, an index and three rows. About 1 ms a table. */
export async function loadManyTables(server: PostgresServer, database: string, count: number): Promise<void> {
  await inNewDatabase(server, database, async (client) => {
    await client.query('CREATE SCHEMA many');
    for (let first = 1; first <= count; first += TABLES_PER_BATCH) {
      const last = Math.min(count, first + TABLES_PER_BATCH - 1);
      await client.query(`DO $$
        DECLARE i integer;
        BEGIN
          FOR i IN ${first}..${last} LOOP
            EXECUTE format('CREATE TABLE many.t%s (id bigint PRIMARY KEY, parent bigint, label text DEFAULT %L, at date)', i, 'table ' || i);
            EXECUTE format('CREATE INDEX ON many.t%s (label)', i);
            EXECUTE format('INSERT INTO many.t%s (id, parent, at) SELECT g, %s, date ''2025-01-01'' + g FROM generate_series(1, 3) g', i, i);
          END LOOP;
        END $$`);
    }
  });
}

/**
 * A table `wide` with one row of `megabytes` MiB of COPY text, between two small ones. Text, because bytea takes
 * two digits a byte. Up to 1000: the server cannot send a longer row.
 */
export async function loadBigRow(server: PostgresServer, database: string, megabytes: number): Promise<void> {
  await inNewDatabase(server, database, async (client) => {
    await client.query('CREATE TABLE wide (id integer PRIMARY KEY, body text)');
    await client.query(`INSERT INTO wide VALUES (1, 'before'), (3, 'after')`);
    // 32 digits a block, and no two blocks alike.
    await client.query(
      `INSERT INTO wide SELECT 2, string_agg(md5(g::text), '' ORDER BY g) FROM generate_series(1, $1::bigint * 32768) g`,
      [megabytes],
    );
  });
}

/** One kind of row, about 150 bytes of COPY text, and the share of all bytes that it makes up. */
const BULK_TABLES = [
  {
    share: 0.45,
    create: `CREATE TABLE events (id bigint, account integer, kind text, at timestamptz, amount numeric(12, 2), payload jsonb, referrer text)`,
    select: `SELECT g, (g * 7919) % 50000, (ARRAY['view', 'click', 'add-to-cart', 'purchase', 'refund'])[1 + g % 5],
      timestamptz '2025-01-01 00:00+00' + g * interval '1.37 seconds', ((g * 31) % 100000) / 100.0,
      jsonb_build_object('session', md5((g / 9)::text), 'page', '/products/' || (g * 13) % 9973, 'n', g % 17),
      CASE WHEN g % 3 = 0 THEN 'https://www.example.org/campaigns/' || g % 89 END`,
    key: 'ALTER TABLE events ADD PRIMARY KEY (id)',
  },
  {
    share: 0.25,
    create: `CREATE TABLE accounts (id bigint, email text, full_name text, street text, city text, created date, active boolean, phone text, updated timestamptz)`,
    select: `SELECT g, 'user' || g || '@' || (ARRAY['example.org', 'mail.example.com', 'shop.example.net'])[1 + g % 3],
      (ARRAY['Ana', 'Björn', 'Chloé', 'Dmitri', 'Eun-ji', 'Fatima'])[1 + g % 6] || ' ' || initcap(substr(md5(g::text), 1, 9)),
      (g * 17) % 400 || ' ' || initcap(substr(md5((g + 1)::text), 1, 14)) || ' Street', initcap(substr(md5((g % 997)::text), 1, 12)),
      date '2015-01-01' + (g % 3650)::integer, g % 11 <> 0,
      '+49 30 ' || lpad(((g * 7919) % 10000000)::text, 7, '0'), timestamptz '2025-06-01 00:00+00' + g * interval '11 seconds'`,
    key: 'CREATE UNIQUE INDEX accounts_email ON accounts (email)',
  },
  {
    share: 0.2,
    create: `CREATE TABLE messages (id bigint, sender integer, receiver integer, sent timestamp, body text)`,
    select: `SELECT g, (g * 7919) % 50000, (g * 104729) % 50000, timestamp '2025-01-01' + g * interval '2.5 seconds',
      'Hello, about order ' || g || ': ' || CASE WHEN g % 4 = 0 THEN E'it came late,\\tsorry.\\nBest' ELSE 'thank you, all is well with' END || ' ' || md5(g::text) || ' ' || md5((g % 101)::text)`,
    key: 'ALTER TABLE messages ADD PRIMARY KEY (id)',
  },
  {
    share: 0.1,
    create: `CREATE TABLE readings (sensor uuid, at timestamp, temperature double precision, pressure double precision, position point, flags bit(8), serial text, note text)`,
    select: `SELECT md5((g % 1000)::text)::uuid, timestamp '2025-01-01' + g * interval '3 seconds', 20 + sin(g / 100.0) * 10, 1013 + cos(g / 377.0) * 20,
      point((g % 360) - 180, (g % 180) - 90), (g % 256)::integer::bit(8), 'SN-' || upper(substr(md5((g % 1000)::text), 1, 20)), CASE WHEN g % 50 = 0 THEN 'calibrated' END`,
    key: 'CREATE INDEX readings_at ON readings USING brin (at)',
  },
] as const;

/** Bytes of COPY text a row, over all kinds. */
export const BULK_ROW_BYTES = 150;

/** Four tables with together about `bytes` of COPY text, keys and indexes. About 60 MB/s. */
export async function loadBulk(server: PostgresServer, database: string, bytes: number): Promise<void> {
  await inNewDatabase(server, database, async (client) => {
    for (const table of BULK_TABLES) {
      await client.query(table.create);
      const name = table.create.split(' ')[2];
      const rows = Math.max(1, Math.round((bytes * table.share) / BULK_ROW_BYTES));
      for (let first = 1; first <= rows; first += ROWS_PER_BATCH) {
        const last = Math.min(rows, first + ROWS_PER_BATCH - 1);
        await client.query(`INSERT INTO ${name} ${table.select} FROM generate_series(${first}::bigint, ${last}) g`);
      }
      await client.query(table.key);
    }
  });
}

async function inNewDatabase(server: PostgresServer, database: string, body: (client: pg.Client) => Promise<void>) {
  await server.createDatabase(database);
  const client = await server.connect(database);
  try {
    await body(client);
  } finally {
    await client.end();
  }
}
