import { describe, expect, it } from 'vitest';
import type { ArchivedObject } from '../../src/domain/archive-report.ts';
import type { Contents, ContentsTable } from '../../src/domain/contents.ts';
import type { EntryPlan } from '../../src/domain/entry-plan.ts';
import { recoveryVerdict } from '../../src/domain/recovery.ts';
import { relationKey } from '../../src/domain/relations.ts';
import { compareDefinitions, expectedObjects } from '../../src/domain/restored-proof/definitions.ts';
import { judgeRestored, type RestoredEvidence } from '../../src/domain/restored-proof.ts';
import { WHOLE } from '../../src/domain/scope.ts';
import type { Toc, TocEntry } from '../../src/domain/toc.ts';

const ONE = '000000000000000000000000000000a1';
const key = (name: string, schema = 'public') => relationKey({ schema, name });

function table(name: string, over: Partial<ContentsTable> = {}): ContentsTable {
  return { schema: 'public', name, columns: ['id'], rows: 1, bytes: 2, digest: ONE, sizeBytes: 8192, ...over };
}

function entry(type: string, name: string, schema?: string): TocEntry {
  return {
    dumpId: 1,
    type,
    name,
    owner: 'me',
    dependencies: [],
    line: '',
    ...(schema === undefined ? {} : { schema }),
  };
}

function planOf(entries: readonly TocEntry[], whole = true): EntryPlan {
  return { restored: entries, whole, leftOut: [], gaps: [], missingRoles: [], rolesToCreate: [], findings: [] };
}

const ENTRIES = [
  entry('EXTENSION', 'hstore'),
  entry('TABLE', 'orders', 'public'),
  entry('TABLE DATA', 'orders', 'public'),
  entry('SEQUENCE SET', 'orders_id_seq', 'public'),
  entry('BLOBS', 'BLOBS'),
];

function contents(over: Partial<Contents> = {}): Contents {
  const state = { lastValue: '7', isCalled: true };
  return {
    scope: WHOLE,
    tables: [table('orders')],
    sequences: [{ schema: 'public', name: 'orders_id_seq', dumped: state, before: state }],
    largeObjects: { count: 2, bytes: 10, digest: ONE },
    objects: [{ type: 'TABLE', schema: 'public', name: 'orders', digests: ['aa'] }],
    extensions: [{ name: 'hstore', version: '1.8', schema: 'public' }],
    server: { version: '17.5', major: 17, isStandby: false },
    ...over,
  } as Contents;
}

function evidence(over: Partial<RestoredEvidence> = {}): RestoredEvidence {
  return {
    contents: contents(),
    toc: { serverVersion: '17.5', entries: ENTRIES } satisfies Toc,
    plan: planOf(ENTRIES),
    alone: true,
    rows: { digests: new Map([[key('orders'), { rows: 1, digest: ONE }]]), unread: new Map(), roots: new Map() },
    sequences: new Map([[key('orders_id_seq'), { lastValue: '7', isCalled: true }]]),
    largeObjects: { count: 2, bytes: 10, digest: ONE },
    critical: [],
    state: {
      facts: [],
      invalidIndexes: [],
      idleForeignKeys: [],
      materializedViews: [],
      extensions: [{ name: 'hstore', version: '1.8', schema: 'public' }],
    },
    structure: {
      differences: { expected: 1, missing: [], extra: [], differing: [], keys: new Set<string>() },
      reference: 'not-needed',
      sameMajor: true,
    },
    ...over,
  };
}

const statusOf = (id: string, over: Partial<RestoredEvidence>) =>
  judgeRestored(evidence(over)).checks.find((check) => check.id === id)?.status;

describe('the proof of what was restored', () => {
  it('passes when everything is as recorded', () => {
    expect(recoveryVerdict(judgeRestored(evidence()).checks)).toBe('passed');
  });

  it.each<[string, string, string, Partial<RestoredEvidence>]>([
    [
      'a table that nobody read',
      'tables',
      'partial',
      { rows: { digests: new Map(), unread: new Map(), roots: new Map() } },
    ],
    [
      'a table that the server hides',
      'tables',
      'partial',
      {
        rows: {
          digests: new Map(),
          unread: new Map([[key('orders'), { kind: 'refused', message: 'no' }]]),
          roots: new Map(),
        },
      },
    ],
    [
      'a table that is not there',
      'tables',
      'failed',
      {
        rows: {
          digests: new Map(),
          unread: new Map([[key('orders'), { kind: 'missing', message: 'no' }]]),
          roots: new Map(),
        },
      },
    ],
    ['a sequence that is not there', 'sequences', 'failed', { sequences: new Map() }],
    [
      'a sequence that cannot be read',
      'sequences',
      'partial',
      { sequences: new Map([[key('orders_id_seq'), new Error('no')]]) },
    ],
    ['large objects that cannot be read', 'large-objects', 'partial', { largeObjects: new Error('no') }],
    [
      'other bytes in large objects',
      'large-objects',
      'failed',
      { largeObjects: { count: 2, bytes: 10, digest: 'b'.repeat(32) } },
    ],
    ['more bytes in large objects', 'large-objects', 'failed', { largeObjects: { count: 2, bytes: 11, digest: ONE } }],
    ['definitions that cannot be printed', 'objects', 'not-run', { structure: new Error('no') }],
    ['definitions that cannot be printed', 'definitions', 'not-run', { structure: new Error('no') }],
    ['definitions that cannot be printed', 'state', 'partial', { structure: new Error('no') }],
  ])('of %s: the check %s is %s', (_what, id, status, over) => {
    expect(statusOf(id, over)).toBe(status);
  });

  it('adds the leaves of a partition tree up, and only then takes them for the same', () => {
    const leaves = [table('l1', { digest: `${'0'.repeat(16)}${'f'.repeat(16)}` }), table('l2', { rows: 3 })];
    const roots = new Map([
      [key('l1'), key('root')],
      [key('l2'), key('root')],
    ]);
    const status = (one: string, other: string) =>
      statusOf('tables', {
        contents: contents({ tables: leaves }),
        rows: {
          digests: new Map([
            [key('l1'), { rows: 4, digest: one }],
            [key('l2'), { rows: 0, digest: other }],
          ]),
          unread: new Map(),
          roots,
        },
      });
    // The halves are added modulo 2^64, each for itself.
    expect(status('000000000000000000000000000000a0', '0'.repeat(32))).toBe('passed');
    expect(status('000000000000000100000000000000a0', '0'.repeat(32))).toBe('failed');
    expect(status('000000000000000000000000000000a1', '0'.repeat(32))).toBe('failed');
  });

  it.each([
    ['1.8', 'passed', 0],
    ['1.10', 'passed', 1],
    ['1.7', 'partial', 0],
    ['1.8-rc', 'partial', 0],
    [undefined, 'failed', 0],
  ])('of an extension 1.8 that is now %s: %s', (version, status, notices) => {
    const extensions = version === undefined ? [] : [{ name: 'hstore', version, schema: 'public' }];
    const { checks, findings } = judgeRestored(evidence({ state: { ...evidence().state, extensions } }));
    expect(checks.find(({ id }) => id === 'extensions')?.status).toBe(status);
    expect(findings).toHaveLength(notices);
  });

  it('judges a part on what was restored of it', () => {
    const plan = planOf([entry('TABLE', 'orders', 'public')], false);
    const nothing = { rows: { digests: new Map(), unread: new Map(), roots: new Map() }, sequences: new Map() };
    const { checks } = judgeRestored(evidence({ plan, ...nothing, state: { ...evidence().state, extensions: [] } }));
    expect(recoveryVerdict(checks)).toBe('passed');
    expect(checks.map(({ reason }) => reason).join(' ')).toContain('of the part that was restored');
  });

  it('does not know the digest of some large objects alone', () => {
    const more = [...ENTRIES, entry('BLOBS', '1..2')];
    const toc = { serverVersion: '17.5', entries: more };
    expect(statusOf('large-objects', { toc, plan: planOf(ENTRIES, false) })).toBe('partial');
  });
});

describe('the comparison of definitions', () => {
  const object = (type: string, name: string, ...digests: string[]): ArchivedObject => ({
    type,
    schema: 'public',
    name,
    digests,
  });
  const recorded = [
    object('TABLE', 'orders', 'aa'),
    object('OPERATOR', '===', 'bb', 'cc'),
    object('ACL', 'TABLE orders', 'dd'),
  ];
  const whole = planOf([]);
  const expected = expectedObjects(recorded, whole, 'keep');

  it('finds what is missing, too much and different, by type and name', () => {
    const restored = [object('TABLE', 'orders', 'ab'), object('OPERATOR', '===', 'cc'), object('VIEW', 'more', 'ee')];
    const found = compareDefinitions(expected, restored, true);
    expect(found).toMatchObject({
      expected: 4,
      missing: ['OPERATOR public.===', 'ACL public.TABLE orders'],
      extra: ['VIEW public.more'],
      differing: ['TABLE public.orders'],
    });
  });

  it('does not count twice what shares a name', () => {
    const restored = [
      object('TABLE', 'orders', 'aa'),
      object('OPERATOR', '===', 'cc', 'cc'),
      object('ACL', 'TABLE orders', 'dd'),
    ];
    expect(compareDefinitions(expected, restored, true).differing).toEqual(['OPERATOR public.===']);
  });

  it('says nothing of what else is there where the database is not for the restore alone', () => {
    const restored = [...recorded, object('VIEW', 'more', 'ee')];
    expect(compareDefinitions(expected, restored, false).extra).toEqual([]);
  });

  it('takes for the same what a reference words the same', () => {
    const restored = [
      object('TABLE', 'orders', 'ab'),
      object('OPERATOR', '===', 'bb', 'cx'),
      object('CONSTRAINT', 'apart', 'ee'),
    ];
    const reference = [
      object('TABLE', 'orders', 'ab'),
      object('OPERATOR', '===', 'bb', 'cc'),
      object('CONSTRAINT', 'apart', 'ee'),
      object('ACL', 'TABLE orders', 'dd'),
    ];
    expect(compareDefinitions(expected, restored, true, reference)).toMatchObject({
      expected: 4,
      missing: ['ACL public.TABLE orders'],
      extra: [],
      differing: ['OPERATOR public.==='],
    });
  });

  it('expects what the plan restores, without rights where they are dropped', () => {
    expect(expectedObjects(recorded, whole, 'drop').map(({ type }) => type)).toEqual(['TABLE', 'OPERATOR']);
    const part = planOf([entry('OPERATOR', '===', 'public')], false);
    expect(expectedObjects(recorded, part, 'keep')).toEqual([{ ...recorded[1], count: 1 }]);
    const one = compareDefinitions(expectedObjects(recorded, part, 'keep'), [object('OPERATOR', '===', 'cc')], true);
    expect(one).toEqual({ expected: 1, missing: [], extra: [], differing: [], keys: new Set() });
  });
});
