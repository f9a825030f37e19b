/** Of many tables one is worded otherwise after a restore: no more than that is restored twice, and nothing escapes. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CheckId } from '../../src/domain/checks.ts';
import { describeIf } from '../support/availability.ts';
import { type Clients, clientTools } from '../support/clients.ts';
import { loadManyTables } from '../support/databases/index.ts';
import { availableMajors, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { type BenchBackup, backUpInto, checkOf, doubts, prove, restoreTo } from '../support/restored-proof-bench.ts';
import { recordingLog } from '../support/silent-log.ts';

const MAJOR = 17;
const TABLES = 60;
const clients = await clientTools(MAJOR);
const servers = availableMajors().includes(MAJOR) || { skipped: `no server of major ${MAJOR}` };

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

describeIf(servers === true && 'skipped' in clients ? clients : servers, 'a reference of a part', () => {
  const tools = clients as Clients;
  let source: PostgresServer;
  let target: PostgresServer;
  let folder: string;
  let backup: BenchBackup;
  let copies = 0;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'reference-part-'));
    [source, target] = await Promise.all([startPostgres({ major: MAJOR }), startPostgres({ major: MAJOR })]);
    await loadManyTables(source, 'many', TABLES);
    await source.query(ODD_ONE, 'many');
    backup = await backUpInto(folder, source, tools, 'many');
    await restoreTo(target, tools, backup, 'restored');
  });

  afterAll(async () => {
    await Promise.all([source?.stop(), target?.stop()]);
    await rm(folder, { recursive: true, force: true });
  });

  /** The proof of a copy of the restored database after `sql`, and how many entries each reference was made of. */
  async function proveAfter(sql: string) {
    copies += 1;
    const database = `copy_${copies}`;
    await target.createDatabase(database, 'TEMPLATE restored');
    if (sql !== '') await target.query(sql, database);
    const log = recordingLog();
    const proof = await prove(folder, target, tools, backup, database, { log });
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
    expect(references.at(-1)).toBe(backup.plan.restored.length);
  });
});
