import { describe, expect, it, test } from 'vitest';
import { isStaleWrite, MAX_DURATION_MINUTES, staleBefore } from '../../src/domain/stale-writes.ts';

const OLD = new Date('2026-11-01T02:00:00Z');
const limit = new Date('2026-11-10T00:00:00Z');
const SET = '20261101_020000_nightly_k3v9qa';

test('no run that is still going on can have begun before the limit, whatever its own settings', () => {
  const now = new Date('2026-11-21T12:00:00Z');
  expect(now.getTime() - staleBefore(now).getTime()).toBeGreaterThan(MAX_DURATION_MINUTES * 60_000);
});

describe('an unfinished write', () => {
  const stale = (key: string, startedAt = OLD) => isStaleWrite({ key, startedAt }, 'shop', limit);

  it.each([`shop/${SET}/database.backup.age`, `shop/${SET}/database.dir/42.dat`])('%s of a dead run is stale', (key) =>
    expect(stale(key)).toBe(true),
  );

  it('is not stale while the storage or its own name says that it is young', () => {
    expect(stale(`shop/${SET}/database.backup`, limit)).toBe(false);
    expect(stale('shop/20261110_000000_nightly_k3v9qa/database.backup')).toBe(false);
  });

  it.each([
    `shop2/${SET}/database.backup`,
    `other/shop/${SET}/database.backup`,
    `shop/${SET}`,
    `shop/${SET}/`,
    'shop/20261301_020000_nightly_k3v9qa/database.backup',
    'shop/20261101_020000_Nightly_k3v9qa/database.backup',
    'shop/_drills/database.backup',
    'shop/photos/cat.jpg',
    'shop/database.backup',
    '',
  ])('%j is not this series’ own, and never stale', (key) => expect(stale(key)).toBe(false));
});
