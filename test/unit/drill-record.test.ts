import { describe, expect, test } from 'vitest';
import {
  type DrillRecord,
  failedDrillRecord,
  parseDrillRecord,
  restoredBackups,
  serializeDrillRecord,
} from '../../src/domain/drill-record.ts';
import { drillKey, isRecordName } from '../../src/domain/set-layout.ts';
import { drilled, SNAPSHOT_AT } from '../support/drill-records.ts';
import { publishedSchema, schemaErrors } from '../support/published-schemas.ts';
import { OCCASION, SET_ID } from '../support/recovery-result.ts';
import { changed, paths, refusedBy } from '../support/spoilt-documents.ts';

const validate = publishedSchema('drill');
const refusal = (document: unknown): string => refusedBy(parseDrillRecord, document);

const AT = '2026-12-01T04:00:00.000Z';
const failed = failedDrillRecord('ERR_RESTORE_FAILED', {
  backup: { id: SET_ID, name: 'shop', snapshotAt: SNAPSHOT_AT },
  occasion: { ...OCCASION, run: null, startedAt: AT },
  finishedAt: new Date('2026-12-01T04:01:00.000Z'),
  targetKind: 'given',
});

describe('the record of a drill', () => {
  test('holds times, totals and the words of the checks, and none of their details', () => {
    const record = drilled(AT, { details: ['public.customers differs'], status: 'failed' });
    expect(record).toMatchObject({
      verdict: 'failed',
      timings: { recoverySeconds: 150, totalSeconds: 160.4, criticalTablesSeconds: 61 },
      dataAgeSeconds: (Date.parse(AT) - Date.parse(SNAPSHOT_AT)) / 1000,
      target: { kind: 'own-server', server: { version: '17.10', major: 17 } },
      actor: 'octocat',
      alarm: 'not-asked',
    });
    expect(serializeDrillRecord(record)).not.toContain('customers');
    // Names of databases, and why somebody asked for a restore, are nobody's business here.
    expect(serializeDrillRecord(record)).not.toMatch(/restored_k3v9qa|orders of Friday/);
  });

  test('comes back as it was written, and meets its published schema, which describes every field', () => {
    for (const record of [drilled(AT), failed]) {
      const text = serializeDrillRecord(record);
      expect(parseDrillRecord(text)).toEqual(record);
      expect(validate(JSON.parse(text)), JSON.stringify(validate.errors)).toBe(true);
      expect(schemaErrors('drill', JSON.parse(text))).toEqual([]);
    }
  });

  test('from a newer version is refused by name; fields that it does not know are dropped', () => {
    expect(refusal({ ...drilled(AT), schemaVersion: 2 })).toContain('newer version (schemaVersion 2)');
    expect(parseDrillRecord(JSON.stringify({ ...drilled(AT), added: 1 }))).toEqual(drilled(AT));
  });

  test('without any one of its fields, or with another type there, is refused by reader and schema', () => {
    const optional = ['timings.criticalTablesSeconds'];
    const nullable = ['target', 'run'];
    const places = paths(drilled(AT)).filter((path) => !/^\w+\.\d+$/.test(path));
    expect(places.length).toBeGreaterThan(40);
    for (const path of places) {
      for (const value of [undefined, { wrong: true }, ['wrong'], -1, null]) {
        if (value === undefined && optional.includes(path)) continue;
        if (value === null && nullable.includes(path)) continue;
        const document = changed(drilled(AT), path, value);
        refusal(document);
        expect(validate(document), `${path} as ${JSON.stringify(value)}`).toBe(false);
      }
    }
  });

  test.each([
    ['a verdict better than its checks', { verdict: 'passed', checks: [] }, 'checks say partial'],
    ['an error and yet not failed', { error: 'ERR_CONNECT' }, 'in spite of ERR_CONNECT'],
    ['an error in words', { error: 'it failed' }, 'error is not a code'],
    ['a set that is none', { backup: { id: '../x', name: 'shop', snapshotAt: SNAPSHOT_AT } }, 'backup.id'],
  ])('with %s is refused', (_what, part, words) => {
    expect(refusal({ ...drilled(AT), ...part })).toContain(words);
  });

  test('may be worse than its checks', () => {
    expect(parseDrillRecord(serializeDrillRecord(drilled(AT, {}, { verdict: 'partial' }))).verdict).toBe('partial');
  });

  test('has a name that sorts by time', () => {
    const key = drillKey('shop', SET_ID, new Date(AT), 'k3v9qa');
    expect(key).toBe(`shop/_drills/${SET_ID}/20261201_040000_k3v9qa.json`);
    expect(isRecordName('20261201_040000_k3v9qa.json')).toBe(true);
    expect(isRecordName('notes.json')).toBe(false);
  });
});

describe('a backup counts as restored', () => {
  const other = '20261122_020000_nightly_k3v9qb';
  const of = (id: string, at: string, verdict: DrillRecord['verdict']): DrillRecord =>
    drilled(at, {}, { verdict, backup: { id, name: 'shop', snapshotAt: SNAPSHOT_AT } });

  test('when its newest decided drill passed', () => {
    const records = [
      of(SET_ID, '2026-12-01T00:00:00.000Z', 'passed'),
      of(SET_ID, '2026-12-02T00:00:00.000Z', 'partial'),
      of(other, '2026-12-01T00:00:00.000Z', 'partial'),
    ];
    expect([...restoredBackups(records)]).toEqual([SET_ID]);
    expect([...restoredBackups([of(SET_ID, '2026-12-03T00:00:00.000Z', 'failed'), ...records])]).toEqual([]);
    expect([...restoredBackups([])]).toEqual([]);
  });

  test.each([
    ['ERR_BACKUP_DAMAGED', []],
    ['ERR_RESTORE_FAILED', []],
    ['ERR_CANCELLED', [SET_ID]],
    ['ERR_DRILL_SERVER', [SET_ID]],
    ['ERR_TARGET_NOT_EMPTY', [SET_ID]],
    ['ERR_DECRYPT', [SET_ID]],
  ] as const)('after a later drill that ended with %s: %j', (error, restored) => {
    const passed = of(SET_ID, '2026-12-01T00:00:00.000Z', 'passed');
    const later: DrillRecord = { ...failed, error, startedAt: '2026-12-02T00:00:00.000Z' };
    expect([...restoredBackups([passed, later])]).toEqual(restored);
  });
});
