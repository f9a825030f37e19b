/** How grave a failure is. */
import { describe, expect, test } from 'vitest';
import { type FailureFacts, gravityOf } from '../../src/domain/notify/level.ts';
import { hoursAgo, NOW } from '../support/hearing.ts';

describe('A failure', () => {
  const found = (hours: number): FailureFacts['good'] => ({
    known: 'found',
    id: 'x',
    snapshotAt: hoursAgo(hours).toISOString(),
    uri: 's3://x',
  });
  const UNREADABLE = { known: 'unreadable', why: 'no' } as const;

  test.each([
    ['the backup of last night is good', 'backup', found(24.4), undefined, 'warning'],
    ['the newest good backup is of the night before', 'backup', found(48.4), undefined, 'critical'],
    ['it is just as old as it may be', 'backup', found(26), undefined, 'warning'],
    ['there is no good backup at all', 'prune', { known: 'none' }, undefined, 'critical'],
    ['storage cannot be read', 'backup', UNREADABLE, undefined, 'warning'],
    ['storage cannot be read since an hour', 'backup', UNREADABLE, hoursAgo(1), 'warning'],
    ['storage cannot be read since yesterday', 'backup', UNREADABLE, hoursAgo(27), 'critical'],
    ['it is the first drill that fails', 'drill', found(3), undefined, 'warning'],
    ['it is the second drill in a row', 'drill', found(3), hoursAgo(700), 'critical'],
    ['it is the second restore in a row', 'restore', found(3), hoursAgo(1), 'warning'],
  ] as const)('when %s (%s)', (_, command, good, failingSince, level) => {
    const facts = { command, good, now: NOW, ...(failingSince === undefined ? {} : { failingSince }) };
    expect(gravityOf(facts).level).toBe(level);
  });

  test('that brings its own level has that one', () => {
    const facts = { command: 'status', good: { known: 'none' }, now: NOW } as const;
    for (const level of ['info', 'warning', 'critical'] as const) {
      expect(gravityOf({ ...facts, level })).toEqual({ level, why: 'given' });
    }
  });
});
