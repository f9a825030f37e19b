import { describe, expect, test } from 'vitest';
import { whatIsUnproven } from '../../src/domain/manifest.ts';
import type { RecoverySource } from '../../src/domain/recovery.ts';
import { checkFetched } from '../../src/domain/recovery-checks.ts';
import { assessPartial, type PartialInput } from '../../src/domain/strategy/partial.ts';
import { strategyError } from '../../src/domain/strategy.ts';

const PROVEN: RecoverySource = { kind: 'set', id: '20261121_020000_nightly_k3v9qa', series: 'shop', uri: '/backups' };
const UNPROVEN: RecoverySource = { ...PROVEN, unproven: ['critical-tables: public.orders is empty'] };
const FOREIGN: RecoverySource = { kind: 'foreign', id: 'shop.sql', uri: '/dumps/shop.sql' };

describe('the archive of a restore', () => {
  test('is passed for a proven set alone', () => {
    expect(checkFetched(PROVEN).status).toBe('passed');
    expect(checkFetched(FOREIGN)).toMatchObject({ status: 'partial', details: [] });
  });

  test('is partial for a set that was never proven, and says what was against it', () => {
    expect(checkFetched(UNPROVEN)).toMatchObject({
      status: 'partial',
      reason: expect.stringContaining('never proven'),
      details: ['critical-tables: public.orders is empty'],
    });
  });

  test('is doubted for each check of the manifest that did not pass', () => {
    const checks = [
      { id: 'tables', status: 'passed', reason: 'All counted' },
      { id: 'stored', status: 'partial', reason: 'Not read back' },
    ] as const;
    expect(whatIsUnproven({ checks: [...checks] })).toEqual(['stored: Not read back']);
    expect(whatIsUnproven({ checks: [] })).toEqual(['no check was made']);
  });
});

describe('what can be partial at best', () => {
  const refusal = (over: Partial<PartialInput>) =>
    strategyError(
      assessPartial({
        ...{ strategy: 'swap', targetIsEmpty: false, source: PROVEN, gaps: [], acceptPartial: false },
        ...over,
      }),
    );

  test.each<[string, Partial<PartialInput>, RegExp]>([
    ['a set that was never proven', { source: UNPROVEN }, /never proven/],
    ['a dump made by other means', { source: FOREIGN, strategy: 'in-place' }, /made by other means/],
    ['a backup that the target cannot take whole', { gaps: ['extension pg_graphql'] }, /1 part.*pg_graphql/],
  ])('does not replace a database: %s', (_what, over, words) => {
    const error = refusal(over);
    expect(error?.code).toBe('ERR_NOT_PROVEN');
    expect(error?.message).toMatch(words);
    expect(error?.hint).toContain('accept-partial: true');
  });

  test('names the proven one where there may be one', () => {
    expect(refusal({ source: UNPROVEN })?.hint).toContain('latest-proven');
    expect(refusal({ source: FOREIGN })?.hint).not.toContain('latest-proven');
  });

  test.each<[string, Partial<PartialInput>]>([
    ['when all of it can be proven', {}],
    ['when it was accepted', { source: UNPROVEN, acceptPartial: true }],
    ['beside what is there', { source: UNPROVEN, strategy: 'new-database' }],
    ['into an empty database', { source: UNPROVEN, strategy: 'in-place', targetIsEmpty: true }],
  ])('is restored %s', (_when, over) => {
    expect(refusal(over)).toBeUndefined();
  });
});
