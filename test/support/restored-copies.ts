/** A backup of a real database, what stock pg_restore made of it on another server, and copies of that to spoil. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { Scope } from '../../src/domain/scope.ts';
import type { RestoredProof } from '../../src/restore/prove.ts';
import { allOf, describeIf } from './availability.ts';
import { type Clients, clientTools } from './clients.ts';
import { availableMajors, type PostgresServer, startPostgres } from './postgres-server.ts';
import { type BenchBackup, backUpInto, lookAt, type ProveOptions, prove, restoreTo } from './restored-proof-bench.ts';

const MAJOR = 17;

/**
 * Two servers for the suite, a backup of one and its restore on the other, made by the hooks.
 * @param fill makes on `source` the database that it names
 */
export async function describeRestored(
  name: string,
  fill: (source: PostgresServer, target: PostgresServer) => Promise<string>,
  body: (bench: RestoredBench) => void,
): Promise<void> {
  const tools = await clientTools(MAJOR);
  const server = availableMajors().includes(MAJOR) || { skipped: `no server of major ${MAJOR}` };
  describeIf(allOf(server, 'skipped' in tools ? tools : true), name, () => {
    const bench = new RestoredBench(tools as Clients);
    beforeAll(() => bench.start(fill));
    afterAll(() => bench.stop());
    body(bench);
  });
}

/** Complete inside tests only. */
export class RestoredBench {
  declare source: PostgresServer;
  declare target: PostgresServer;
  /** What the database `restored` was made of. */
  declare backup: BenchBackup;
  declare folder: string;
  readonly #tools: Clients;
  #copies = 0;

  constructor(tools: Clients) {
    this.#tools = tools;
  }

  async start(fill: (source: PostgresServer, target: PostgresServer) => Promise<string>): Promise<void> {
    this.folder = await mkdtemp(path.join(os.tmpdir(), 'restored-'));
    [this.source, this.target] = await Promise.all([startPostgres({ major: MAJOR }), startPostgres({ major: MAJOR })]);
    this.backup = await this.backUp(await fill(this.source, this.target));
    await this.restoreTo('restored');
  }

  async stop(): Promise<void> {
    await Promise.all([this.source?.stop(), this.target?.stop()]);
    await rm(this.folder, { recursive: true, force: true });
  }

  async backUp(database: string, scope: Partial<Scope> = {}): Promise<BenchBackup> {
    return await backUpInto(this.folder, this.source, this.#tools, database, scope);
  }

  /** Into a new database. */
  async restoreTo(database: string, flags: readonly string[] = [], backup = this.backup): Promise<void> {
    await restoreTo(this.target, this.#tools, backup, database, flags);
  }

  async prove(database: string, options: ProveOptions = {}, backup = this.backup): Promise<RestoredProof> {
    return await prove(this.folder, this.target, this.#tools, backup, database, options);
  }

  /** The proof of a copy of the restored database after `sql`. */
  async proveAfter(sql: string, options: ProveOptions = {}): Promise<RestoredProof> {
    this.#copies += 1;
    const database = `copy_${this.#copies}`;
    await this.target.createDatabase(database, 'TEMPLATE restored');
    if (sql !== '') await this.target.query(sql, database);
    return await this.prove(database, options);
  }

  /** As after a restore of a dump made by other means. */
  async lookAt(database: string, criticalTables: readonly string[], user?: string): Promise<RestoredProof> {
    return await lookAt(this.folder, this.target, database, criticalTables, user);
  }
}

/** One of everything that a proof compares. */
const SHOP = `
  CREATE EXTENSION hstore; CREATE SCHEMA stock;
  CREATE TYPE mood AS ENUM ('a', 'b', 'c', 'd', 'e', 'f');
  CREATE TABLE customers (id serial PRIMARY KEY, name varchar(40) CHECK (name IN ('x', 'y', 'z') AND name <> '' AND length(name) < 9), since date DEFAULT '2025-01-01');
  INSERT INTO customers (name) SELECT (ARRAY['x', 'y', 'z'])[1 + g % 3] FROM generate_series(1, 500) g;
  CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers, total numeric, note text);
  INSERT INTO orders SELECT g, 1 + g % 500, g * 1.1, repeat('n', g % 200) FROM generate_series(1, 2000) g;
  UPDATE orders SET note = note || repeat('w', 150) WHERE id % 3 = 0; DELETE FROM orders WHERE id % 7 = 0;
  CREATE INDEX orders_customer ON orders (customer);
  CREATE TABLE log (id bigserial, what text);
  CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO log (what) VALUES (TG_OP); RETURN NULL; END$$;
  CREATE TRIGGER noted AFTER UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION note();
  CREATE TABLE parts (id int, at date) PARTITION BY RANGE (at);
  CREATE TABLE parts_2025 PARTITION OF parts FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
  CREATE TABLE parts_2026 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
  INSERT INTO parts SELECT g, date '2025-06-01' + g FROM generate_series(1, 400) g;
  CREATE TABLE moods (feels mood, n int) PARTITION BY HASH (feels);
  CREATE TABLE moods_0 PARTITION OF moods FOR VALUES WITH (MODULUS 2, REMAINDER 0);
  CREATE TABLE moods_1 PARTITION OF moods FOR VALUES WITH (MODULUS 2, REMAINDER 1);
  INSERT INTO moods SELECT (enum_range(NULL::mood))[1 + g % 6], g FROM generate_series(1, 60) g;
  CREATE TABLE animal (name text, legs int); CREATE TABLE dog (breed text, name text, legs int); ALTER TABLE dog INHERIT animal;
  ALTER TABLE animal ADD COLUMN age int DEFAULT 3;
  INSERT INTO dog VALUES ('collie', 'Rex', 4, 5), ('pug', 'Bo', 4, 2);
  CREATE VIEW rich AS SELECT customer, sum(total) AS total FROM orders GROUP BY customer;
  CREATE MATERIALIZED VIEW by_name AS SELECT name, count(*) AS n FROM customers GROUP BY name;
  CREATE MATERIALIZED VIEW later AS SELECT 1 AS one WITH NO DATA;
  CREATE TABLE secrets (id int, owner name); INSERT INTO secrets VALUES (1, 'me'), (2, 'you');
  ALTER TABLE secrets ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON secrets USING (owner = current_user);
  GRANT SELECT ON customers TO reader;
  CREATE TABLE stock.items (id int); INSERT INTO stock.items VALUES (1);
  SELECT lo_from_bytea(4711, 'small'), lo_from_bytea(4712, decode(repeat('00ff10', 900000), 'hex')), lo_from_bytea(4713, '');
  GRANT SELECT ON LARGE OBJECT 4711 TO reader;
  SELECT nextval('customers_id_seq');`;

/** {@link describeRestored} with a shop; the roles `reader` and `bound`, of no rights of their own, are on both servers. */
export async function describeRestoredShop(body: (bench: RestoredBench) => void): Promise<void> {
  const fill = async (source: PostgresServer, target: PostgresServer): Promise<string> => {
    for (const server of [source, target]) await server.query('CREATE ROLE reader; CREATE ROLE bound LOGIN');
    await source.createDatabase('shop');
    await source.query(SHOP, 'shop');
    return 'shop';
  };
  await describeRestored('the proof of a restored database', fill, body);
}
