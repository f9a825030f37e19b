/** The fingerprint of a restore's plan: what makes it another one, and what does not. */
import { describe, expect, test } from 'vitest';
import {
  fingerprintOfParts,
  isPlanFingerprint,
  type PlanFacts,
  type PlanPart,
  planMark,
} from '../../src/domain/plan-fingerprint.ts';
import type { TocEntry } from '../../src/domain/toc.ts';

const entry = (dumpId: number): TocEntry => ({
  dumpId,
  type: 'TABLE',
  name: `t${dumpId}`,
  owner: 'shop',
  dependencies: [],
  line: `${dumpId}; …`,
});

const DROP = {
  before: ['DROP SCHEMA public CASCADE'],
  within: ['table public.orders', 'table public.items'],
  keptSchemas: ['audit'],
  keptExtensions: [],
};

const FACTS: PlanFacts = {
  backup: { id: '20261121_020000_nightly_k3v9qa', series: 'shop', sha256: 'ab'.repeat(32) },
  target: { fingerprint: 'db.acme.com/shop', source: { fingerprint: 'cd'.repeat(32), kind: 'system' } },
  strategy: { strategy: 'in-place', database: 'shop', targetIsEmpty: false },
  inputs: {
    schemas: [],
    tables: ['public.orders', 'public.items'],
    criticalTables: [],
    owner: 'keep',
    privileges: 'keep',
    createRoles: false,
    acceptPartial: false,
    safetyBackup: true,
    pauseWrites: true,
  },
  entries: {
    restored: [entry(1), entry(2)],
    leftOut: [{ what: 'SUBSCRIPTION feed', why: 'a copy' }],
    rolesToCreate: [],
  },
  drop: DROP,
};

type Change = (facts: PlanFacts) => PlanFacts;
const inputs =
  (over: Partial<PlanFacts['inputs']>): Change =>
  (facts) => ({
    ...facts,
    inputs: { ...facts.inputs, ...over },
  });
const strategy =
  (over: Partial<PlanFacts['strategy']>): Change =>
  (facts) => ({
    ...facts,
    strategy: { ...facts.strategy, ...over },
  });
const create = (sql: string) => ({ name: 'shop_restored', sql, mark: 'by run 1' });

const CHANGES: readonly [string, PlanPart, Change][] = [
  ['another backup', 'backup', (facts) => ({ ...facts, backup: { ...facts.backup, id: 'x' } })],
  ['another series', 'backup', (facts) => ({ ...facts, backup: { ...facts.backup, series: 'x' } })],
  ['other bytes under the same name', 'backup', (facts) => ({ ...facts, backup: { ...facts.backup, sha256: 'x' } })],
  ['another host', 'target', (facts) => ({ ...facts, target: { ...facts.target, fingerprint: 'x/shop' } })],
  [
    'another server behind the same host',
    'target',
    (facts) => ({ ...facts, target: { ...facts.target, source: { fingerprint: 'x', kind: 'system' } } }),
  ],
  ['another database', 'target', strategy({ database: 'shop2' })],
  ['another name for the former one', 'target', strategy({ former: 'shop_before' })],
  ['another locale', 'target', strategy({ create: create('CREATE DATABASE …') })],
  ['another strategy', 'inputs', strategy({ strategy: 'swap' })],
  ['other schemas', 'inputs', inputs({ schemas: ['public'] })],
  ['other tables', 'inputs', inputs({ tables: ['public.orders'] })],
  ['other critical tables', 'inputs', inputs({ criticalTables: ['public.orders'] })],
  ['other owners', 'inputs', inputs({ owner: 'drop' })],
  ['other rights', 'inputs', inputs({ privileges: 'drop' })],
  ['roles that are made', 'inputs', inputs({ createRoles: true })],
  ['a partial verdict that would do', 'inputs', inputs({ acceptPartial: true })],
  ['no safety backup', 'inputs', inputs({ safetyBackup: false })],
  ['no pause', 'inputs', inputs({ pauseWrites: false })],
  ['SQL after it', 'inputs', inputs({ afterRestoreSql: 'DELETE FROM customers' })],
  ['a command after it', 'inputs', inputs({ afterRestoreCommand: 'curl evil' })],
  [
    'an entry less',
    'entries',
    ({ entries: _, ...facts }) => ({ ...facts, entries: { restored: [entry(1)], leftOut: [], rolesToCreate: [] } }),
  ],
  ['no list of entries', 'entries', ({ entries: _, ...facts }) => facts],
  ['another statement that drops', 'drops', (facts) => ({ ...facts, drop: { ...DROP, before: ['DROP TABLE x'] } })],
  [
    'another table in a schema that goes',
    'drops',
    (facts) => ({ ...facts, drop: { ...DROP, within: [...DROP.within, 'table public.since_then'] } }),
  ],
  ['a schema that does not stay', 'drops', (facts) => ({ ...facts, drop: { ...DROP, keptSchemas: [] } })],
  ['a target that became empty', 'drops', strategy({ targetIsEmpty: true })],
];

describe('The fingerprint of a plan', () => {
  const { fingerprint, parts } = planMark(FACTS);

  test('has 12 hexadecimal digits, and so has each of its parts', () => {
    for (const each of [fingerprint, ...Object.values(parts)]) expect(isPlanFingerprint(each), each).toBe(true);
    expect(fingerprintOfParts(parts)).toBe(fingerprint);
    for (const wrong of ['', fingerprint.slice(1), `${fingerprint}0`, 'shop/xxxxxxxx', fingerprint.toUpperCase()])
      expect(isPlanFingerprint(wrong) && wrong !== fingerprint).toBe(false);
  });

  test.each(CHANGES)('is another one for %s, by its part %s', (_what, part, change) => {
    const other = planMark(change(FACTS));
    expect(other.fingerprint).not.toBe(fingerprint);
    expect(other.parts[part]).not.toBe(parts[part]);
    // A strategy says what is emptied, too.
    const rest = Object.keys(parts).filter((each) => each !== part && each !== 'drops') as PlanPart[];
    for (const each of rest) expect(other.parts[each], each).toBe(parts[each]);
  });

  test('is the same whatever order patterns and fields come in, and whichever run makes it', () => {
    const turned = Object.fromEntries(Object.entries(FACTS).reverse()) as unknown as PlanFacts;
    expect(planMark({ ...turned, inputs: { ...FACTS.inputs, tables: [...FACTS.inputs.tables].reverse() } })).toEqual({
      fingerprint,
      parts,
    });
    const made = strategy({ strategy: 'swap', create: create('CREATE DATABASE …') })(FACTS);
    const again = strategy({ create: { ...create('CREATE DATABASE …'), mark: 'by run 2' } })(made);
    expect(planMark(again)).toEqual(planMark(made));
  });

  test('of a new database is the same whatever is in the one beside it', () => {
    const beside = strategy({ strategy: 'new-database', targetIsEmpty: false })(FACTS);
    expect(planMark(strategy({ targetIsEmpty: true })(beside))).toEqual(planMark(beside));
  });
});
