-- Since 18.
CREATE TABLE shapes.virtual_columns (a integer, doubled integer GENERATED ALWAYS AS (a * 2) VIRTUAL, b text);
INSERT INTO shapes.virtual_columns (a, b) SELECT g, 'b' || g FROM generate_series(1, 10) g;
CREATE TABLE shapes.temporal (id integer, valid daterange, PRIMARY KEY (id, valid WITHOUT OVERLAPS));
INSERT INTO shapes.temporal VALUES (1, '[2025-01-01,2025-02-01)'), (1, '[2025-02-01,2025-03-01)');
CREATE TABLE shapes.temporal_child (id integer, valid daterange, FOREIGN KEY (id, PERIOD valid) REFERENCES shapes.temporal (id, PERIOD valid));
CREATE TABLE shapes.late_not_null (a integer);
INSERT INTO shapes.late_not_null VALUES (NULL), (1);
ALTER TABLE shapes.late_not_null ADD CONSTRAINT a_is_there NOT NULL a NOT VALID;
CREATE TABLE shapes.not_enforced (a integer CONSTRAINT hoped CHECK (a > 0) NOT ENFORCED);
INSERT INTO shapes.not_enforced VALUES (-1);
