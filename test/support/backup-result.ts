/** A finished backup as a command hands it to the report, made up: for tests of words, not of backups. */
import type { BackupResult, LostCopy } from '../../src/command.ts';
import { type Check, type CheckStatus, verdictOf } from '../../src/domain/checks.ts';
import type { ContentsTable } from '../../src/domain/contents.ts';
import type { Finding } from '../../src/domain/findings.ts';
import { publicCheck } from '../../src/domain/manifest.ts';

const ID = '20261121_020000_nightly_k3v9qa';
const FOLDER = `s3://acme-backups/postgres/shop/${ID}`;

export interface Wishes {
  /** Of the check `tables`; the others passed. */
  status?: CheckStatus;
  details?: string[];
  tables?: ContentsTable[];
  findings?: Finding[];
  restoreCommand?: string;
  lost?: LostCopy[];
  provider?: string;
}

export function contentsTable(name: string, rows = 3, sizeBytes = 8192): ContentsTable {
  return { schema: 'public', name, rows, digest: '0'.repeat(32), columns: ['id'], bytes: rows * 10, sizeBytes };
}

export function backupResult(wishes: Wishes = {}): BackupResult {
  const tables = wishes.tables ?? [contentsTable('orders', 20_000, 1_500_000), contentsTable('customers', 500)];
  const checks: Check[] = [
    { id: 'archive', status: 'passed', reason: 'pg_restore read the archive to its last byte', details: [] },
    {
      id: 'tables',
      status: wishes.status ?? 'passed',
      reason: 'each table was looked for',
      details: wishes.details ?? [],
    },
  ];
  const sha256 = 'ab'.repeat(32);
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  return {
    command: 'backup',
    outcome: 'taken',
    manifest: {
      schemaVersion: 1,
      id: ID,
      name: 'shop',
      label: 'nightly',
      keepForever: false,
      verdict: verdictOf(checks),
      snapshotAt: '2026-11-21T02:00:00.000Z',
      finishedAt: '2026-11-21T02:01:40.000Z',
      action: { version: '1.0.0' },
      source: { fingerprint: sha256, fingerprintKind: 'system' },
      server: { version: '17.10', major: 17 },
      client: { version: '17.10' },
      scope: { content: 'all', wholeDatabase: true, fingerprint: sha256 },
      encryption: { method: 'age', recipients: ['age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj'] },
      archive: { format: 'custom', compression: 'zstd:1' },
      objects: [
        { role: 'archive', name: 'database.backup.age', sizeBytes: 70_000, sha256, evidence: 'provider-checksum' },
      ],
      totals: {
        tables: tables.length,
        rows,
        largeObjects: 0,
        plainBytes: 900_000,
        databaseBytes: 9_000_000,
        storedBytes: 75_000,
      },
      tableStats: { salt: '00', tables: {} },
      checks: checks.map(publicCheck),
      warnings: [],
      timings: { preflightSeconds: 1.2, dumpSeconds: 90, totalSeconds: 100.4 },
      run: null,
    },
    contents: {
      schemaVersion: 1,
      id: ID,
      server: { version: '17.10', major: 17, isStandby: false },
      database: {
        name: 'shop',
        encoding: 'UTF8',
        collate: 'C',
        ctype: 'C',
        localeProvider: 'libc',
        sizeBytes: 9_000_000,
      },
      settings: {
        TimeZone: 'UTC',
        DateStyle: 'ISO, MDY',
        IntervalStyle: 'postgres',
        extra_float_digits: '1',
        bytea_output: 'hex',
        lc_monetary: 'C',
        client_encoding: 'UTF8',
      },
      scope: { content: 'all', schemas: [], excludeSchemas: [], tables: [], excludeTables: [], excludeTableData: [] },
      plainObjects: [],
      digestAlgorithm: 'rows-xxh64x2',
      tables,
      definedOnly: [],
      sequences: [],
      largeObjects: { count: 0, bytes: 0, digest: '0'.repeat(32) },
      objects: [],
      extensions: [{ name: 'pgcrypto', version: '1.3', schema: 'public' }],
      roles: ['keeper'],
      checks,
    },
    copies: [FOLDER],
    lost: wishes.lost ?? [],
    ...(wishes.provider === undefined ? {} : { provider: wishes.provider }),
    location: 's3://acme-backups/postgres',
    backupUri: FOLDER,
    manifestUri: `${FOLDER}/metadata.json`,
    restoreGuideUri: `${FOLDER}/RESTORE.md`,
    restoreCommand: wishes.restoreCommand ?? `aws s3 cp ${FOLDER}/database.backup.age .\nage -d -i key.txt …`,
    findings: wishes.findings ?? [],
    timings: [
      { phase: 'preflight', seconds: 1.2 },
      { phase: 'dump and proof', seconds: 90 },
    ],
  };
}
