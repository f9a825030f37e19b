/** A small, true body of evidence for tests of the proof; each test falsifies one part of it. */
import type { ArchiveReport } from '../../src/domain/archive-report.ts';
import type { CatalogFacts, SequenceFacts, TableFacts } from '../../src/domain/facts.ts';
import type { Evidence } from '../../src/domain/proof.ts';
import { WHOLE } from '../../src/domain/scope.ts';

const DIGEST = 'ef46db3751d8e999d24ec1f5d3e4a0aa';

export function tableFacts(over: Partial<TableFacts> = {}): TableFacts {
  return {
    oid: 16_385,
    schema: 'public',
    name: 'orders',
    kind: 'table',
    persistence: 'permanent',
    columns: ['id', 'total'],
    sizeBytes: 8_192,
    hasData: true,
    ofExtension: false,
    critical: false,
    rows: 3,
    ...over,
  };
}

export function sequenceFacts(over: Partial<SequenceFacts> = {}): SequenceFacts {
  return {
    oid: 16_390,
    schema: 'public',
    name: 'orders_id_seq',
    increment: '1',
    cycles: false,
    before: { lastValue: '3', isCalled: true },
    after: { lastValue: '5', isCalled: true },
    ...over,
  };
}

export function catalogFacts(over: Partial<CatalogFacts> = {}): CatalogFacts {
  return {
    server: { version: '17.10', major: 17, isStandby: false },
    database: {
      name: 'shop',
      encoding: 'UTF8',
      collate: 'C.UTF-8',
      ctype: 'C.UTF-8',
      localeProvider: 'libc',
      sizeBytes: 8_000_000,
    },
    settings: {
      TimeZone: 'UTC',
      DateStyle: 'ISO',
      IntervalStyle: 'postgres',
      extra_float_digits: '3',
      bytea_output: 'hex',
      lc_monetary: 'C',
      client_encoding: 'UTF8',
    },
    snapshotAt: '2026-11-21T02:00:00.000Z',
    tables: [tableFacts()],
    sequences: [sequenceFacts()],
    relations: [{ schema: 'public', name: 'totals', kind: 'view' }],
    extensions: [{ name: 'plpgsql', version: '1.0', schema: 'pg_catalog' }],
    roles: ['postgres'],
    largeObjects: 2,
    largeObjectsSelected: true,
    ...over,
  };
}

export function archiveReport(over: Partial<ArchiveReport> = {}): ArchiveReport {
  return {
    tables: [{ schema: 'public', name: 'orders', columns: ['id', 'total'], rows: 3, digest: DIGEST, bytes: 30 }],
    sequences: [{ schema: 'public', name: 'orders_id_seq', lastValue: '4', isCalled: true }],
    largeObjects: { count: 2, bytes: 10, digest: DIGEST },
    objects: [{ type: 'TABLE', schema: 'public', name: 'orders', digests: ['00'] }],
    relations: [
      { schema: 'public', name: 'orders', kind: 'table' },
      { schema: 'public', name: 'totals', kind: 'view' },
    ],
    extensions: [],
    plainBytes: 2_000,
    ...over,
  };
}

export function evidence(over: Partial<Evidence> = {}): Evidence {
  return {
    scope: WHOLE,
    facts: catalogFacts(),
    archive: archiveReport(),
    counting: 'done',
    changedDefinitions: [],
    ...over,
  };
}
