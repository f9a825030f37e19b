-- Names and texts made to fool whatever reads a dump: quotes, line ends, forged headers, COPY statements.
-- Characters that an editor or Git could change are written as U&"\000d".
DO $do$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'awkward -- role "x"') THEN CREATE ROLE "awkward -- role ""x"""; END IF;
EXCEPTION WHEN unique_violation OR duplicate_object THEN NULL;
END
$do$;

CREATE SCHEMA "with space";
CREATE SCHEMA "Quote""d";
CREATE SCHEMA "user";
CREATE SCHEMA "line
break";
CREATE SCHEMA "; DROP SCHEMA public; --";

-- Names -------------------------------------------------------------------------------------------------------------
CREATE TABLE "with space"."a table" ("a column" integer PRIMARY KEY, "b, c" text, "(d)" text, "e""f" text, "g
h" text, U&"i\0009j" text, "k\l" text, "select" text, "é" text, "🐘" text, "$1" text, "--" text, "'" text);
INSERT INTO "with space"."a table" SELECT g, 'b,c', '(d)', 'e"f', E'g\nh', E'i\tj', 'k\l', 'select', 'é', '🐘', '$1', '-- x', '''' FROM generate_series(1, 5) g;
CREATE TABLE "Quote""d"."it's ""quoted""" (id integer, "ID" integer, "Id" text);
INSERT INTO "Quote""d"."it's ""quoted""" VALUES (1, 2, 'three'), (4, 5, 'six');
CREATE TABLE "Quote""d"."IT'S ""QUOTED""" (id integer);
INSERT INTO "Quote""d"."IT'S ""QUOTED""" VALUES (7);
CREATE TABLE "user"."table" ("order" integer, "group" text, "user" text, "default" text);
INSERT INTO "user"."table" VALUES (1, 'group', 'user', 'default');
CREATE TABLE "line
break"."new
line" ("a
b" integer, "c" text);
INSERT INTO "line
break"."new
line" VALUES (1, 'x'), (2, E'y\nz');
CREATE TABLE U&"line\000abreak".U&"crlf\000d\000a" (U&"\000d" integer);
INSERT INTO U&"line\000abreak".U&"crlf\000d\000a" VALUES (1);
CREATE TABLE "; DROP SCHEMA public; --"."; SELECT 1; --" (");" integer, "(" text, ")" text, "(a, b)" text);
INSERT INTO "; DROP SCHEMA public; --"."; SELECT 1; --" VALUES (1, '(', ')', '(a, b)');
CREATE TABLE public."-- a comment" ("/* also */" integer);
INSERT INTO public."-- a comment" VALUES (1);
CREATE TABLE public."/* open" (a integer);
INSERT INTO public."/* open" VALUES (1), (2);
CREATE TABLE public."-- Name: forged; Type: TABLE; Schema: public; Owner: postgres" (a integer);
INSERT INTO public."-- Name: forged; Type: TABLE; Schema: public; Owner: postgres" VALUES (1);
CREATE TABLE public."x
--
-- Data for Name: forged; Type: TABLE DATA
--

COPY p" (a integer);
INSERT INTO public."x
--
-- Data for Name: forged; Type: TABLE DATA
--

COPY p" VALUES (1), (2), (3);
CREATE TABLE public."\." (a text);
INSERT INTO public."\." VALUES ('\.'), ('x');
CREATE TABLE public."COPY public.t (a) FROM stdin;" ("a) FROM stdin;
1
\." integer);
INSERT INTO public."COPY public.t (a) FROM stdin;" VALUES (1);
CREATE TABLE public."$$" ("$x$" text);
INSERT INTO public."$$" VALUES ('$$'), ('$x$');
CREATE TABLE public."E'\'" (a integer);
INSERT INTO public."E'\'" VALUES (1);
CREATE TABLE public."U&""\0041""" (a integer);
CREATE TABLE public.".dotted." ("a.b" integer);
INSERT INTO public.".dotted." VALUES (1);
CREATE TABLE public."pat*tern?[a-z]|(x)+$" (a integer);
INSERT INTO public."pat*tern?[a-z]|(x)+$" VALUES (1);
CREATE TABLE public." " (" " integer);
INSERT INTO public." " VALUES (1);
CREATE TABLE public."🐘🐘 слон 象" ("象" integer, "слон" text);
INSERT INTO public."🐘🐘 слон 象" VALUES (1, 'слон 🐘 象');
-- The same glyphs, composed and decomposed: two tables.
CREATE TABLE public.U&"caf\00e9" (a integer);
INSERT INTO public.U&"caf\00e9" VALUES (1);
CREATE TABLE public.U&"cafe\0301" (a integer);
INSERT INTO public.U&"cafe\0301" VALUES (1), (2);
-- 63 bytes each, the second in two-byte characters.
CREATE TABLE public."nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnend" ("üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüx" integer, id serial);
INSERT INTO public."nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnend" ("üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüx") VALUES (63);
CREATE TABLE public."üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüx" (a integer);
INSERT INTO public."üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüx" VALUES (63), (62);
CREATE TABLE public.stdin (stdin integer, "from" text);
INSERT INTO public.stdin VALUES (1, 'FROM stdin;');
CREATE TABLE public."NULL" ("NULL" text, "true" boolean);
INSERT INTO public."NULL" VALUES (NULL, NULL), ('NULL', true), ('\N', false), ('', false);

CREATE SEQUENCE public."seq'uence ""1""; --";
SELECT nextval('public."seq''uence ""1""; --"') FROM generate_series(1, 3);
CREATE SEQUENCE "line
break"."seq
uence" START WITH 5;
SELECT nextval(E'"line\nbreak"."seq\nuence"');
CREATE TABLE "with space"."default's" (id integer DEFAULT nextval('public."seq''uence ""1""; --"'), note text);
INSERT INTO "with space"."default's" (note) VALUES ('x');
CREATE TYPE "Quote""d"."mo'od" AS ENUM ('it''s', 'a "quote"', 'line
break', 'semi;colon', '\.', '-- x', 'COPY t FROM stdin;', '');
CREATE TABLE "Quote""d".moods (a "Quote""d"."mo'od");
INSERT INTO "Quote""d".moods SELECT unnest(enum_range(NULL::"Quote""d"."mo'od"));
CREATE DOMAIN public."dom;ain" AS text CHECK (VALUE <> 'COPY public.t (a) FROM stdin;');
CREATE VIEW public."vi""ew; --" AS SELECT "a column" AS "x; y", '-- no comment' AS "c--", $q$COPY t FROM stdin;$q$::text AS q FROM "with space"."a table";
CREATE INDEX "in""dex ; --" ON "with space"."a table" ("b, c", ("(d)" || ';'));
ALTER TABLE public.stdin ADD CONSTRAINT "con'straint ""x""; --" CHECK ("from" <> E'\\.\n');
ALTER TABLE public.stdin OWNER TO "awkward -- role ""x""";
GRANT SELECT ON public."NULL" TO "awkward -- role ""x""";

-- Definitions that hold what looks like data ------------------------------------------------------------------------
CREATE TABLE public.trap (
  id integer PRIMARY KEY,
  a text DEFAULT E'x\nCOPY public.forged (a, b) FROM stdin;\n1\t2\n\\.\n',
  b text DEFAULT E'back\\slash ''quote'' \n--\n-- Name: forged; Type: TABLE; Schema: public; Owner: -\n--\n',
  c text DEFAULT $tag$ $$ ; -- $tag$,
  CONSTRAINT forged_check CHECK (a <> 'SELECT pg_catalog.setval(''public.forged_seq'', 99, true);')
);
INSERT INTO public.trap (id) SELECT generate_series(1, 3);
COMMENT ON TABLE public.trap IS 'First line
COPY public.forged (a) FROM stdin;
1
2
\.

--
-- PostgreSQL database dump complete
--

';
COMMENT ON COLUMN public.trap.a IS '''; SELECT ''COPY x FROM stdin;''; --';
COMMENT ON COLUMN public.trap.b IS E'tab\there, backslash \\, \\. and \\\\connect other';
CREATE FUNCTION public.trap_function() RETURNS text LANGUAGE plpgsql AS $_$
BEGIN
  -- COPY public.forged (a) FROM stdin;
  /* nested /* comment */ $$ ' " */
  RETURN 'it''s $$ ' || $$dollar ' quoted$$ || $x$
COPY public.forged (a) FROM stdin;
1
\.
$x$;
END
$_$;
CREATE FUNCTION public."fun""c; --"("arg; 1" integer DEFAULT 1, "b""c" text DEFAULT E'\\.\n;') RETURNS text LANGUAGE sql AS $$
SELECT '$_$' || "b""c";
$$;
CREATE FUNCTION public.single_quoted() RETURNS text LANGUAGE sql AS 'SELECT ''\.
COPY t FROM stdin;''::text';
CREATE VIEW public.trap_view AS SELECT E'\n\\.\nCOPY public.forged (a) FROM stdin;\n1\n\\.\n' AS text, 'a''b\' AS backslash_end;

-- Data --------------------------------------------------------------------------------------------------------------
CREATE TABLE public.texts (id integer PRIMARY KEY, value text);
INSERT INTO public.texts VALUES
  (1, E'tab\there'), (2, E'new\nline'), (3, E'carriage\rreturn'), (4, E'both\r\n'), (5, '\.'), (6, E'\n\\.\n'), (7, '\N'), (8, ''), (9, NULL),
  (10, '\\'), (11, '\x00'), (12, '\000'), (13, '\u0000'), (14, E'\b\f\v\x01\x1f\x7f'), (15, '\'), (16, E'ends with backslash\\'),
  (17, 'COPY public.forged (a) FROM stdin;'), (18, E'1\t2\n\\.\n\nCOPY public.texts (id, value) FROM stdin;\n99\tforged\n\\.\n'),
  (19, '-- Name: forged; Type: TABLE; Schema: public; Owner: postgres'), (20, '\restrict abc'), (21, '\connect other'), (22, '\! echo no'),
  (23, '🐘 слон 象 ' || chr(8232) || chr(133) || chr(160) || chr(65279)), (24, repeat('x', 100000)), (25, repeat(E'\\\n\t', 20000)), (26, 'trailing space '),
  (27, ' '), (28, '"quoted"'), (29, '''single'''), (30, '$$'), (31, 'SELECT pg_catalog.setval(''public.forged'', 5, true);'), (32, E'\\\\.'), (33, E'a\\.\n\\.b');
CREATE TABLE public.first_column_dot (value text);
INSERT INTO public.first_column_dot VALUES ('\.'), ('.'), (''), (NULL), ('\\.'), (E'\\.\n'), ('--'), ('COPY');
CREATE TABLE public.one_null (a text);
INSERT INTO public.one_null VALUES (NULL);
CREATE TABLE public.one_empty (a text);
INSERT INTO public.one_empty VALUES ('');
CREATE TABLE public.duplicates (a integer, b text);
INSERT INTO public.duplicates SELECT 1, 'same' FROM generate_series(1, 1000);
CREATE TABLE public.numbers (id serial, n numeric, d double precision, r real, b bigint);
INSERT INTO public.numbers (n, d, r, b) VALUES
  ('NaN', 'NaN', 'NaN', 9223372036854775807), (NULL, 'Infinity', '-Infinity', -9223372036854775808), (repeat('9', 1000)::numeric, 1e308, 3.4e38, 0),
  (('0.' || repeat('0', 500) || '1')::numeric, 5e-324, 1e-45, -1), (-0.0, '-0', '-0', 1), (0.000, 0.1, 0.1, 9007199254740993), (1e131071, 1 / 3::float8, 1 / 3::real, NULL),
  (100::numeric(20, 10), 123456789012345678, 16777217, NULL);
CREATE TABLE public.times (id serial, d date, t timestamp, z timestamptz, i interval, c time, cz timetz);
INSERT INTO public.times (d, t, z, i, c, cz) VALUES
  ('4713-01-01 BC', '4713-01-01 00:00:00 BC', '0044-03-15 12:00:00+00 BC', '-178000000 years', '00:00', '00:00+15:59'),
  ('infinity', 'infinity', '-infinity', '1 mon -1 days +00:00:00.000001', '24:00:00', '23:59:59.999999-15:59'),
  ('-infinity', '-infinity', 'infinity', '0', '12:34:56.7', '12:00+02'),
  ('5874897-12-31', '294276-12-31 23:59:59.999999', '1883-11-18 12:03:58-04:56:02', '178000000 years', NULL, NULL),
  ('0001-01-01', '1582-10-10', '2025-10-26 01:30:00+00', '-2 years 3 mons -4 days 05:06:07.8', NULL, NULL);
CREATE TABLE public.bytes (id serial, b bytea);
INSERT INTO public.bytes (b) SELECT decode(lpad(to_hex(g), 2, '0'), 'hex') FROM generate_series(0, 255) g;
INSERT INTO public.bytes (b) VALUES (''), (NULL), (decode('5c2e0a', 'hex')), (decode(repeat('00', 10000), 'hex'));
CREATE TABLE public.nested (a text[], b text[][], j json, jb jsonb, c public."dom;ain"[]);
INSERT INTO public.nested VALUES
  (ARRAY['a,b', '"', '\', '{}', 'NULL', NULL, '', E'\n', E'\t', ' x '], ARRAY[['\.', E'\\\n'], ['{', '}']], E'{"a" : "\\\\.",\n\t"a": 1}', '{"\"": "\\.", "n": 1e400, "u": "\u00e9\u2028"}', ARRAY['x;y']),
  ('{}', '[5:6][-1:0]={{a,b},{c,d}}', 'null', '"\\N"', NULL);
SELECT lo_from_bytea(920001, convert_to(E'\\.\nCOPY public.forged FROM stdin;\n'');', 'UTF8'));
COMMENT ON LARGE OBJECT 920001 IS E'It''s\nCOPY public.forged FROM stdin;\n\\.';
