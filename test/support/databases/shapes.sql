-- A database of every shape that pg_dump knows and that loads on all of 13 to 18. See shapes-14.sql, -15, -18 for later ones.
BEGIN;

DO $do$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shapes_owner') THEN CREATE ROLE shapes_owner; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shapes_reader') THEN CREATE ROLE shapes_reader; END IF;
EXCEPTION WHEN unique_violation OR duplicate_object THEN NULL;
END
$do$;

CREATE SCHEMA shapes;
CREATE SCHEMA extensions;
CREATE SCHEMA empty_schema;
COMMENT ON SCHEMA shapes IS 'One of everything';

CREATE EXTENSION pgcrypto SCHEMA extensions;
CREATE EXTENSION hstore SCHEMA extensions;
CREATE EXTENSION citext SCHEMA extensions;
CREATE EXTENSION pg_trgm SCHEMA extensions;
CREATE EXTENSION btree_gist SCHEMA extensions;
CREATE EXTENSION postgres_fdw SCHEMA extensions;
COMMENT ON EXTENSION citext IS 'Names without case';

-- Types -----------------------------------------------------------------------------------------------------------
CREATE TYPE shapes.mood AS ENUM ('sad', 'ok', 'happy');
ALTER TYPE shapes.mood ADD VALUE 'so-so' AFTER 'sad';
-- 13 does not let a transaction use the value that it added.
COMMIT;
BEGIN;
CREATE TYPE shapes.address AS (street text, number integer, zip varchar(10));
CREATE DOMAIN shapes.positive AS integer DEFAULT 1 NOT NULL CONSTRAINT above_zero CHECK (VALUE > 0);
CREATE DOMAIN shapes.email AS text CHECK (VALUE ~ '^[^@]+@[^@]+$');
CREATE DOMAIN shapes.tags AS text[] CHECK (cardinality(VALUE) < 10);
CREATE TYPE shapes.float_range AS RANGE (subtype = float8, subtype_diff = float8mi);
COMMENT ON TYPE shapes.mood IS 'How one feels';
COMMENT ON DOMAIN shapes.positive IS 'One or more';
COMMENT ON CONSTRAINT above_zero ON DOMAIN shapes.positive IS 'Zero is not enough';

CREATE COLLATION shapes.phonebook (provider = icu, locale = 'de-u-co-phonebk');
CREATE COLLATION shapes.no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
COMMENT ON COLLATION shapes.no_case IS 'Ä is ä';

-- Functions, aggregates, operators --------------------------------------------------------------------------------
CREATE FUNCTION shapes.twice(value integer) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS 'SELECT value * 2';
CREATE FUNCTION shapes.twice(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$SELECT value || value$$;
CREATE FUNCTION shapes.twice(value numeric, OUT doubled numeric, OUT halved numeric) LANGUAGE plpgsql IMMUTABLE AS
$body$BEGIN doubled := value * 2; halved := value / 2; END$body$;
CREATE FUNCTION shapes.series(VARIADIC items integer[]) RETURNS SETOF integer LANGUAGE sql ROWS 5 COST 7 PARALLEL SAFE AS
'SELECT unnest(items)';
CREATE FUNCTION shapes.as_table(n integer DEFAULT 3) RETURNS TABLE (i integer, label text) LANGUAGE sql STABLE
SET search_path = pg_catalog AS 'SELECT g, ''n'' || g FROM generate_series(1, n) g';
CREATE PROCEDURE shapes.do_nothing(INOUT counter integer) LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN counter := counter + 1; END';
COMMENT ON FUNCTION shapes.twice(integer) IS 'Doubles; it''s "quoted"';
COMMENT ON PROCEDURE shapes.do_nothing(integer) IS 'Counts';

CREATE FUNCTION shapes.same_int(a integer, b integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT a = b';
CREATE FUNCTION shapes.same_text(a text, b text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT lower(a) = lower(b)';
CREATE FUNCTION shapes.negated(a text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT reverse(a)';
CREATE OPERATOR shapes.=== (LEFTARG = integer, RIGHTARG = integer, FUNCTION = shapes.same_int, COMMUTATOR = OPERATOR(shapes.===));
CREATE OPERATOR shapes.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = shapes.same_text, COMMUTATOR = OPERATOR(shapes.===));
CREATE OPERATOR shapes.!!! (RIGHTARG = text, FUNCTION = shapes.negated);
COMMENT ON OPERATOR shapes.=== (integer, integer) IS 'Equal, said loudly';

CREATE FUNCTION shapes.longer(state text, value text) RETURNS text LANGUAGE sql IMMUTABLE AS
'SELECT CASE WHEN length(value) > length(state) THEN value ELSE state END';
CREATE AGGREGATE shapes.longest(text) (SFUNC = shapes.longer, STYPE = text, INITCOND = '');
CREATE AGGREGATE shapes.longest(integer) (SFUNC = int4larger, STYPE = integer);
CREATE AGGREGATE shapes.middle(float8 ORDER BY float8) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
COMMENT ON AGGREGATE shapes.longest(text) IS 'The longest of them';

CREATE FUNCTION shapes.mood_level(shapes.mood) RETURNS integer LANGUAGE sql IMMUTABLE AS
$$SELECT array_position(enum_range(NULL::shapes.mood), $1)$$;
CREATE CAST (shapes.mood AS integer) WITH FUNCTION shapes.mood_level(shapes.mood) AS ASSIGNMENT;

CREATE OPERATOR FAMILY shapes.backwards USING btree;
CREATE FUNCTION shapes.int_backwards(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT btint4cmp($2, $1)';
CREATE OPERATOR CLASS shapes.backwards_ops FOR TYPE integer USING btree FAMILY shapes.backwards AS
  OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 shapes.int_backwards(integer, integer);

CREATE TEXT SEARCH DICTIONARY shapes.plain_words (TEMPLATE = pg_catalog.simple, accept = true);
CREATE TEXT SEARCH CONFIGURATION shapes.plain_search (COPY = pg_catalog.english);
ALTER TEXT SEARCH CONFIGURATION shapes.plain_search ALTER MAPPING FOR asciiword, word WITH shapes.plain_words;
COMMENT ON TEXT SEARCH CONFIGURATION shapes.plain_search IS 'No stemming';

-- Partitions --------------------------------------------------------------------------------------------------------
CREATE TABLE shapes.measurement (
  id bigint GENERATED ALWAYS AS IDENTITY, taken date NOT NULL, city text NOT NULL, reading numeric(12, 4),
  PRIMARY KEY (taken, city, id)
) PARTITION BY RANGE (taken);
CREATE TABLE shapes.measurement_2024 PARTITION OF shapes.measurement FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE shapes.measurement_2025 PARTITION OF shapes.measurement FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (city);
CREATE TABLE shapes.measurement_2025_north PARTITION OF shapes.measurement_2025 FOR VALUES IN ('Oslo', 'Bergen');
CREATE TABLE shapes.measurement_2025_south (reading numeric(12, 4), city text NOT NULL, dropped integer, taken date NOT NULL, id bigint NOT NULL);
ALTER TABLE shapes.measurement_2025_south DROP COLUMN dropped;
ALTER TABLE shapes.measurement_2025 ATTACH PARTITION shapes.measurement_2025_south FOR VALUES IN ('Rome', 'Bari');
CREATE TABLE shapes.measurement_2025_other PARTITION OF shapes.measurement_2025 DEFAULT PARTITION BY HASH (id);
CREATE TABLE shapes.measurement_2025_other_0 PARTITION OF shapes.measurement_2025_other FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE shapes.measurement_2025_other_1 PARTITION OF shapes.measurement_2025_other FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE shapes.measurement_rest PARTITION OF shapes.measurement DEFAULT;
CREATE INDEX measurement_reading ON shapes.measurement (reading);
COMMENT ON TABLE shapes.measurement IS 'Partitioned by day, then by city, then by hash';
INSERT INTO shapes.measurement (taken, city, reading)
SELECT date '2024-01-01' + (g % 1000), (ARRAY['Oslo', 'Bergen', 'Rome', 'Bari', 'Lima', 'Köln'])[1 + g % 6], g * 1.25
FROM generate_series(1, 600) g;

-- Inheritance -------------------------------------------------------------------------------------------------------
CREATE TABLE shapes.animal (name text NOT NULL, legs integer DEFAULT 4, CONSTRAINT legs_make_sense CHECK (legs >= 0));
CREATE TABLE shapes.dog (legs integer DEFAULT 4, breed text, name text NOT NULL, CONSTRAINT legs_make_sense CHECK (legs >= 0));
ALTER TABLE shapes.dog INHERIT shapes.animal;
CREATE TABLE shapes.swimmer (depth numeric);
CREATE TABLE shapes.newfoundland (weight integer) INHERITS (shapes.dog, shapes.swimmer);
INSERT INTO shapes.animal VALUES ('snail', 0), ('cat', 4);
INSERT INTO shapes.dog (name, legs, breed) VALUES ('Rex', 4, 'collie'), ('Tripod', 3, NULL);
INSERT INTO shapes.newfoundland (name, breed, weight, depth) VALUES ('Bo', 'newfoundland', 60, 2.5);

-- Columns of every kind ---------------------------------------------------------------------------------------------
CREATE TABLE shapes.product (
  id serial PRIMARY KEY,
  small_id smallserial,
  public_id uuid NOT NULL DEFAULT extensions.gen_random_uuid(),
  name extensions.citext NOT NULL UNIQUE,
  net numeric(10, 2) NOT NULL,
  gross numeric(10, 2) GENERATED ALWAYS AS (net * 1.19) STORED,
  amount shapes.positive,
  mood shapes.mood DEFAULT 'ok',
  sold_from shapes.address,
  contact shapes.email,
  labels shapes.tags,
  attributes extensions.hstore,
  gone text,
  search tsvector GENERATED ALWAYS AS (to_tsvector('pg_catalog.english', name::text)) STORED
);
ALTER TABLE shapes.product DROP COLUMN gone;
ALTER TABLE shapes.product ADD COLUMN later text DEFAULT 'filled without a rewrite' NOT NULL;
INSERT INTO shapes.product (public_id, name, net, amount, mood, sold_from, contact, labels, attributes)
SELECT encode(extensions.digest(g::text, 'md5'), 'hex')::uuid, 'Product ' || g, g * 0.99, g, (enum_range(NULL::shapes.mood))[1 + g % 4],
       ROW('Main "street", ' || g, g, NULL)::shapes.address, 'p' || g || '@example.org', ARRAY['a' || g, NULL, 'c,d'],
       extensions.hstore('colour', CASE WHEN g % 3 = 0 THEN NULL ELSE 'c' || g END)
FROM (SELECT g FROM generate_series(1, 100) g) s;
-- Rows of other widths, so that a faithful restore has them in another physical order.
UPDATE shapes.product SET later = repeat('wide ', id) WHERE id % 3 = 0;
DELETE FROM shapes.product WHERE id % 10 = 0;

CREATE TABLE shapes.every_type (
  id integer GENERATED BY DEFAULT AS IDENTITY (START WITH 100 INCREMENT BY 10) PRIMARY KEY,
  a_bool boolean, a_small smallint, a_big bigint, a_real real, a_double double precision, a_numeric numeric,
  a_money money, a_char character(5), a_varchar varchar(20), a_text text, a_bytea bytea, a_name name,
  a_date date, a_time time, a_timetz timetz, a_timestamp timestamp, a_timestamptz timestamptz(3), an_interval interval,
  an_inet inet, a_cidr cidr, a_mac macaddr, a_bit bit(4), a_varbit bit varying, a_point point, a_box box, a_polygon polygon,
  a_json json, a_jsonb jsonb, a_xml xml, a_tsvector tsvector, a_tsquery tsquery, an_int_range int4range, a_ts_range tstzrange,
  a_float_range shapes.float_range, an_array integer[], a_matrix text[][], an_address_list shapes.address[], a_class regclass, an_lsn pg_lsn
);
INSERT INTO shapes.every_type DEFAULT VALUES;
INSERT INTO shapes.every_type (
  a_bool, a_small, a_big, a_real, a_double, a_numeric, a_money, a_char, a_varchar, a_text, a_bytea, a_name, a_date, a_time, a_timetz,
  a_timestamp, a_timestamptz, an_interval, an_inet, a_cidr, a_mac, a_bit, a_varbit, a_point, a_box, a_polygon, a_json, a_jsonb, a_xml,
  a_tsvector, a_tsquery, an_int_range, a_ts_range, a_float_range, an_array, a_matrix, an_address_list, a_class, an_lsn)
SELECT g % 2 = 0, g, g * 4611686018427387, g / 3.0, g / 7.0, (g || '.' || repeat('3', g))::numeric, g::money, 'c' || g, 'v' || g, 'text ' || g,
  decode(md5(g::text), 'hex'), 'n' || g, date '2024-02-28' + g, time '10:00' + g * interval '1 second', '10:00:00+02', timestamp '2024-06-30 23:59:59.123456' + g * interval '1 hour',
  timestamptz '2025-03-30 00:30:00+00' + g * interval '30 minutes', g * interval '1 year 2 mons 3 days 04:05:06.7', '10.0.0.1/24', '10.1.0.0/16', '08:00:2b:01:02:03',
  B'1010', B'101', point(g, -g), box(point(0, 0), point(g, g)), '((0,0),(1,1),(2,0))', '{"b": 1,  "a": [1, 2]}', '{"b": 1,  "a": [1, 2]}', '<a b="c">d</a>',
  to_tsvector('pg_catalog.english', 'the quick fox ' || g), 'fox & !dog', int4range(1, g + 1), tstzrange('2025-01-01 00:00+00', NULL), shapes.float_range(0.5, g + 0.25),
  ARRAY[1, NULL, g], ARRAY[['a', 'b'], ['c', 'NULL']], ARRAY[ROW('s', g, 'z')::shapes.address], 'shapes.product', '16/B374D848'
FROM generate_series(1, 20) g;

CREATE TABLE shapes.typed OF shapes.address (number WITH OPTIONS NOT NULL DEFAULT 7);
INSERT INTO shapes.typed VALUES ('Elm', 1, 'x'), ('Oak', 2, NULL);
CREATE TABLE shapes.no_columns ();
INSERT INTO shapes.no_columns SELECT FROM generate_series(1, 3);
CREATE TABLE shapes.no_columns_no_rows ();
CREATE TABLE shapes.all_dropped (a integer);
INSERT INTO shapes.all_dropped VALUES (1), (2);
ALTER TABLE shapes.all_dropped DROP COLUMN a;
CREATE TABLE shapes.empty_table (id integer PRIMARY KEY, note text);
CREATE TABLE shapes.only_generated (g integer GENERATED ALWAYS AS (42) STORED);
INSERT INTO shapes.only_generated DEFAULT VALUES;
CREATE UNLOGGED TABLE shapes.cache (key text PRIMARY KEY, value bytea);
INSERT INTO shapes.cache SELECT 'k' || g, decode(repeat(md5(g::text), 20), 'hex') FROM generate_series(1, 30) g;
ALTER TABLE shapes.cache ALTER COLUMN value SET STORAGE EXTERNAL;
ALTER TABLE shapes.cache SET (fillfactor = 70, autovacuum_enabled = false);

-- Constraints -------------------------------------------------------------------------------------------------------
CREATE TABLE shapes.booking (
  room integer NOT NULL, during tstzrange NOT NULL, guest text COLLATE shapes.phonebook,
  CONSTRAINT no_overlap EXCLUDE USING gist (room WITH =, during WITH &&) DEFERRABLE INITIALLY DEFERRED
);
INSERT INTO shapes.booking
SELECT g % 5, tstzrange(timestamptz '2025-01-01 00:00+00' + g * interval '1 day', timestamptz '2025-01-02 00:00+00' + g * interval '1 day'), 'Gast Ä' || g
FROM generate_series(1, 50) g;
CREATE TABLE shapes.country (id integer PRIMARY KEY, name text COLLATE shapes.no_case UNIQUE, capital integer NOT NULL);
CREATE TABLE shapes.city (id integer PRIMARY KEY, name text, country integer NOT NULL REFERENCES shapes.country DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE shapes.country ADD CONSTRAINT capital_is_city FOREIGN KEY (capital) REFERENCES shapes.city ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED;
INSERT INTO shapes.country VALUES (1, 'Norway', 10), (2, 'Italy', 20);
INSERT INTO shapes.city VALUES (10, 'Oslo', 1), (20, 'Rome', 2), (21, 'Bari', 2);
CREATE TABLE shapes.employee (id integer PRIMARY KEY, boss integer REFERENCES shapes.employee, name varchar(20) CHECK (name IN ('Ann', 'Bob', 'Cy') AND length(name) < 10 AND name <> ''));
INSERT INTO shapes.employee VALUES (3, NULL, 'Ann'), (1, 3, 'Bob'), (2, 1, 'Cy');
ALTER TABLE shapes.employee ADD CONSTRAINT unchecked CHECK (id < 1000) NOT VALID;
COMMENT ON CONSTRAINT unchecked ON shapes.employee IS 'Not checked for old rows';
ALTER TABLE shapes.employee REPLICA IDENTITY FULL;

-- Indexes and statistics --------------------------------------------------------------------------------------------
CREATE INDEX product_lower ON shapes.product (lower(name::text) text_pattern_ops) WHERE net > 1;
CREATE INDEX product_cover ON shapes.product (net DESC NULLS LAST) INCLUDE (gross) WITH (fillfactor = 80);
CREATE INDEX product_trigrams ON shapes.product USING gin (later extensions.gin_trgm_ops);
CREATE INDEX product_search ON shapes.product USING gin (search);
CREATE INDEX product_hash ON shapes.product USING hash (public_id);
CREATE INDEX product_brin ON shapes.product USING brin (id);
CREATE INDEX product_backwards ON shapes.product (id shapes.backwards_ops);
CREATE INDEX product_expression ON shapes.product ((net + 1));
ALTER INDEX shapes.product_expression ALTER COLUMN 1 SET STATISTICS 500;
ALTER TABLE shapes.product CLUSTER ON product_pkey;
ALTER TABLE shapes.product ALTER COLUMN net SET STATISTICS 200;
COMMENT ON INDEX shapes.product_cover IS 'Covers gross';
CREATE STATISTICS shapes.product_statistics (dependencies, ndistinct) ON net, amount FROM shapes.product;
COMMENT ON STATISTICS shapes.product_statistics IS 'They move together';

-- Sequences ---------------------------------------------------------------------------------------------------------
CREATE SEQUENCE shapes.cycling AS smallint MINVALUE 1 MAXVALUE 3 CYCLE;
SELECT nextval('shapes.cycling') FROM generate_series(1, 5);
CREATE SEQUENCE shapes.descending INCREMENT BY -5 MAXVALUE 100 MINVALUE -1000000 START WITH 100 CACHE 10;
SELECT nextval('shapes.descending') FROM generate_series(1, 3);
CREATE SEQUENCE shapes.at_the_end;
SELECT setval('shapes.at_the_end', 9223372036854775807);
CREATE SEQUENCE shapes.at_the_bottom INCREMENT BY -1 MINVALUE -9223372036854775808;
SELECT setval('shapes.at_the_bottom', -9223372036854775808);
CREATE SEQUENCE shapes.never_called START WITH 77;
CREATE SEQUENCE shapes.not_called_since;
SELECT setval('shapes.not_called_since', 5, false);
CREATE SEQUENCE shapes.owned OWNED BY shapes.employee.id;
COMMENT ON SEQUENCE shapes.cycling IS 'Round and round';

-- Views -------------------------------------------------------------------------------------------------------------
CREATE VIEW shapes.cheap AS SELECT id, name, net FROM shapes.product WHERE net < 50 WITH LOCAL CHECK OPTION;
CREATE VIEW shapes.cheapest (identity, price) WITH (security_barrier) AS SELECT id, net FROM shapes.cheap WHERE net < 5;
CREATE RECURSIVE VIEW shapes.chain (id, depth) AS
  SELECT id, 0 FROM shapes.employee WHERE boss IS NULL UNION ALL SELECT e.id, c.depth + 1 FROM shapes.employee e JOIN chain c ON e.boss = c.id;
CREATE MATERIALIZED VIEW shapes.by_mood AS SELECT mood, count(*) AS products FROM shapes.product GROUP BY mood;
CREATE UNIQUE INDEX by_mood_key ON shapes.by_mood (mood);
CREATE MATERIALIZED VIEW shapes.of_view AS SELECT sum(products) AS total FROM shapes.by_mood;
CREATE MATERIALIZED VIEW shapes.unpopulated AS SELECT * FROM shapes.cheapest WITH NO DATA;
CREATE VIEW shapes.grouped_by_key AS SELECT id, name, later FROM shapes.product GROUP BY id;
COMMENT ON VIEW shapes.cheap IS 'Below 50';
COMMENT ON COLUMN shapes.cheap.net IS 'Before tax';
COMMENT ON MATERIALIZED VIEW shapes.by_mood IS 'Counted';

-- The deferred constraints are checked here, before their tables are altered again.
COMMIT;
BEGIN;
-- Triggers and rules ------------------------------------------------------------------------------------------------
CREATE TABLE shapes.audit (id bigserial PRIMARY KEY, what text NOT NULL, at timestamptz NOT NULL DEFAULT '2025-01-01 00:00+00');
CREATE FUNCTION shapes.note_change() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN INSERT INTO shapes.audit (what) VALUES (TG_TABLE_NAME || ' ' || TG_OP); RETURN NULL; END$$;
CREATE TRIGGER note AFTER INSERT OR UPDATE OF name, net ON shapes.product FOR EACH ROW EXECUTE FUNCTION shapes.note_change();
CREATE TRIGGER note_statement AFTER DELETE ON shapes.product REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION shapes.note_change();
CREATE TRIGGER note_partitions AFTER INSERT ON shapes.measurement FOR EACH ROW WHEN (NEW.reading > 100000) EXECUTE FUNCTION shapes.note_change();
CREATE CONSTRAINT TRIGGER note_late AFTER INSERT ON shapes.city DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION shapes.note_change();
CREATE TRIGGER switched_off BEFORE INSERT ON shapes.employee FOR EACH STATEMENT EXECUTE FUNCTION suppress_redundant_updates_trigger();
ALTER TABLE shapes.employee DISABLE TRIGGER switched_off;
ALTER TABLE shapes.city ENABLE ALWAYS TRIGGER note_late;
COMMENT ON TRIGGER note ON shapes.product IS 'Notes';
CREATE RULE also_note AS ON UPDATE TO shapes.empty_table DO ALSO INSERT INTO shapes.audit (what) VALUES ('rule');
CREATE RULE cheap_delete AS ON DELETE TO shapes.cheapest DO INSTEAD NOTHING;
COMMENT ON RULE also_note ON shapes.empty_table IS 'Noted by a rule';
UPDATE shapes.product SET net = net + 0.01 WHERE id < 5;

-- Policies, owners, privileges --------------------------------------------------------------------------------------
CREATE TABLE shapes.secret_note (id integer PRIMARY KEY, owner name NOT NULL DEFAULT current_user, note text);
INSERT INTO shapes.secret_note VALUES (1, 'shapes_owner', 'mine'), (2, 'shapes_reader', 'yours');
ALTER TABLE shapes.secret_note ENABLE ROW LEVEL SECURITY;
ALTER TABLE shapes.secret_note FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON shapes.secret_note FOR ALL TO shapes_reader USING (owner = current_user) WITH CHECK (owner = current_user AND note <> '');
CREATE POLICY only_read ON shapes.secret_note AS RESTRICTIVE FOR SELECT TO PUBLIC USING (id > 0);
COMMENT ON POLICY own_rows ON shapes.secret_note IS 'Own rows only';
GRANT USAGE ON SCHEMA shapes TO shapes_reader;
GRANT SELECT ON shapes.product, shapes.cheap TO shapes_reader WITH GRANT OPTION;
GRANT SELECT (id, name), UPDATE (name) ON shapes.employee TO shapes_reader;
GRANT USAGE ON SEQUENCE shapes.cycling TO shapes_reader;
GRANT USAGE ON TYPE shapes.mood TO shapes_reader;
REVOKE EXECUTE ON FUNCTION shapes.twice(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shapes.twice(integer) TO shapes_reader;
ALTER TABLE shapes.booking OWNER TO shapes_owner;
GRANT CREATE ON SCHEMA shapes TO shapes_owner;
ALTER FUNCTION shapes.twice(text) OWNER TO shapes_owner;
ALTER DEFAULT PRIVILEGES FOR ROLE shapes_owner IN SCHEMA shapes GRANT SELECT ON TABLES TO shapes_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE shapes_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
COMMENT ON TABLE shapes.product IS E'Things to sell\nover two lines';
COMMENT ON COLUMN shapes.product.gross IS 'With tax; computed';

-- Large objects -----------------------------------------------------------------------------------------------------
SELECT lo_from_bytea(910001, 'a small one');
SELECT lo_from_bytea(910002, decode(repeat('00ff5c0a0d27', 100000), 'hex'));
SELECT lo_from_bytea(910003, '');
SELECT lo_from_bytea(910004, convert_to(E'COPY public.x FROM stdin;\n1\n\\.\n', 'UTF8'));
COMMENT ON LARGE OBJECT 910001 IS 'With a comment';
GRANT SELECT ON LARGE OBJECT 910001 TO shapes_reader;
ALTER LARGE OBJECT 910002 OWNER TO shapes_owner;
CREATE TABLE shapes.attachment (name text PRIMARY KEY, content oid);
INSERT INTO shapes.attachment VALUES ('first', 910001), ('second', 910002);

-- Outside -----------------------------------------------------------------------------------------------------------
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'db.invalid', dbname 'nowhere');
CREATE USER MAPPING FOR shapes_reader SERVER elsewhere OPTIONS (user 'reader');
CREATE FOREIGN TABLE shapes.far_away (id integer OPTIONS (column_name 'far_id'), note text) SERVER elsewhere OPTIONS (table_name 'far');
COMMENT ON FOREIGN TABLE shapes.far_away IS 'Not ours';
CREATE PUBLICATION some_changes FOR TABLE shapes.product, shapes.employee WITH (publish = 'insert, update');
CREATE PUBLICATION all_changes FOR ALL TABLES;
COMMENT ON PUBLICATION some_changes IS 'Two tables';
CREATE FUNCTION shapes.watch_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER watch ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION shapes.watch_ddl();
ALTER EVENT TRIGGER watch ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER watch IS 'Watches';
CREATE EVENT TRIGGER watch_not ON sql_drop EXECUTE FUNCTION shapes.watch_ddl();
ALTER EVENT TRIGGER watch_not DISABLE;
COMMIT;
