/** Who hears of a failure, a success and a start, and why. */
import { describe, expect, test } from 'vitest';
import { type Told, withTold } from '../../src/domain/notify/told.ts';
import {
  type History,
  type NotifyRules,
  OCCASIONS,
  occasionsOf,
  type RunEvent,
  whoHears,
} from '../../src/domain/notify.ts';
import { AUTH, FAILED, heard, NOW, open, toldOf } from '../support/hearing.ts';

describe('A failure is told', () => {
  test.each<[string, History, RunEvent, string | undefined]>([
    ['when it is the first', { known: 'no-issue' }, FAILED, 'failure'],
    ['when no issue remembers who was told', { known: 'unknown' }, FAILED, 'failure'],
    ['when an issue of an earlier version does not say', open(), FAILED, 'failure'],
    ['when another failure was told', open(toldOf(1, { code: 'ERR_TLS' })), FAILED, 'failure'],
    ['when somebody else was told', open(toldOf(1, { to: 'email' })), FAILED, 'failure'],
    ['not when it was told an hour ago', open(toldOf(1)), FAILED, undefined],
    ['not when it was told 19 hours ago', open(toldOf(19)), FAILED, undefined],
    ['when it was told last night', open(toldOf(22.9)), FAILED, 'reminder'],
    ['when it became worse', open(toldOf(1)), { kind: 'failed', condition: { ...AUTH, level: 'critical' } }, 'worse'],
    ['not when it became better', open(toldOf(1, { level: 'critical' })), FAILED, undefined],
    ['not when it comes in turn with another', open(toldOf(2), toldOf(1, { code: 'ERR_TLS' })), FAILED, undefined],
    ['when a clock that was wrong told it tomorrow', open(toldOf(-24)), FAILED, 'reminder'],
  ])('%s', (_, history, event, kind) => {
    const decision = heard(event, history);
    expect(decision?.kind).toBe(kind);
    expect(decision?.reason).not.toBe('');
  });

  test('about once a day when it comes every half hour, and every night when it comes at night', () => {
    const tell = (everyHours: number, days: number): number => {
      let told: Told[] = [];
      let count = 0;
      for (let hours = 0; hours < days * 24; hours += everyHours) {
        const now = new Date(NOW.getTime() + hours * 3_600_000);
        const history: History = hours === 0 ? { known: 'no-issue' } : open(...told);
        const rules = { on: ['failure'], remindAfterHours: 20, now } as const;
        const [decision] = whoHears(FAILED, history, [{ name: 'slack' }], rules);
        if (decision?.kind === undefined) continue;
        count += 1;
        told = withTold(told, [{ ...AUTH, to: 'slack', at: now }]);
      }
      return count;
    };
    expect(tell(0.5, 10)).toBe(12);
    expect(tell(24, 10)).toBe(10);
  });

  test('each time with `remind-after-hours: 0`, and never without `failure`', () => {
    expect(heard(FAILED, open(toldOf(0)), { remindAfterHours: 0 })?.kind).toBe('reminder');
    expect(heard(FAILED, { known: 'no-issue' }, { on: ['recovery'] })).toEqual({
      to: 'slack',
      reason: '`notify-on` leaves failure out',
    });
  });

  test('each time to a service that makes one of many by itself', () => {
    expect(heard(FAILED, open(toldOf(0)), {}, { keepsState: true })?.kind).toBe('failure');
  });
});

test.each<[string, History, RunEvent, Partial<NotifyRules>, string]>([
  ['new', { known: 'no-issue' }, FAILED, {}, 'the run failed, and no open issue was about it: this is new'],
  [
    'without an issue',
    { known: 'unknown' },
    FAILED,
    {},
    'the run failed, and there is no issue to look up in whether you know already',
  ],
  [
    'not told here',
    open(toldOf(1, { to: 'email' })),
    FAILED,
    {},
    'the run failed as the open issue says, and you were not told of it here yet',
  ],
  [
    'another',
    open(toldOf(1, { code: 'ERR_TLS' })),
    FAILED,
    {},
    'the run failed again, and for another reason than those that you were told',
  ],
  [
    'worse',
    open(toldOf(1)),
    { kind: 'failed', condition: { ...AUTH, level: 'critical' } },
    {},
    'it has become critical; when you were told last it was a warning',
  ],
  ['a reminder', open(toldOf(23)), FAILED, {}, 'it still fails; you were told last 23 h 0 min ago'],
  [
    'a reminder by a clock',
    open(toldOf(-24)),
    FAILED,
    {},
    'it still fails, and a clock was wrong: nobody knows when you were told last',
  ],
  ['nothing yet', open(toldOf(1)), FAILED, {}, 'it was told 1 h 0 min ago, and is told again after 20 h'],
  [
    'a recovery',
    open(toldOf(1)),
    { kind: 'green', proven: true },
    {},
    'the run succeeded, so that the failure before it is over',
  ],
  [
    'a success',
    { known: 'no-issue' },
    { kind: 'green', proven: true },
    { on: OCCASIONS },
    'every success of this command is told here',
  ],
  [
    'a start',
    { known: 'unknown' },
    { kind: 'start' },
    { on: OCCASIONS },
    'every start of this command is told here, and how far it is',
  ],
])('The reason of a message says to whoever was woken why: %s', (_, history, event, rules, reason) => {
  expect(heard(event, history, rules)?.reason).toBe(reason);
});

describe('A success', () => {
  const PROVEN = { kind: 'green', proven: true } as const;

  test.each<[string, RunEvent, History, Partial<NotifyRules>, string | undefined]>([
    ['after a failure is a recovery', PROVEN, open(toldOf(1)), {}, 'recovery'],
    ['after a failure that nobody was told of is one too', PROVEN, open(), {}, 'recovery'],
    ['after a success is not told', PROVEN, { known: 'no-issue' }, {}, undefined],
    ['of which nothing is known is not told', PROVEN, { known: 'unknown' }, {}, undefined],
    ['is told to whoever wants all', PROVEN, { known: 'no-issue' }, { on: OCCASIONS }, 'success'],
    ['is a success where recoveries are not wanted', PROVEN, open(toldOf(1)), { on: ['success'] }, 'success'],
    ['is not told where neither is wanted', PROVEN, open(toldOf(1)), { on: ['failure'] }, undefined],
    ['without anything proven ends nothing', { kind: 'green', proven: false }, open(toldOf(1)), {}, undefined],
  ])('%s', (_, event, history, rules, kind) => {
    expect(heard(event, history, rules)?.kind).toBe(kind);
  });

  test('is always a recovery to a service that knows what is open', () => {
    expect(heard(PROVEN, { known: 'unknown' }, {}, { keepsState: true })?.kind).toBe('recovery');
    expect(
      heard({ kind: 'green', proven: false }, { known: 'unknown' }, {}, { keepsState: true })?.kind,
    ).toBeUndefined();
  });
});

test('A start is told where it is wanted: of a restore by itself', () => {
  const rulesOf = (command: string) => ({ on: occasionsOf(command, []) });
  expect(heard({ kind: 'start' }, { known: 'unknown' }, rulesOf('restore'))?.kind).toBe('start');
  expect(heard({ kind: 'progress' }, { known: 'unknown' }, rulesOf('restore'))?.kind).toBe('progress');
  expect(heard({ kind: 'start' }, { known: 'unknown' }, rulesOf('backup'))?.kind).toBeUndefined();
  expect(occasionsOf('restore', ['failure'])).toEqual(['failure']);
});
