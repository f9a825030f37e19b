import { describe, expect, test } from 'vitest';
import {
  type AuditFinished,
  type AuditPart,
  type AuditPlanned,
  type AuditStarted,
  auditKey,
  parseAudit,
  parseAuditKey,
  serializeAudit,
} from '../../src/domain/audit.ts';
import { auditConfirmed, auditFailed, auditFinished, auditPlanned, auditStarted } from '../support/audit-records.ts';
import { publishedSchema, schemaErrors } from '../support/published-schemas.ts';
import { changed, paths, refusedBy } from '../support/spoilt-documents.ts';

const validate = publishedSchema('audit');

type AnyRecord = AuditPlanned | AuditStarted;

function parse(part: AuditPart, document: unknown): AnyRecord {
  const text = typeof document === 'string' ? document : JSON.stringify(document);
  if (part === 'planned') return parseAudit('planned', text);
  return part === 'started' ? parseAudit('started', text) : parseAudit('finished', text);
}

const refusal = (part: AuditPart, document: unknown): string => refusedBy((text) => parse(part, text), document);

const RECORDS: readonly [AuditPart, AnyRecord][] = [
  ['planned', auditPlanned()],
  ['started', auditStarted()],
  ['started', auditConfirmed()],
  ['finished', auditFinished()],
  ['finished', auditFailed()],
];
/** May be absent; everything else must be there. */
const OPTIONAL = [
  'reason',
  'triggeringActor',
  'confirmedPlan.triggeringActor',
  'backup.snapshotAt',
  'backup.source',
  'confirmedPlan',
  'formerDatabase',
  'safetyBackup',
  'timings.criticalTablesSeconds',
];

describe('audit records', () => {
  test('come back as they were written, and meet the published schema, which describes every field', () => {
    const { run: _, reason: __, ...desk } = auditStarted();
    const foreign = { kind: 'foreign', id: 'old.sql.gz', uri: '/backups/old.sql.gz' } as const;
    const more: [AuditPart, AnyRecord][] = [['started', { ...desk, run: null, backup: foreign }]];
    for (const [part, record] of [...RECORDS, ...more]) {
      const text = serializeAudit(record);
      expect(parse(part, text)).toEqual(record);
      expect(schemaErrors('audit', JSON.parse(text))).toEqual([]);
    }
  });

  test('are written the same whatever order their fields had', () => {
    const reversed = Object.fromEntries(Object.entries(auditFinished()).reverse()) as unknown as AuditFinished;
    expect(serializeAudit(reversed)).toBe(serializeAudit(auditFinished()));
    expect(serializeAudit(reversed).startsWith('{\n  "schemaVersion": 1,\n  "command": "restore",\n')).toBe(true);
  });

  test('from a newer version are refused by name', () => {
    const newer = { ...auditStarted(), schemaVersion: 2 };
    expect(refusal('started', newer)).toBe(
      'an audit record was written by a newer version (schemaVersion 2); this one reads up to 1',
    );
    expect(validate(newer)).toBe(false);
  });

  test('with fields that the reader does not know are read without them', () => {
    expect(parse('finished', { ...auditFinished(), added: 'later' })).toEqual(auditFinished());
    expect(validate({ ...auditFinished(), added: 'later' })).toBe(true);
  });

  test('without any one of their fields, or with another type there, are refused by reader and schema', () => {
    for (const [part, record] of RECORDS) {
      const places = paths(record).filter((path) => !/^[\w.]+\.\d+$/.test(path));
      expect(places.length).toBeGreaterThan(25);
      for (const path of places) {
        for (const value of [undefined, { wrong: true }, ['wrong'], -1, null]) {
          if ((path === 'run' && value === null) || (value === undefined && OPTIONAL.includes(path))) continue;
          const document = changed(record, path, value);
          refusal(part, document);
          expect(validate(document), `${part} ${path} as ${JSON.stringify(value)}`).toBe(false);
        }
      }
      for (const path of OPTIONAL.filter((each) => places.includes(each))) {
        const document = changed(record, path, undefined);
        expect(parse(part, document)).toEqual(document);
        expect(validate(document), path).toBe(true);
      }
    }
  });

  test.each([
    ['a set without its series', 'started', changed(auditStarted(), 'backup.series', undefined), 'backup.series'],
    ['an id that is none', 'started', changed(auditStarted(), 'backup.id', '../shop'), 'backup.id'],
    ['a failure that is none', 'finished', changed(auditFailed(), 'failure', undefined), 'failure is missing'],
    ['a verdict of a failure', 'finished', { ...auditFailed(), verdict: 'passed' }, 'yet there is a verdict'],
    ['a failure of what was restored', 'finished', { ...auditFailed(), outcome: 'restored' }, 'yet there is a failure'],
    ['a digest that is none', 'planned', changed(auditPlanned(), 'parts.drops', 'public'), 'parts.drops is not'],
    ['no verdict', 'finished', changed(auditFinished(), 'verdict', undefined), 'the checks say passed'],
  ] as const)('with %s are refused by reader and schema', (_what, part, document, words) => {
    expect(refusal(part, document)).toContain(words);
    expect(validate(document)).toBe(false);
  });

  test('of a plan whose fingerprint is not that of its parts are refused', () => {
    expect(refusal('planned', auditPlanned({ fingerprint: '0'.repeat(12) }))).toContain('is not that of its parts');
  });

  test('with a verdict that their checks do not give are refused', () => {
    expect(refusal('finished', { ...auditFinished(), checks: [] })).toContain('the checks say partial');
    expect(refusal('finished', { ...auditFinished(), verdict: 'partial' })).toContain('the checks say passed');
    const [first] = auditFinished().checks;
    const failed = [{ ...first, status: 'failed' }];
    expect(refusal('finished', { ...auditFinished(), checks: failed })).toContain('the checks say failed');
    expect(parse('finished', { ...auditFinished(), checks: failed, verdict: 'failed' })).toBeDefined();
  });

  test('that are no records at all are refused', () => {
    for (const text of ['', '{', 'null', '[]', '{}', '{"schemaVersion":0}']) refusal('started', text);
    expect(() => serializeAudit({ ...auditStarted(), startedAt: 'today' })).toThrow(
      expect.objectContaining({ code: 'ERR_MANIFEST' }),
    );
  });
});

describe('the names of audit records', () => {
  const at = new Date('2026-11-21T03:15:00.000Z');

  test('are those of the documentation, and are read back', () => {
    expect(auditKey('shop', at, 'k3v9qa', 'started')).toBe('shop/_audit/20261121_031500_k3v9qa.started.json');
    expect(auditKey(undefined, at, 'k3v9qa', 'finished')).toBe('_audit/20261121_031500_k3v9qa.finished.json');
    expect(parseAuditKey('shop/_audit/20261121_031500_k3v9qa.started.json')).toEqual({
      series: 'shop',
      at,
      random: 'k3v9qa',
      part: 'started',
    });
    expect(parseAuditKey('_audit/20261121_031500_k3v9qa.finished.json')).toEqual({
      at,
      random: 'k3v9qa',
      part: 'finished',
    });
  });

  test.each([
    'shop/_audit/20261121_031500_k3v9qa.json',
    'shop/_audit/20260230_031500_k3v9qa.started.json',
    'Shop/_audit/20261121_031500_k3v9qa.started.json',
    'a/b/_audit/20261121_031500_k3v9qa.started.json',
    'shop/_audit/20261121_031500_ilou00.started.json',
    'shop/_drills/20261121_031500_k3v9qa.started.json',
    '/_audit/20261121_031500_k3v9qa.started.json',
  ])('are no others: %s', (key) => expect(parseAuditKey(key)).toBeUndefined());
});
