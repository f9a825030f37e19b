import { describe, expect, test } from 'vitest';
import {
  type CatalogObject,
  chooseDrops,
  type Dependent,
  type DropFacts,
  type DropInput,
  planDrops,
} from '../../src/domain/drop-plan.ts';
import type { TocEntry } from '../../src/domain/toc.ts';

let objid = 0;
const object = (type: string, identity: string, over: Partial<CatalogObject> = {}): CatalogObject => {
  const [schema, name] = identity.includes('.') ? identity.split('.') : [undefined, identity];
  objid += 1;
  return {
    classid: 1,
    objid,
    type,
    identity,
    mine: true,
    ...(schema === undefined ? {} : { schema }),
    name: name as string,
    ...over,
  };
};
const entry = (type: string, name: string, schema?: string): TocEntry => ({
  dumpId: 1,
  type,
  name,
  owner: 'postgres',
  dependencies: [],
  line: '',
  ...(schema === undefined ? {} : { schema }),
});
const FACTS: DropFacts = {
  major: 17,
  schemas: [object('schema', 'public'), object('schema', 'a'), object('schema', 'b')],
  objects: [
    object('table', 'a.t'),
    object('table', 'a.other'),
    object('function', 'a.f(integer)'),
    object('table', 'public.p'),
  ],
  extensions: [],
  global: [],
  largeObjects: { total: 0, mine: 0 },
  lockSlots: 6400,
};

/** Schema a with all that is in it. */
const WHOLE_A = [entry('SCHEMA', 'a'), entry('TABLE', 't', 'a'), entry('TABLE', 'other', 'a')];

function plan(
  restored: readonly TocEntry[],
  facts: Partial<DropFacts> = {},
  over: Partial<DropInput> = {},
  outside: Dependent[] = [],
  gone = 0,
) {
  const all = { ...FACTS, ...facts };
  const input = { restored, onlyTables: false, createsPublic: false, managedSchemas: [], ...over };
  const { before, ...rest } = planDrops(all, input, chooseDrops(all, input), outside, gone);
  return {
    ...rest,
    drops: before.slice(1, -1),
    codes: rest.findings.map(({ code, severity }) => `${severity} ${code}`),
  };
}

describe('what goes before a restore in place', () => {
  test('are the schemas that the archive creates, and public, which it takes for granted', () => {
    const restored = [entry('SCHEMA', 'a'), entry('TABLE', 't', 'a'), entry('TABLE', 'p', 'public')];
    expect(plan(restored).drops).toEqual([
      'DROP SCHEMA public, a CASCADE',
      'CREATE SCHEMA public AUTHORIZATION pg_database_owner',
      'GRANT USAGE ON SCHEMA public TO PUBLIC',
      "COMMENT ON SCHEMA public IS 'standard public schema'",
    ]);
    expect(plan([...restored, entry('SCHEMA', 'public')], {}, { createsPublic: true }).drops).toEqual([
      'DROP SCHEMA public, a CASCADE',
    ]);
    expect(plan([entry('SCHEMA', 'a')]).drops).toEqual(['DROP SCHEMA a CASCADE']);
    expect(plan([entry('SCHEMA', 'gone')]).drops).toEqual([]);
  });

  test('is what is in public, one by one, below 15, where its rights come with initdb', () => {
    const made = plan([entry('TABLE', 'p', 'public')], { major: 14 });
    expect(made.drops).toEqual(['DROP TABLE IF EXISTS public.p CASCADE']);
    expect(made.keptSchemas).toEqual(['public']);
    expect(made.codes).toEqual(['notice kept-schemas']);
  });

  test('is only what is restored, where the archive does not create the schema', () => {
    expect(plan([entry('TABLE', 't', 'a'), entry('FUNCTION', 'f(integer)', 'a')]).drops).toEqual([
      'DROP TABLE IF EXISTS a.t CASCADE',
      'DROP FUNCTION IF EXISTS a.f(integer) CASCADE',
    ]);
    expect(plan([entry('FUNCTION', 'f(text)', 'a')]).drops).toEqual([]);
    expect(plan([entry('SCHEMA', 'a'), entry('TABLE', 't', 'a')], {}, { onlyTables: true }).drops).toEqual([
      'DROP TABLE IF EXISTS a.t CASCADE',
    ]);
  });

  test('are extensions that this role can create again; others stay, and so does a schema with one', () => {
    const extension = (over: object) => ({ ...object('extension', 'hstore'), schema: 'a', recreatable: true, ...over });
    const restored = [entry('SCHEMA', 'a'), entry('EXTENSION', 'hstore'), entry('EXTENSION', 'plpgsql')];
    expect(plan(restored, { extensions: [extension({})] }).drops).toEqual([
      'DROP SCHEMA a CASCADE',
      'DROP EXTENSION IF EXISTS hstore CASCADE',
    ]);
    for (const over of [{ recreatable: false }, { mine: false }]) {
      const kept = plan(restored, { extensions: [extension(over)] });
      expect(kept.keptExtensions).toEqual(['hstore']);
      expect(kept.drops.join('\n')).not.toMatch(/SCHEMA|EXTENSION/);
    }
  });

  test('are event triggers first, servers and wrappers last, and large objects only if the archive has some', () => {
    const global = [
      object('server', 's'),
      object('event trigger', 'e'),
      object('publication', 'p'),
      object('event trigger', 'other'),
    ];
    const restored = [
      entry('SERVER', 's'),
      entry('SCHEMA', 'a'),
      entry('EVENT TRIGGER', 'e'),
      entry('PUBLICATION', 'p'),
    ];
    const facts = { global, largeObjects: { total: 2, mine: 2 } };
    expect(plan(restored, facts).drops).toEqual([
      'DROP EVENT TRIGGER IF EXISTS e CASCADE',
      'DROP PUBLICATION IF EXISTS p CASCADE',
      'DROP SCHEMA a CASCADE',
      'DROP SERVER IF EXISTS s CASCADE',
    ]);
    expect(plan([entry('BLOBS', 'BLOBS')], facts).drops).toEqual([expect.stringContaining('lo_unlink')]);
  });

  test('names what came after the backup, which nothing brings back', () => {
    const lost = (restored: readonly TocEntry[], over: Partial<DropInput> = {}, facts: Partial<DropFacts> = {}) =>
      plan(restored, facts, over).findings.filter(({ code }) => code === 'not-brought-back');
    expect(lost(WHOLE_A)).toEqual([]);
    expect(lost(WHOLE_A.slice(0, 2))).toMatchObject([
      {
        severity: 'warning',
        seen: expect.stringMatching(/^1 object of the database would go without coming back: table a\.other$/),
      },
    ]);
    expect(lost(WHOLE_A.slice(0, 2), { onlyTables: true })).toEqual([]);
    expect(lost([entry('TABLE', 'new', 'public')], {}, { major: 14 })[0]?.seen).toContain('table public.p');
  });

  test('are rows alone, where only rows are restored', () => {
    expect(plan([entry('TABLE DATA', 't"', 'a')]).drops).toEqual(['TRUNCATE ONLY "a"."t"""']);
  });
});

describe('a restore in place is refused', () => {
  test.each([
    [
      'for dependents outside',
      WHOLE_A,
      {},
      [{ type: 'view', identity: 'b.v' }],
      0,
      'error dependents-outside',
      'view b.v',
    ],
    [
      'for more locks than the server has',
      WHOLE_A,
      { lockSlots: 10 },
      [],
      10,
      'error too-many-locks',
      'lock 10 at once',
    ],
    [
      'for subscriptions',
      [entry('SUBSCRIPTION', 's')],
      { global: [object('subscription', 's')] },
      [],
      0,
      'error subscription',
      's',
    ],
    [
      'for large objects of others',
      [entry('BLOBS', 'BLOBS')],
      { largeObjects: { total: 3, mine: 1 } },
      [],
      0,
      'error not-owner',
      '2 large objects',
    ],
    [
      'for objects of others',
      [entry('TABLE', 't', 'a')],
      { objects: [object('table', 'a.t', { mine: false })] },
      [],
      0,
      'error not-owner',
      'table a.t',
    ],
  ] as const)('%s', (_why, restored, facts, outside, gone, code, words) => {
    const { codes, findings } = plan(restored, facts, {}, [...outside], gone);
    expect(codes).toEqual([code]);
    expect(findings[0]?.seen).toContain(words);
  });

  test('for schemas of the provider, which are not touched', () => {
    const made = plan([entry('SCHEMA', 'a'), entry('TABLE', 't', 'a')], {}, { managedSchemas: ['a'] });
    expect(made.codes).toEqual(['error managed-schema']);
    expect(made.drops).toEqual([]);
  });

  test('not for what comes back with the archive, nor for publications that lose a table: those are named', () => {
    const outside = [
      { type: 'user mapping', identity: 'reader on server s' },
      { type: 'publication relation', identity: 'a.t in publication mine' },
    ];
    const made = plan([...WHOLE_A, entry('USER MAPPING', 'USER MAPPING reader SERVER s')], {}, {}, outside);
    expect(made.codes).toEqual(['warning publication-loses-tables']);
    expect(plan(WHOLE_A, {}, {}, outside).codes).toContain('error dependents-outside');
  });
});
