/** A finished restore or drill as its command hands it to the report, made up: for tests of words, not of restores. */
import type { DrillResult, RestoreResult, RunNews } from '../../src/command.ts';
import type { Occasion } from '../../src/domain/audit.ts';
import type { Check, CheckStatus } from '../../src/domain/checks.ts';
import { type Recovery, recoveryVerdict, type Strategy } from '../../src/domain/recovery.ts';

export const SET_ID = '20261121_020000_nightly_k3v9qa';
export const SET_URI = `s3://acme-backups/postgres/shop/${SET_ID}`;
export const TARGET = 'db.acme.com/shop';

export const OCCASION: Occasion = {
  startedAt: '2026-11-21T03:15:00.000Z',
  actor: 'octocat',
  reason: 'the orders of Friday are gone',
  run: {
    repository: 'acme/shop',
    workflow: 'Restore',
    runId: '123',
    runAttempt: '1',
    sha: 'c0ffee',
    actor: 'octocat',
    url: 'https://github.com/acme/shop/actions/runs/123',
  },
  action: { version: '1.0.0' },
};

export const SAFETY_BACKUP = {
  id: '20261121_031600_emergency_9x2mfd',
  uri: 's3://acme-backups/postgres/shop/20261121_031600_emergency_9x2mfd',
  restoreCommand: 'aws s3 cp s3://acme-backups/… - | age -d | pg_restore --dbname "$NEW_DATABASE"',
};

export interface RecoveryWishes {
  /** Of the check `tables`; the others passed. */
  status?: CheckStatus;
  details?: string[];
  strategy?: Strategy;
  more?: Partial<Recovery>;
}

export function recoveryOf({ status = 'passed', details = [], strategy = 'new-database', more }: RecoveryWishes = {}) {
  const checks: Check[] = [
    { id: 'archive', status: 'passed', reason: 'All stored bytes are what the manifest says', details: [] },
    { id: 'tables', status, reason: '2 of 2 tables have the recorded content', details },
  ];
  const recovery: Recovery = {
    source: {
      kind: 'set',
      id: SET_ID,
      series: 'shop',
      uri: SET_URI,
      snapshotAt: '2026-11-21T02:00:00.123Z',
      major: 15,
    },
    target: {
      host: 'db.acme.com',
      fingerprint: TARGET,
      serverVersion: '17.10',
      database: strategy === 'new-database' ? 'shop_restored_k3v9qa' : 'shop',
      ...(strategy === 'swap' ? { formerDatabase: 'shop_before_k3v9qa' } : {}),
    },
    checks,
    verdict: recoveryVerdict(checks),
    phases: [
      { phase: 'fetch', seconds: 20 },
      { phase: 'decrypt', seconds: 5 },
      { phase: 'restore', seconds: 80 },
      { phase: 'index', seconds: 20 },
      { phase: 'prove', seconds: 25 },
    ],
    criticalTablesSeconds: 61,
    totalSeconds: 160.4,
    totals: { tables: 2, rows: 20_500, largeObjects: 0 },
    messages: [],
    leftOut: [],
    findings: [],
    ...more,
  };
  return recovery;
}

const SWAP_BACK = {
  words: 'To swap back, while nobody is connected:',
  commands: [
    'BEGIN;',
    'ALTER DATABASE "shop" RENAME TO "shop_restored_k3v9qa";',
    'ALTER DATABASE "shop_before_k3v9qa" RENAME TO "shop";',
    'COMMIT;',
  ],
};

export function restoreResult(wishes: RecoveryWishes & { acceptPartial?: boolean } = {}): RestoreResult {
  const { strategy = 'new-database', acceptPartial = false } = wishes;
  return {
    command: 'restore',
    outcome: 'restored',
    recovery: recoveryOf(wishes),
    strategy,
    acceptPartial,
    ...(strategy === 'new-database' ? {} : { safetyBackup: SAFETY_BACKUP }),
    wayBack: {
      swap: [SWAP_BACK],
      'new-database': [{ words: 'When it is of no more use:', commands: ['DROP DATABASE "shop_restored_k3v9qa";'] }],
      'in-place': [],
    }[strategy],
    occasion: OCCASION,
    timeline: [
      { at: '2026-11-21T03:15:01.000Z', what: 'The backup was chosen' },
      { at: '2026-11-21T03:17:40.000Z', what: 'The proof passed' },
    ],
    auditUris: ['s3://acme-backups/postgres/shop/_audit/20261121_031500_abcdef.started.json'],
    findings: [],
  };
}

export function drillResult(wishes: RecoveryWishes & { acceptPartial?: boolean } = {}): DrillResult {
  return {
    command: 'drill',
    outcome: 'drilled',
    recovery: recoveryOf(wishes),
    acceptPartial: wishes.acceptPartial ?? false,
    rpoSeconds: 4_500,
    recordUris: [`s3://acme-backups/postgres/shop/_drills/${SET_ID}/20261121_031500_abcdef.json`],
    occasion: OCCASION,
    finishedAt: new Date('2026-11-21T03:25:00Z'),
    findings: [],
  };
}

/** What a restore has told by the time when it works on the database that is there. */
export function restoreNews(strategy: Strategy, more: Partial<RunNews> = {}): Partial<RunNews> {
  return {
    command: 'restore',
    name: 'shop',
    backupId: SET_ID,
    backupUri: SET_URI,
    strategy,
    targetFingerprint: TARGET,
    database: 'shop',
    ...(strategy === 'in-place' ? {} : { newDatabase: 'shop_restored_k3v9qa' }),
    ...(strategy === 'swap' ? { formerDatabase: 'shop_before_k3v9qa' } : {}),
    ...more,
  };
}
