-- Since 14.
CREATE FUNCTION shapes.atomic(n integer) RETURNS integer LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT n + 1; SELECT CASE WHEN n > 0 THEN n ELSE 0 END; END;
CREATE FUNCTION shapes.returned(n integer) RETURNS bigint LANGUAGE sql STABLE RETURN (SELECT count(*) FROM shapes.product WHERE id < n);
CREATE PROCEDURE shapes.atomic_insert(note text) LANGUAGE sql BEGIN ATOMIC INSERT INTO shapes.audit (what) VALUES (note); DELETE FROM shapes.audit WHERE what = ''; END;
CREATE TABLE shapes.holidays (who text, away datemultirange, weights shapes.float_multirange);
INSERT INTO shapes.holidays VALUES ('Ann', '{[2025-01-01,2025-01-05), [2025-03-01,2025-03-03)}', '{[0.5,1.5)}'), ('Bob', '{}', NULL);
CREATE STATISTICS shapes.expression_statistics ON (net + 1), (lower(later)) FROM shapes.product;
