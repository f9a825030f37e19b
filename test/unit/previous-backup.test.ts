import { describe, expect, test } from 'vitest';
import {
  type CountedTable,
  compareWithPrevious,
  findPrevious,
  scopeFingerprint,
  tableStats,
} from '../../src/domain/previous-backup.ts';
import { WHOLE } from '../../src/domain/scope.ts';
import { manifest, SALT, TABLES } from '../support/set-documents.ts';

const LIMIT = 30;
const before = { totals: manifest().totals, tables: TABLES };

function warnings(now: Partial<typeof before> & { partitioned?: Parameters<typeof tableStats>[2] }, limit = LIMIT) {
  return compareWithPrevious(manifest(), { ...before, ...now } as typeof before, limit);
}

function codes(...args: Parameters<typeof warnings>): string[] {
  return warnings(...args).map(({ code }) => code);
}

function withRows(name: string, rows: number, bytes = rows * 150): CountedTable[] {
  return TABLES.map((table) => (table.name === name ? { ...table, rows, bytes } : table));
}

describe('the previous like backup', () => {
  const like = { scope: WHOLE, source: { fingerprint: manifest().source.fingerprint, kind: 'system' as const } };
  const [older, newer] = ['20261119_020000_nightly_aaaaaa', '20261120_020000_nightly_aaaaaa'];

  test('is the newest proven one of the same scope', () => {
    const manifests = [manifest({ id: older }), manifest({ id: newer })];
    expect(findPrevious(manifests, like)?.id).toBe(newer);
    expect(findPrevious([...manifests].reverse(), like)?.id).toBe(newer);
    expect(findPrevious([], like)).toBeUndefined();
  });

  test('is not an unproven one, not one of another scope and not one of another database', () => {
    const good = manifest({ id: older });
    const other = { ...WHOLE, excludeTables: ['logs'] };
    expect(findPrevious([good, manifest({ id: newer, verdict: 'unproven' })], like)?.id).toBe(older);
    expect(findPrevious([good], { ...like, scope: other })).toBeUndefined();
    const elsewhere = manifest({ id: newer, source: { fingerprint: 'cd'.repeat(32), fingerprintKind: 'system' } });
    expect(findPrevious([good, elsewhere], like)?.id).toBe(older);
    expect(findPrevious([good, elsewhere], { scope: WHOLE })?.id).toBe(newer);
  });

  test('is known by a fingerprint that another salt changes and the order of patterns does not', () => {
    const one = { ...WHOLE, tables: ['a', 'b'] };
    expect(scopeFingerprint(one, SALT)).toBe(scopeFingerprint({ ...WHOLE, tables: ['b', 'a'] }, SALT));
    expect(scopeFingerprint(one, SALT)).not.toBe(scopeFingerprint(one, 'ff'.repeat(16)));
    const scopes = [WHOLE, one, { ...WHOLE, tables: ['a,b'] }, { ...WHOLE, excludeTables: ['a', 'b'] }];
    const all = [...scopes, { ...WHOLE, content: 'schema' as const }];
    expect(new Set(all.map((scope) => scopeFingerprint(scope, SALT))).size).toBe(5);
  });
});

describe('compared with the previous backup', () => {
  test('nothing is said about what stayed within the limit', () => {
    expect(warnings({})).toEqual([]);
    const totals = { ...before.totals, plainBytes: before.totals.plainBytes * 1.3, rows: before.totals.rows * 0.7 };
    expect(codes({ totals, tables: withRows('orders', 700_000) })).toEqual([]);
  });

  test('a whole that grew or shrank beyond it is told, in numbers and without names', () => {
    const grown = { ...before.totals, plainBytes: before.totals.plainBytes * 2 };
    expect(warnings({ totals: grown })).toEqual([
      {
        code: 'size-changed',
        message:
          'The content grew from 146 MiB to 292 MiB (+100 %), more than 30 % (compared with 20261121_020000_nightly_k3v9qa)',
        details: [],
      },
    ]);
    const shrunk = { ...before.totals, rows: 100_000 };
    expect(codes({ totals: shrunk })).toEqual(['rows-changed']);
    expect(warnings({ totals: shrunk })[0]?.message).toContain('fell from 1,020,000 to 100,000 (-90 %)');
    expect(codes({ totals: shrunk }, 95)).toEqual([]);
  });

  test('a table that lost rows is told by name in the details alone', () => {
    const [warning] = warnings({ tables: withRows('customers', 5_000) });
    expect(warning).toMatchObject({ code: 'tables-shrank' });
    expect(warning?.message).not.toContain('customers');
    expect(warning?.details).toEqual(['public.customers: fell from 20,000 rows to 5,000 rows (-75 %)']);
  });

  test('a table that kept its rows and lost its bytes is told', () => {
    expect(codes({ tables: withRows('customers', 20_000, 40_000) })).toEqual(['tables-shrank']);
  });

  test('a table that is gone is told, by its hash, for only the earlier backup knows its name', () => {
    const [warning] = warnings({ tables: TABLES.slice(0, 1) });
    expect(warning).toMatchObject({
      code: 'tables-gone',
      message: expect.stringContaining('1 table that held rows is no longer there'),
    });
    expect(warning?.details).toEqual([
      expect.stringMatching(/^[0-9a-f]{12}…: had 20,000 rows, 2.9 MiB \(its name is in contents.json of 2026/),
    ]);
  });

  test('a new table and one that grew are no matter', () => {
    const added = { schema: 'public', name: 'added', rows: 9, bytes: 90 };
    expect(codes({ tables: [...withRows('customers', 90_000), added] })).toEqual([]);
  });

  test('small tables do not cry wolf: a few rows fewer, an empty queue, a small database that doubled', () => {
    const small = [
      { schema: 'public', name: 'queue', rows: 9, bytes: 90 },
      { schema: 'public', name: 'settings', rows: 120, bytes: 1200 },
    ];
    const totals = { ...before.totals, plainBytes: 40_000, rows: 129 };
    const past = manifest({ totals, tableStats: { salt: SALT, tables: tableStats(SALT, small) } });
    const now = [
      { schema: 'public', name: 'queue', rows: 0, bytes: 0 },
      { schema: 'public', name: 'settings', rows: 40, bytes: 400 },
    ];
    const current = { totals: { plainBytes: 90_000, rows: 40 }, tables: now };
    expect(compareWithPrevious(past, current, LIMIT)).toEqual([]);
    const emptied = now.map((table) => ({ ...table, rows: 0 }));
    const [warning] = compareWithPrevious(past, { ...current, tables: emptied }, LIMIT);
    expect(warning).toMatchObject({ code: 'tables-shrank', details: [expect.stringContaining('public.settings')] });
  });

  test('from nothing to something is no percentage', () => {
    const past = manifest({
      totals: { ...before.totals, plainBytes: 0, rows: 0 },
      tableStats: { salt: SALT, tables: {} },
    });
    expect(compareWithPrevious(past, before, LIMIT)).toEqual([]);
  });

  test('partitions that come and go are counted under their topmost parent', () => {
    const leaf = (name: string): CountedTable => ({ schema: 'public', name, rows: 1_000, bytes: 100_000 });
    const parents = (...leaves: string[]) => [
      { schema: 'public', name: 'events_2026', leaves: leaves.slice(1).map(leaf) },
      { schema: 'public', name: 'events', leaves: leaves.map(leaf) },
      { schema: 'public', name: 'not_partitioned' },
    ];
    const days = ['mon', 'tue', 'wed'];
    const stats = tableStats(SALT, [...TABLES, ...days.map(leaf)], parents(...days));
    expect(Object.keys(stats)).toHaveLength(3);
    const past = manifest({ tableStats: { salt: SALT, tables: stats } });
    const moved = ['tue', 'wed', 'thu'];
    const now = { ...before, tables: [...TABLES, ...moved.map(leaf)], partitioned: parents(...moved) };
    expect(compareWithPrevious(past, now, LIMIT)).toEqual([]);
    const lost = { ...now, tables: [...TABLES, leaf('thu')], partitioned: parents('thu') };
    expect(compareWithPrevious(past, lost, LIMIT)).toEqual([
      expect.objectContaining({ code: 'tables-shrank', details: [expect.stringContaining('public.events:')] }),
    ]);
  });

  test('a list of many tables is cut', () => {
    const many = Array.from({ length: 200 }, (_, index) => ({
      schema: 's',
      name: `t${index}`,
      rows: 500,
      bytes: 5_000,
    }));
    const past = manifest({ tableStats: { salt: SALT, tables: tableStats(SALT, many) } });
    const [warning] = compareWithPrevious(past, { ...before, tables: [] }, LIMIT);
    expect(warning?.details).toHaveLength(51);
    expect(warning?.details.at(-1)).toBe('and 150 more');
  });
});

test('names of tables stand in the manifest as hashes that another salt changes and no name can forge', () => {
  const [orders] = TABLES;
  if (orders === undefined) throw new Error('no table');
  const hashes = (salt: string, table: CountedTable) => Object.keys(tableStats(salt, [table]));
  expect(hashes(SALT, orders)).toEqual(['d31872516f4172cf1e8baba5c07bdcc4c8b3a0bb109df755972bcf5cfaacffe3']);
  expect(hashes('ff', orders)).not.toEqual(hashes(SALT, orders));
  const [left, right] = [
    { ...orders, schema: 'a.b', name: 'c' },
    { ...orders, schema: 'a', name: 'b.c' },
  ];
  expect(hashes(SALT, left)).not.toEqual(hashes(SALT, right));
});
