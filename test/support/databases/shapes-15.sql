-- Since 15.
CREATE TABLE shapes.null_once (a integer, b text, UNIQUE NULLS NOT DISTINCT (a, b));
INSERT INTO shapes.null_once VALUES (1, NULL), (NULL, NULL);
CREATE VIEW shapes.as_invoker WITH (security_invoker = true) AS SELECT * FROM shapes.secret_note;
CREATE PUBLICATION some_rows FOR TABLE shapes.employee (id, name) WHERE (id > 1);
CREATE PUBLICATION whole_schema FOR TABLES IN SCHEMA empty_schema;
CREATE TABLE shapes.set_null (a integer, b integer, PRIMARY KEY (a, b));
CREATE TABLE shapes.set_null_child (a integer, b integer, FOREIGN KEY (a, b) REFERENCES shapes.set_null ON DELETE SET NULL (b));
