/** Of many tables one is worded otherwise after a restore: no more than that is restored twice, and nothing escapes. */
import { expect, test } from 'vitest';
import type { CheckId } from '../../src/domain/checks.ts';
import { loadManyTables } from '../support/databases/index.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { describeRestored } from '../support/restored-copies.ts';
import { checkOf, doubts } from '../support/restored-proof-bench.ts';
import { recordingLog } from '../support/silent-log.ts';

const TABLES = 60;

/** `varchar IN (…)` is printed in other words after each restore. */
const ODD_ONE = `
  CREATE TABLE many.odd (id int PRIMARY KEY, kind varchar(9) CHECK (kind IN ('a', 'b')), at date);
  CREATE INDEX odd_at ON many.odd (at);
  CREATE FUNCTION many.note() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
  CREATE TRIGGER noted BEFORE INSERT ON many.odd FOR EACH ROW EXECUTE FUNCTION many.note();
  CREATE TABLE many.tree (id int, kind varchar(9) CHECK (kind IN ('a', 'b'))) PARTITION BY RANGE (id);
  CREATE TABLE many.tree_1 PARTITION OF many.tree FOR VALUES FROM (1) TO (10);
  CREATE TABLE many.tree_2 PARTITION OF many.tree FOR VALUES FROM (10) TO (20);
  CREATE INDEX ON many.tree (id);`;

const fill = async (source: PostgresServer): Promise<string> => {
  await loadManyTables(source, 'many', TABLES);
  await source.query(ODD_ONE, 'many');
  return 'many';
};

await describeRestored('a reference of a part', fill, (bench) => {
  /** The proof of a copy of the restored database after `sql`, and how many entries each reference was made of. */
  async function proveAfter(sql: string) {
    const log = recordingLog();
    const proof = await bench.proveAfter(sql, { log });
    const references = log.lines.flatMap((line) => {
      const [, count] = /comparing with a restore of ([\d,]+) of/.exec(line) ?? [];
      return count === undefined ? [] : [Number(count.replaceAll(',', ''))];
    });
    return { proof, references };
  }

  test('settles what is worded otherwise with a few entries', async () => {
    const { proof, references } = await proveAfter('');
    expect(doubts(proof)).toEqual([]);
    expect(checkOf(proof, 'definitions').reason).toContain('reference restore');
    expect(references).toHaveLength(1);
    expect(references[0]).toBeLessThan(30);
  });

  test.each<[string, CheckId, RegExp, string]>([
    [
      'the constraint says something else',
      'definitions',
      /TABLE many\.odd: is defined otherwise/,
      `ALTER TABLE many.odd DROP CONSTRAINT odd_kind_check, ADD CONSTRAINT odd_kind_check CHECK (kind IN ('a', 'b', 'c'))`,
    ],
    [
      'the constraint of a partitioned table is gone',
      'definitions',
      /TABLE many\.tree: is defined otherwise/,
      'ALTER TABLE many.tree DROP CONSTRAINT tree_kind_check',
    ],
    [
      'the constraint is not validated',
      'state',
      /constraint odd_kind_check on many\.odd: not validated; in the backup: validated/,
      `ALTER TABLE many.odd DROP CONSTRAINT odd_kind_check; ALTER TABLE many.odd ADD CONSTRAINT odd_kind_check CHECK (kind IN ('a', 'b')) NOT VALID`,
    ],
    [
      'a trigger beside it is off',
      'state',
      /trigger noted on many\.odd: disabled/,
      'ALTER TABLE many.odd DISABLE TRIGGER noted',
    ],
    ['a partition is detached', 'state', /table many\.tree_2/, 'ALTER TABLE many.tree DETACH PARTITION many.tree_2'],
    [
      'a bystander has lost its index',
      'objects',
      /INDEX many\.t7_label_idx: is missing/,
      'DROP INDEX many.t7_label_idx',
    ],
    [
      'a bystander has another default',
      'definitions',
      /TABLE many\.t9: is defined otherwise/,
      `ALTER TABLE many.t9 ALTER label SET DEFAULT 'else'`,
    ],
    [
      'a bystander has a trigger too many',
      'state',
      /trigger extra on many\.t5: enabled; in the backup there is none/,
      'CREATE TRIGGER extra BEFORE INSERT ON many.t5 FOR EACH ROW EXECUTE FUNCTION many.note()',
    ],
    [
      'something is there that no entry knows',
      'objects',
      /TABLE many\.stranger: is in the restored database and not/,
      'CREATE TABLE many.stranger (id int)',
    ],
  ])('condemns by everything when %s', async (_what, id, words, sql) => {
    const { proof, references } = await proveAfter(sql);
    const check = checkOf(proof, id);
    expect(check.status).toBe('failed');
    expect(check.details.join('\n')).toMatch(words);
    // At the last one everything was compared: what is told is told of all.
    expect(references.at(-1)).toBe(bench.backup.plan.restored.length);
  });
});
