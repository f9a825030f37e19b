/** Audit records of one restore, as true as can be; each test falsifies one part of it. */
import type { AuditFinished, AuditPlanned, AuditStarted } from '../../src/domain/audit.ts';
import { fingerprintOfParts, type PlanMark } from '../../src/domain/plan-fingerprint.ts';
import { OCCASION, SAFETY_BACKUP, SET_ID, SET_URI } from './recovery-result.ts';

const SOURCE = { fingerprint: 'ab'.repeat(32), fingerprintKind: 'system' } as const;

export function auditStarted(over: Partial<AuditStarted> = {}): AuditStarted {
  return {
    schemaVersion: 1,
    command: 'restore',
    ...OCCASION,
    backup: {
      kind: 'set',
      id: SET_ID,
      uri: SET_URI,
      series: 'shop',
      snapshotAt: '2026-11-21T02:00:00.123Z',
      source: SOURCE,
    },
    target: { source: SOURCE, serverVersion: '17.10', database: 'shop' },
    strategy: 'swap',
    ...over,
  };
}

const PARTS = {
  backup: 'b'.repeat(12),
  target: '7'.repeat(12),
  inputs: '1'.repeat(11).concat('0'),
  entries: 'e'.repeat(12),
  drops: 'd'.repeat(12),
};
export const PLAN_MARK: PlanMark = { fingerprint: fingerprintOfParts(PARTS), parts: PARTS };

/** Of the dry run that asked for a second person. */
export function auditPlanned(over: Partial<AuditPlanned> = {}): AuditPlanned {
  return { ...auditStarted(), triggeringActor: 'octocat', ...PLAN_MARK, ...over };
}

/** Of a restore that a second person started. */
export function auditConfirmed(): AuditStarted {
  const confirmedPlan = {
    fingerprint: PLAN_MARK.fingerprint,
    uri: 's3://acme-backups/postgres/shop/_audit/20261121_021500_k3v9qa.planned.json',
    plannedAt: '2026-11-21T02:15:00.000Z',
    actor: 'octocat',
    triggeringActor: 'octocat',
  };
  return auditStarted({ confirmedPlan });
}

export function auditFinished(over: Partial<AuditFinished> = {}): AuditFinished {
  const { id, uri } = SAFETY_BACKUP;
  return {
    ...auditStarted(),
    finishedAt: '2026-11-21T03:17:41.000Z',
    outcome: 'restored',
    verdict: 'passed',
    checks: [{ id: 'tables', status: 'passed', reason: '2 of 2 tables have the recorded content' }],
    formerDatabase: 'shop_before_k3v9qa',
    safetyBackup: { id, uri },
    timings: { totalSeconds: 160.4, criticalTablesSeconds: 61, phases: [{ phase: 'restore', seconds: 80 }] },
    ...over,
  };
}

/** Of a restore that did not come to its end. */
export function auditFailed(): AuditFinished {
  const { verdict: _, ...rest } = auditFinished();
  return {
    ...rest,
    outcome: 'failed',
    checks: [],
    failure: { code: 'ERR_SWAP_FAILED', stage: 'replacing', words: 'Nothing is lost.' },
  };
}
