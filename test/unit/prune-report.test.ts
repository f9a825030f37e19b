/** The words of a prune: what it removed, what went wrong, and what is safe at every stage of it. */
import { describe, expect, test } from 'vitest';
import { BackupError } from '../../src/domain/errors.ts';
import type { PrunedDestination, PruneResult } from '../../src/domain/retention/result.ts';
import { describeFailure, describeTrouble } from '../../src/report/failure.ts';
import { outputsOf } from '../../src/report/outputs.ts';
import { pruneLine, pruneSummary } from '../../src/report/prune-report.ts';
import { readable } from '../support/expect-run.ts';
import { planOf } from '../support/retention-cases.ts';

const PLAN = planOf({
  title: '',
  policy: { rules: { daily: 2 } },
  now: '2026-11-21T12:00',
  sets: '2026-11-18..2026-11-21 02:00',
});
const REMOVE = PLAN.remove.map(({ set }) => set.id);
const DENIED = new BackupError('ERR_STORAGE_DENIED', 'Could not delete it: not allowed.', {
  op: 'delete',
  hint: 'Allow s3:DeleteObject.',
});

function destination(over: Partial<PrunedDestination> = {}): PrunedDestination {
  const newest = PLAN.keep[0]?.set.id ?? '';
  return {
    location: 's3://acme-backups/postgres',
    plan: PLAN,
    newestProven: { id: newest, uri: `s3://acme-backups/postgres/shop/${newest}` },
    removed: REMOVE,
    left: [],
    cleared: [],
    records: 0,
    auditUris: [],
    ...over,
  };
}

function pruned(over: Partial<PruneResult> = {}): PruneResult {
  return {
    ...{ command: 'prune', outcome: 'pruned', dryRun: false, name: 'shop', policy: ['keep-daily=2'] },
    ...{ destinations: [destination()], findings: [] },
    ...over,
  };
}

const shown = (result: PruneResult): string => readable(pruneSummary(result, (text) => text));

describe('A prune', () => {
  test('that ended well shows each backup with the reason', () => {
    expect(describeTrouble(pruned())).toBeUndefined();
    expect(shown(pruned())).toContain('2 backups kept, 2 removed.');
    expect(shown(pruned())).toContain(`| ${REMOVE[0]} | proven | older than the newest 2 days with a backup |`);
    expect(pruneLine(pruned())).toBe('s3://acme-backups/postgres: 2 backups removed, 2 kept');
    expect(Object.fromEntries(outputsOf(pruned()))).toEqual({ removed: '2', kept: '2', findings: '[]' });
  });

  test('counts a backup once that two destinations held', () => {
    const two = pruned({ destinations: [destination(), destination({ location: '/data/backups' })] });
    expect(Object.fromEntries(outputsOf(two))).toMatchObject({ removed: '2', kept: '2' });
  });

  test('that broke off says how many of the planned ones are gone, which are left, and what is safe', () => {
    const [gone = '', left = ''] = REMOVE;
    const broken = pruned({
      destinations: [
        destination({ removed: [gone], left: [{ id: left, why: 'denied; it is untouched' }], error: DENIED }),
      ],
    });
    expect(describeTrouble(broken)).toMatchObject({
      title: 'The prune of "shop" failed (ERR_STORAGE_DENIED)',
      problems: [`${left}: denied; it is untouched`],
      safety: expect.stringMatching(
        /^Every backup that the policy keeps is untouched\. .* 1 backup that the policy lets go was removed; the newest proven one, 20261121_\S+, is kept\.$/,
      ),
      action: 'Allow s3:DeleteObject.',
    });
    expect(shown(broken)).toContain('2 backups kept, 1 of 2 removed.');
    expect(shown(broken)).toContain(`${left}: denied; it is untouched`);
  });

  test('that failed at one of two destinations says at how many', () => {
    const { plan: _, ...unread } = destination({ location: '/gone', removed: [], error: DENIED });
    const half = pruned({ destinations: [destination(), unread] });
    expect(describeTrouble(half)?.title).toBe('The prune of "shop" failed at 1 of 2 destinations (ERR_STORAGE_DENIED)');
    expect(shown(half)).toContain('No plan could be made: Could not delete it: not allowed.');
  });

  test('names in its summary cannot break out of it', () => {
    const hostile = destination({ left: [{ id: REMOVE[0] ?? '', why: '| <img src=x> | @everybody' }] });
    expect(pruneSummary(pruned({ destinations: [hostile] }), (text) => text)).not.toMatch(/<img|@everybody/);
  });

  test('that ended before it removed anything says so, and one that was removing says what is certain', () => {
    const cancelled = new BackupError('ERR_CANCELLED', 'The run was cancelled', { op: 'run', hint: 'Run it again.' });
    expect(describeFailure(cancelled, { command: 'prune', stage: 'preparing', name: 'shop' }).safety).toBe(
      'Nothing was removed. All backups are untouched.',
    );
    const lastGood = {
      known: 'found',
      id: 'the-newest',
      snapshotAt: '2026-11-21T02:00:00.000Z',
      uri: 's3://x',
    } as const;
    const words = describeFailure(cancelled, { command: 'prune', stage: 'pruning', name: 'shop', lastGood });
    expect(words.title).toBe('The prune of "shop" failed (ERR_CANCELLED)');
    expect(words.safety).toMatch(
      /may be removed already.*Every backup that it keeps is untouched\. The newest proven one is the-newest\./,
    );
    expect(words.toType).toEqual([]);
    const after = describeFailure(cancelled, {
      command: 'backup',
      stage: 'pruning',
      backupUri: 's3://x/shop/id',
      lastGood,
    });
    expect(after.safety).toMatch(
      /^The backup itself is stored and complete: s3:\/\/x\/shop\/id\. What failed is the prune after it\./,
    );
  });
});
