/** A small, true pair of documents of one set; each test falsifies one part of it. */
import type { Contents } from '../../src/domain/contents.ts';
import type { Manifest } from '../../src/domain/manifest.ts';
import { scopeFingerprint, tableStats } from '../../src/domain/previous-backup.ts';
import { WHOLE } from '../../src/domain/scope.ts';
import { catalogFacts } from './evidence.ts';

export const SET_ID = '20261121_020000_nightly_k3v9qa';
export const SALT = '00112233445566778899aabbccddeeff';
const SHA = 'ab'.repeat(32);
const RECIPIENT = 'age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj';

export const TABLES = [
  { schema: 'public', name: 'orders', rows: 1_000_000, bytes: 150_000_000 },
  { schema: 'public', name: 'customers', rows: 20_000, bytes: 3_000_000 },
];

export function manifest(over: Partial<Manifest> = {}): Manifest {
  return {
    schemaVersion: 1,
    id: SET_ID,
    name: 'shop',
    label: 'nightly',
    keepForever: false,
    verdict: 'proven',
    snapshotAt: '2026-11-21T02:00:00.123Z',
    finishedAt: '2026-11-21T02:01:40.000Z',
    action: { version: '1.0.0' },
    source: { fingerprint: SHA, fingerprintKind: 'system' },
    server: { version: '17.10 (Debian 17.10-1.pgdg12+1)', major: 17 },
    client: { version: '17.11' },
    scope: { content: 'all', wholeDatabase: true, fingerprint: scopeFingerprint(WHOLE, SALT) },
    encryption: { method: 'age', recipients: [RECIPIENT] },
    archive: { format: 'custom', compression: 'zstd:1' },
    objects: [
      {
        role: 'archive',
        name: 'database.backup.age',
        sizeBytes: 70_000_000,
        sha256: SHA,
        evidence: 'provider-checksum',
      },
      { role: 'globals', name: 'globals.sql.age', sizeBytes: 900, sha256: SHA, evidence: 'size-and-etag' },
      { role: 'contents', name: 'contents.json.age', sizeBytes: 4_000, sha256: SHA, evidence: 'size-and-etag' },
      { role: 'restore-guide', name: 'RESTORE.md', sizeBytes: 5_000, sha256: SHA, evidence: 'read-back' },
    ],
    totals: {
      tables: 2,
      rows: 1_020_000,
      largeObjects: 0,
      plainBytes: 153_100_000,
      databaseBytes: 200_000_000,
      storedBytes: 70_009_900,
    },
    tableStats: { salt: SALT, tables: tableStats(SALT, TABLES) },
    checks: [
      { id: 'archive', status: 'passed', reason: 'The archive was read to its end' },
      { id: 'stored', status: 'passed', reason: 'Storage holds what was sent' },
    ],
    warnings: [{ code: 'size-changed', message: 'The content grew' }],
    timings: { preflightSeconds: 1.2, dumpSeconds: 90, totalSeconds: 100.4 },
    run: {
      repository: 'acme/shop',
      workflow: 'Backup',
      runId: '123',
      runAttempt: '1',
      sha: 'c0ffee',
      actor: 'octocat',
      url: 'https://github.com/acme/shop/actions/runs/123',
    },
    ...over,
  };
}

export function contents(over: Partial<Contents> = {}): Contents {
  const { server, database, settings, extensions, roles } = catalogFacts();
  const digest = 'ef46db3751d8e999d24ec1f5d3e4a0aa';
  return {
    schemaVersion: 1,
    id: SET_ID,
    server,
    database: { ...database, locale: 'C.UTF-8', collationVersion: '2.36' },
    settings,
    scope: WHOLE,
    plainObjects: [{ role: 'archive', name: 'database.backup.age', sizeBytes: 69_000_000, sha256: SHA }],
    digestAlgorithm: 'rows-xxh64x2',
    tables: [
      {
        schema: 'public',
        name: 'orders',
        columns: ['id', 'weird\n"name"'],
        rows: 3,
        bytes: 30,
        digest,
        sizeBytes: 8_192,
        countedRows: 3,
        extensionCondition: 'WHERE id > 1',
      },
    ],
    definedOnly: [{ schema: 'public', name: 'all_orders', kind: 'partitioned-table' }],
    sequences: [
      {
        schema: 'public',
        name: 'orders_id_seq',
        dumped: { lastValue: '9223372036854775807', isCalled: true },
        before: { lastValue: '-9223372036854775808', isCalled: false },
        after: { lastValue: '5', isCalled: true },
      },
    ],
    largeObjects: { count: 2, bytes: 10, digest },
    objects: [{ type: 'TABLE', schema: 'public', name: 'orders', digests: [SHA] }],
    extensions,
    roles,
    checks: [{ id: 'archive', status: 'passed', reason: 'read to its end', details: ['a detail'] }],
    ...over,
  };
}
