/** Who hears of what a green run warns of. */
import { describe, expect, test } from 'vitest';
import { type Condition, stillTold, type Told } from '../../src/domain/notify/told.ts';
import { type NotifyRules, OCCASIONS, type Warned } from '../../src/domain/notify.ts';
import { heard, NOW, open, toldOf } from '../support/hearing.ts';

describe('A warning of a green run', () => {
  const SHRUNK = { code: 'size-changed', level: 'warning' } as const;
  const SLOW = { code: 'slow', level: 'warning' } as const;
  const told = (hours: number, more: Partial<Told> = {}): Told => toldOf(hours, { ...SHRUNK, ...more });
  const green = (...conditions: Condition[]) => ({ conditions });
  const ALL: Partial<NotifyRules> = { on: ['failure', 'recovery', 'warning'] };

  test.each<[string, Warned, Partial<NotifyRules>, string | undefined, string]>([
    ['that is new', { ...green(SHRUNK), before: [] }, ALL, 'warning', 'that you were not told of here yet'],
    ['that nothing remembers', green(SHRUNK), ALL, 'warning', 'nothing remembers who was told'],
    ['that was told here', { ...green(SHRUNK), before: [told(1)] }, ALL, undefined, 'it was told 1 h 0 min ago'],
    [
      'that was told to others',
      { ...green(SHRUNK), before: [told(1, { to: 'email' })] },
      ALL,
      'warning',
      'not told of',
    ],
    ['beside one that was told', { ...green(SHRUNK, SLOW), before: [told(1)] }, ALL, 'warning', 'something else'],
    ['that lasts', { ...green(SLOW, SHRUNK), before: [told(21), told(1, SLOW)] }, ALL, 'reminder', 'still warns of it'],
    [
      'that became critical',
      { ...green({ ...SHRUNK, level: 'critical' }), before: [told(1)] },
      ALL,
      'worse',
      'it has become critical',
    ],
    ['that is over', { ...green(), before: [told(1)] }, ALL, 'recovery', 'what you were warned of is over'],
    ['that others were told of and is over', { ...green(), before: [told(1, { to: 'email' })] }, ALL, undefined, ''],
    ['that is over where that is not wanted', { ...green(), before: [told(1)] }, { on: ['warning'] }, undefined, 'out'],
    ['that is not wanted', { ...green(SHRUNK), before: [] }, {}, undefined, '`notify-on` leaves warning out'],
    [
      'beside a success that is',
      { ...green(SHRUNK), before: [told(1)] },
      { on: OCCASIONS },
      'success',
      'every success',
    ],
  ])('%s', (_, warned, rules, kind, reason) => {
    const decision = heard({ kind: 'green', proven: true, warned }, { known: 'no-issue' }, rules);
    expect(decision?.kind).toBe(kind);
    expect(decision?.reason).toContain(reason);
  });

  test('comes with the recovery that ends a failure, and calls nobody through a service that keeps what is open', () => {
    const event = { kind: 'green', proven: true, warned: { ...green(SHRUNK), before: [] } } as const;
    expect(heard(event, open(toldOf(1)), ALL)?.kind).toBe('recovery');
    const unproven = { ...event, proven: false };
    expect(heard(unproven, { known: 'no-issue' }, ALL, { keepsState: true })?.kind).toBeUndefined();
    expect(heard(unproven, { known: 'no-issue' }, ALL)?.kind).toBe('warning');
  });

  test('is remembered as long as it lasts, of whoever heard of it', () => {
    const before = [told(1), told(2, { to: 'email' }), told(3, { code: 'gone' })];
    expect(stillTold(before, [SHRUNK], { to: ['slack'], at: NOW })).toEqual([before[1], told(0)]);
    expect(stillTold(before, [], { to: ['slack'], at: NOW })).toEqual([]);
    expect(stillTold(before, [SHRUNK], { to: [], at: NOW })).toEqual(before.slice(0, 2));
  });
});
