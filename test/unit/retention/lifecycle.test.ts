/** Rules of a bucket, held against a policy. */
import { describe, expect, test } from 'vitest';
import {
  type LifecycleRule,
  lifecycleFindings,
  longestKeptDays,
  proposeLifecycle,
} from '../../../src/domain/retention/lifecycle.ts';
import type { RetentionPolicy } from '../../../src/domain/retention/policy.ts';
import { policyOf } from '../../support/retention-cases.ts';

const FOLDER = 'postgres/shop/';
const YEAR = policyOf({ rules: { daily: 14, weekly: 12, monthly: 12 } });
const ABORTS: LifecycleRule = {
  id: 'tidy',
  enabled: true,
  prefix: '',
  tagged: false,
  transitions: [],
  abortsAfterDays: 7,
};
const rule = (over: Partial<LifecycleRule>): LifecycleRule => ({ ...ABORTS, id: 'old', ...over });

function codes(rules: readonly LifecycleRule[], policy: RetentionPolicy = YEAR): string[] {
  return lifecycleFindings(rules, FOLDER, policy, 's3://acme/postgres').map(
    ({ code, severity }) => `${severity} ${code}`,
  );
}

test.each<[Partial<RetentionPolicy>, number]>([
  [{ rules: { last: 7 } }, 7],
  [{ rules: { hourly: 36 } }, 2],
  [{ rules: { daily: 14, weekly: 12, monthly: 12 } }, 372],
  [{ rules: { yearly: 3, withinDays: 30 } }, 1098],
  [{ rules: { daily: 7 }, labels: [{ pattern: 'audit', keep: { withinDays: 400 } }] }, 400],
  [{ rules: { daily: 7 }, labels: [{ pattern: 'audit', keep: 'forever' }] }, Number.POSITIVE_INFINITY],
  [{ labels: [{ pattern: 'audit', keep: { withinDays: 4 } }] }, Number.POSITIVE_INFINITY],
])('%j keeps a backup for at most %d days', (policy, days) => {
  expect(longestKeptDays(policyOf(policy))).toBe(days);
});

describe('A rule that', () => {
  test.each<[string, Partial<LifecycleRule>, string[]]>([
    ['deletes a day too early is an error', { expiresAfterDays: 371 }, ['error lifecycle-too-short']],
    ['deletes later than the policy is a warning', { expiresAfterDays: 372 }, ['warning lifecycle-deletes-all']],
    ['deletes on a day is an error', { expiresOn: '2027-01-01' }, ['error lifecycle-too-short']],
    ['deletes what lies above is one too', { expiresAfterDays: 30, prefix: 'post' }, ['error lifecycle-too-short']],
    [
      'deletes a part of the series is one too',
      { expiresAfterDays: 30, prefix: 'postgres/shop/2026' },
      ['error lifecycle-too-short'],
    ],
    ['deletes another series is none of ours', { expiresAfterDays: 30, prefix: 'postgres/shop-eu/' }, []],
    ['is switched off does nothing', { expiresAfterDays: 30, enabled: false }, []],
    ['asks for tags does not reach objects without', { expiresAfterDays: 30, tagged: true }, []],
    [
      'freezes archives is a warning',
      { transitions: [{ days: 30, storageClass: 'DEEP_ARCHIVE' }] },
      ['warning lifecycle-freezes'],
    ],
    ['moves to a class that can be read is fine', { transitions: [{ days: 30, storageClass: 'GLACIER_IR' }] }, []],
  ])('%s', (_what, over, found) => {
    expect(codes([ABORTS, rule(over)])).toEqual(found);
  });
});

test.each<[string, LifecycleRule[]]>([
  ['nothing', []],
  ['a rule that is about something else', [{ ...ABORTS, prefix: 'logs/' }]],
  ['a rule for a part of the series', [{ ...ABORTS, prefix: 'postgres/shop/2026' }]],
  ['a rule that is switched off', [{ ...ABORTS, enabled: false }]],
])('unfinished uploads that %s discards are a notice', (_what, rules) => {
  expect(codes(rules)).toEqual(['notice lifecycle-no-abort']);
});

test('names the rule, both times and what to do', () => {
  const [finding] = lifecycleFindings([ABORTS, rule({ expiresAfterDays: 30 })], FOLDER, YEAR, 's3://acme/postgres');
  expect(finding?.seen).toBe(
    'The lifecycle rule "old" of the bucket of s3://acme/postgres deletes backups after 30 days, and the policy keeps them up to 372 days',
  );
  expect(finding?.action).toContain('Remove the expiration');
});

describe('Proposed rules', () => {
  const place = { root: 'postgres/', folder: FOLDER, amazon: true, versions: false };

  /** As S3 would give them back. */
  function asRead(proposal: object): LifecycleRule[] {
    const { Rules } = proposal as { Rules: { ID: string; Filter: { Prefix?: string; And?: { Prefix: string } } }[] };
    return Rules.map(({ ID, Filter, ...rest }) => {
      const { Transitions = [], AbortIncompleteMultipartUpload: abort } = rest as {
        Transitions?: { Days: number; StorageClass: string }[];
        AbortIncompleteMultipartUpload?: { DaysAfterInitiation: number };
      };
      expect(rest).not.toHaveProperty('Expiration');
      return {
        ...{ id: ID, enabled: true, tagged: false, prefix: Filter.Prefix ?? Filter.And?.Prefix ?? '' },
        transitions: Transitions.map(({ Days, StorageClass }) => ({ days: Days, storageClass: StorageClass })),
        ...(abort === undefined ? {} : { abortsAfterDays: abort.DaysAfterInitiation }),
      };
    });
  }

  test.each([YEAR, policyOf({ rules: { last: 1 } }), policyOf({ rules: { yearly: 10 } })])(
    'have nothing against them: %j',
    (policy) => {
      for (const amazon of [true, false]) {
        for (const versions of [true, false]) {
          expect(codes(asRead(proposeLifecycle(policy, { ...place, amazon, versions })), policy)).toEqual([]);
        }
      }
    },
  );

  test.each<[string, RetentionPolicy, string[]]>([
    ['nowhere what goes within two months', policyOf({ rules: { daily: 59 } }), []],
    ['what stays for two months', policyOf({ rules: { daily: 60 } }), ['30 STANDARD_IA']],
    ['what stays for half a year', policyOf({ rules: { daily: 180 } }), ['30 STANDARD_IA', '90 GLACIER_IR']],
  ])('move %s', (_what, policy, moves) => {
    const moved = asRead(proposeLifecycle(policy, place)).flatMap(({ transitions }) => transitions);
    expect(moved.map(({ days, storageClass }) => `${days} ${storageClass}`)).toEqual(moves);
    expect(JSON.stringify(proposeLifecycle(policy, { ...place, amazon: false }))).not.toContain('StorageClass');
  });

  test('expire hidden versions alone, and only where there are some', () => {
    expect(JSON.stringify(proposeLifecycle(YEAR, { ...place, versions: true }))).toContain('NoncurrentDays');
    expect(JSON.stringify(proposeLifecycle(YEAR, place))).not.toContain('Noncurrent');
  });
});
