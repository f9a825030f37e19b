import { describe, expect, it } from 'vitest';
import { type CheckId, verdictOf } from '../../src/domain/checks.ts';
import type { SequenceState } from '../../src/domain/facts.ts';
import { assessLeftOut } from '../../src/domain/left-out.ts';
import { type Evidence, proveContent } from '../../src/domain/proof.ts';
import { WHOLE } from '../../src/domain/scope.ts';
import { archiveReport, catalogFacts, evidence, sequenceFacts, tableFacts } from '../support/evidence.ts';

function statusOf(id: CheckId, over: Partial<Evidence>): string | undefined {
  return proveContent(evidence(over)).find((check) => check.id === id)?.status;
}

const block = archiveReport().tables[0] as ReturnType<typeof archiveReport>['tables'][number];
const called = (lastValue: string): SequenceState => ({ lastValue, isCalled: true });

describe('the proof of content', () => {
  it('proves a backup whose archive agrees with the snapshot in everything', () => {
    const checks = proveContent(evidence());
    expect(checks.map((check) => [check.id, check.status])).toEqual([
      ['archive', 'passed'],
      ['tables', 'passed'],
      ['row-counts', 'passed'],
      ['sequences', 'passed'],
      ['large-objects', 'passed'],
      ['objects', 'passed'],
    ]);
    expect(verdictOf(checks)).toBe('proven');
  });

  it('calls an empty list of checks unproven', () => {
    expect(verdictOf([])).toBe('unproven');
  });

  it('fails the archive and runs nothing else when it could not be read to its end', () => {
    const checks = proveContent(evidence({ archive: new Error('unexpected end of file'), source: new Map() }));
    expect(checks.map((check) => check.status)).toEqual(['failed', ...Array(6).fill('not-run')]);
    expect(checks[0]?.details).toEqual(['unexpected end of file']);
  });

  it('names no table in the reasons, which stand in the plain manifest', () => {
    const checks = proveContent(evidence({ archive: archiveReport({ tables: [] }) }));
    expect(checks.map((check) => check.reason).join(' ')).not.toContain('orders');
    expect(checks.find((check) => check.id === 'tables')?.details).toEqual([
      'public.orders: its rows are missing from the archive',
    ]);
  });
});

describe('the check of tables', () => {
  it.each<[string, Partial<Evidence>]>([
    ['a table has no rows in the archive', { archive: archiveReport({ tables: [] }) }],
    ['a table is not defined in the archive', { archive: archiveReport({ relations: [] }) }],
    ['columns are missing', { archive: archiveReport({ tables: [{ ...block, columns: ['id'] }] }) }],
    [
      'columns stand in another order',
      { archive: archiveReport({ tables: [{ ...block, columns: ['total', 'id'] }] }) },
    ],
    ['the archive holds a table unknown to the snapshot', { facts: catalogFacts({ tables: [] }) }],
    [
      'the archive holds rows of a table that the scope excludes',
      { facts: catalogFacts({ tables: [tableFacts({ hasData: false })] }) },
    ],
  ])('fails when %s', (_what, over) => {
    expect(statusOf('tables', over)).toBe('failed');
  });

  it('asks for no definition of a table that belongs to an extension', () => {
    const facts = catalogFacts({ tables: [tableFacts({ ofExtension: true })] });
    expect(statusOf('tables', { facts, archive: archiveReport({ relations: [] }) })).toBe('passed');
  });

  it('asks for no definitions when the scope holds rows alone', () => {
    const archive = archiveReport({ relations: [], objects: [] });
    expect(statusOf('tables', { scope: { ...WHOLE, content: 'data' }, archive })).toBe('passed');
  });
});

describe('the check of row counts', () => {
  it('fails when the archive holds another number of rows than the source', () => {
    expect(statusOf('row-counts', { archive: archiveReport({ tables: [{ ...block, rows: 2 }] }) })).toBe('failed');
  });

  it('is partial when counting did not finish', () => {
    expect(statusOf('row-counts', { counting: new Error('cancelled') })).toBe('partial');
  });

  it('says how many tables were too large to count', () => {
    const { rows: _rows, ...uncounted } = tableFacts({ name: 'large' });
    const facts = catalogFacts({ tables: [tableFacts(), uncounted] });
    const check = proveContent(evidence({ facts })).find((each) => each.id === 'row-counts');
    expect(check).toMatchObject({
      status: 'passed',
      reason: expect.stringContaining('1 of 1 table counted at the source; 1 larger one is not counted'),
    });
  });

  it('is not made where nothing was counted, and a notice says so', () => {
    const { rows: _rows, ...uncounted } = tableFacts();
    const facts = catalogFacts({ tables: [uncounted] });
    expect(statusOf('row-counts', { facts })).toBeUndefined();
    expect(assessLeftOut(facts).map(({ code }) => code)).toEqual(['rows-not-counted']);
    expect(assessLeftOut(catalogFacts())).toEqual([]);
  });

  it('does not speak for rows that pg_dump leaves to an extension, and a warning names them', () => {
    const left = tableFacts({ name: 'of_extension', ofExtension: true, hasData: false });
    const [finding] = assessLeftOut(catalogFacts({ tables: [tableFacts(), left] }));
    expect(finding).toMatchObject({
      code: 'extension-rows-left-out',
      seen: expect.stringContaining('public.of_extension'),
    });
  });
});

describe('the check of sequences', () => {
  it.each<[string, string, Parameters<typeof sequenceFacts>[0], SequenceState]>([
    ['stood still', 'passed', { before: called('4'), after: called('4') }, called('4')],
    ['moved on', 'passed', {}, called('5')],
    ['has a value from before the dump', 'failed', {}, called('2')],
    ['has a value from after the dump', 'failed', {}, called('6')],
    [
      'was called for the first time',
      'passed',
      { before: { lastValue: '1', isCalled: false }, after: called('1') },
      called('1'),
    ],
    ['descends', 'passed', { increment: '-1', before: called('9'), after: called('7') }, called('8')],
    [
      'descends and has a value from before',
      'failed',
      { increment: '-1', before: called('9'), after: called('7') },
      called('10'),
    ],
    ['cycled', 'partial', { cycles: true, before: called('9'), after: called('2') }, called('1')],
    ['was set back', 'partial', { before: called('9'), after: called('2') }, called('9')],
    [
      'is beyond 2^53',
      'failed',
      { before: called('9007199254740993'), after: called('9007199254740993') },
      called('9007199254740992'),
    ],
  ])('of one that %s: %s', (_what, status, over, dumped) => {
    const facts = catalogFacts({ sequences: [sequenceFacts(over)] });
    const archive = archiveReport({ sequences: [{ schema: 'public', name: 'orders_id_seq', ...dumped }] });
    expect(statusOf('sequences', { facts, archive })).toBe(status);
  });

  it('fails when a value is missing from the archive', () => {
    expect(statusOf('sequences', { archive: archiveReport({ sequences: [] }) })).toBe('failed');
  });

  it('fails when the archive sets a sequence unknown to the snapshot', () => {
    expect(statusOf('sequences', { facts: catalogFacts({ sequences: [] }) })).toBe('failed');
  });

  it('is partial when a sequence could not be read again', () => {
    const { after: _after, ...unread } = sequenceFacts();
    expect(statusOf('sequences', { facts: catalogFacts({ sequences: [unread] }) })).toBe('partial');
  });
});

describe('the other checks', () => {
  it('fail when a large object is missing', () => {
    expect(statusOf('large-objects', { facts: catalogFacts({ largeObjects: 3 }) })).toBe('failed');
  });

  it('fail when large objects are there that the scope leaves out', () => {
    expect(statusOf('large-objects', { facts: catalogFacts({ largeObjectsSelected: false }) })).toBe('failed');
  });

  it('fail when a view is missing or is something else', () => {
    const relations = [{ schema: 'public', name: 'orders', kind: 'table' as const }];
    expect(statusOf('objects', { archive: archiveReport({ relations }) })).toBe('failed');
    const other = [...relations, { schema: 'public', name: 'totals', kind: 'materialized-view' as const }];
    expect(statusOf('objects', { archive: archiveReport({ relations: other }) })).toBe('failed');
  });

  it('are partial when definitions changed while pg_dump read them, and name those in the details alone', () => {
    const [check] = proveContent(evidence({ changedDefinitions: ['function public.total', 'schema s'] })).filter(
      ({ id }) => id === 'objects',
    );
    expect(check).toMatchObject({
      status: 'partial',
      reason: expect.stringMatching(/^2 definitions changed/),
      details: [expect.stringMatching(/^function public\.total: changed/), expect.stringMatching(/^schema s: changed/)],
    });
    expect(check?.reason).not.toContain('public.total');
  });

  it('are partial when it is not known whether definitions changed', () => {
    const checks = proveContent(evidence({ changedDefinitions: new Error('connection lost') }));
    expect(checks.find(({ id }) => id === 'objects')).toMatchObject({
      status: 'partial',
      details: ['connection lost'],
    });
    expect(verdictOf(checks)).toBe('unproven');
  });

  it.each([['function public.total'], new Error('connection lost')])(
    'fail for a missing view, whatever is known of changes: %s',
    (changedDefinitions) => {
      const archive = archiveReport({ relations: [{ schema: 'public', name: 'orders', kind: 'table' }] });
      const changed = typeof changedDefinitions === 'string' ? [changedDefinitions] : changedDefinitions;
      const check = proveContent(evidence({ archive, changedDefinitions: changed })).find(({ id }) => id === 'objects');
      expect(check).toMatchObject({ status: 'failed', details: [expect.stringContaining('public.totals')] });
    },
  );

  it('ask for no definitions, and so mind no change, when the scope holds rows alone', () => {
    const scope = { ...WHOLE, content: 'data' as const };
    expect(statusOf('objects', { scope, changedDefinitions: ['function public.total'] })).toBe('passed');
  });

  it('fail when an extension is missing', () => {
    const extensions = [{ name: 'citext', version: '1.6', schema: 'public' }];
    expect(statusOf('objects', { facts: catalogFacts({ extensions }) })).toBe('failed');
  });

  it('fail when a critical table is empty', () => {
    const facts = catalogFacts({ tables: [tableFacts({ critical: true, rows: 0 })] });
    expect(statusOf('critical-tables', { facts, archive: archiveReport({ tables: [{ ...block, rows: 0 }] }) })).toBe(
      'failed',
    );
    expect(statusOf('critical-tables', { facts })).toBe('passed');
  });

  it('count critical tables in words', () => {
    const reasonOf = (rows: number, names: readonly string[]): string | undefined => {
      const tables = names.map((name) => ({ ...block, name, rows }));
      const facts = catalogFacts({ tables: names.map((name) => tableFacts({ name, critical: true, rows })) });
      const checks = proveContent(evidence({ facts, archive: archiveReport({ tables }) }));
      return checks.find(({ id }) => id === 'critical-tables')?.reason;
    };
    expect(reasonOf(0, ['orders'])).toBe('1 critical table is empty');
    expect(reasonOf(0, ['orders', 'log'])).toBe('2 critical tables are empty');
    expect(reasonOf(1, ['orders'])).toBe('1 critical table holds rows');
    expect(reasonOf(1, ['orders', 'log'])).toBe('2 critical tables hold rows');
  });

  it('fail when all partitions of a critical table are empty', () => {
    const parent = tableFacts({
      name: 'log',
      kind: 'partitioned-table',
      hasData: false,
      critical: true,
      leaves: [{ schema: 'public', name: 'orders' }],
    });
    const facts = catalogFacts({ tables: [parent, tableFacts()] });
    expect(statusOf('critical-tables', { facts, archive: archiveReport({ tables: [{ ...block, rows: 0 }] }) })).toBe(
      'failed',
    );
    expect(statusOf('critical-tables', { facts })).toBe('passed');
  });

  it('fail when the second reading of the source has another digest, other rows or lacks a table', () => {
    const key = 'public\0orders';
    const same = { rows: block.rows, digest: block.digest };
    expect(statusOf('source', { source: new Map([[key, same]]) })).toBe('passed');
    expect(statusOf('source', { source: new Map([[key, { ...same, digest: '0'.repeat(32) }]]) })).toBe('failed');
    expect(statusOf('source', { source: new Map([[key, { ...same, rows: 4 }]]) })).toBe('failed');
    expect(statusOf('source', { source: new Map() })).toBe('failed');
    expect(statusOf('source', { source: new Error('connection lost') })).toBe('not-run');
  });
});
