/** Who hears of what: levels, the table of decisions, and what an issue remembers. */
import { describe, expect, test } from 'vitest';
import { type FailureFacts, gravityOf } from '../../src/domain/notify/level.ts';
import {
  type Condition,
  readTold,
  stillTold,
  type Told,
  toldLine,
  withTold,
  withToldLine,
} from '../../src/domain/notify/told.ts';
import {
  type Hearer,
  type History,
  type NotifyRules,
  OCCASIONS,
  occasionsOf,
  type RunEvent,
  type Warned,
  whoHears,
} from '../../src/domain/notify.ts';

const NOW = new Date('2026-11-22T02:30:00Z');
const hoursAgo = (hours: number): Date => new Date(NOW.getTime() - hours * 3_600_000);

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

const AUTH = { code: 'ERR_AUTH', level: 'warning' } as const;
const toldOf = (hours: number, more: Partial<Told> = {}): Told => ({
  ...AUTH,
  to: 'slack',
  at: hoursAgo(hours),
  ...more,
});
const open = (...told: Told[]): History => ({ known: 'open-issue', told });
const FAILED: RunEvent = { kind: 'failed', condition: AUTH };

function heard(event: RunEvent, history: History, rules: Partial<NotifyRules> = {}, hearer: Partial<Hearer> = {}) {
  const all = { on: ['failure', 'recovery'], remindAfterHours: 20, now: NOW, ...rules } as const;
  return whoHears(event, history, [{ name: 'slack', ...hearer }], all)[0];
}

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

test('A start is told where it is wanted: of a restore by itself', () => {
  const rulesOf = (command: string) => ({ on: occasionsOf(command, []) });
  expect(heard({ kind: 'start' }, { known: 'unknown' }, rulesOf('restore'))?.kind).toBe('start');
  expect(heard({ kind: 'progress' }, { known: 'unknown' }, rulesOf('restore'))?.kind).toBe('progress');
  expect(heard({ kind: 'start' }, { known: 'unknown' }, rulesOf('backup'))?.kind).toBeUndefined();
  expect(occasionsOf('restore', ['failure'])).toEqual(['failure']);
});

describe('What an issue remembers', () => {
  const told: Told[] = [toldOf(2), toldOf(1, { code: 'backup-too-old+drill-overdue', level: 'critical', to: 'email' })];

  test('is read as it was written, to the minute', () => {
    const line = toldLine(told);
    expect(line).toBe(
      '<!-- db-backup-action told: ERR_AUTH/warning/slack/2026-11-22T00:30Z backup-too-old+drill-overdue/critical/email/2026-11-22T01:30Z -->',
    );
    expect(readTold(`We look into it.\n${line}\nmore`)).toEqual(told);
  });

  test('is nothing where it is missing, and what is broken in it is left out', () => {
    expect(readTold('An issue of an earlier version')).toEqual([]);
    expect(readTold(toldLine([]))).toEqual([]);
    const good = 'ERR_AUTH/warning/slack/2026-11-22T00:30Z';
    for (const bad of [
      'x',
      'ERR_AUTH/grave/slack/2026-11-22T00:30Z',
      'E/warning/pager/2026-11-22T00:30Z',
      'E/warning/slack/2026-99-22T00:30Z',
    ]) {
      expect(readTold(`<!-- db-backup-action told: ${bad} ${good} -->`), bad).toEqual([toldOf(2)]);
    }
  });

  test('takes the place of what it remembered before, and stands first where it did not', () => {
    const body = `<!-- marker -->\n${toldLine([toldOf(9)])}\nwords $& words`;
    expect(withToldLine(body, told)).toBe(`<!-- marker -->\n${toldLine(told)}\nwords $& words`);
    expect(withToldLine('words', told)).toBe(`${toldLine(told)}\nwords`);
  });

  test('is the latest of each, and never grows without end', () => {
    expect(withTold([toldOf(9), toldOf(8, { to: 'email' })], [toldOf(1)])).toEqual([
      toldOf(8, { to: 'email' }),
      toldOf(1),
    ]);
    const many = Array.from({ length: 100 }, (_, at) => toldOf(200 - at, { code: `ERR_${at}` }));
    const kept = withTold(many, []);
    expect(kept).toHaveLength(24);
    expect(kept.at(-1)?.code).toBe('ERR_99');
  });

  test('cannot be broken out of', () => {
    const line = toldLine([toldOf(1, { code: 'x --> <!-- y /a b' })]);
    expect(line.match(/-->/g)).toHaveLength(1);
    expect(readTold(line)).toHaveLength(1);
    expect(
      heard(
        { kind: 'failed', condition: { ...AUTH, code: 'x --> y' } },
        open(...readTold(toldLine([toldOf(1, { code: 'x --> y' })]))),
      )?.kind,
    ).toBeUndefined();
  });
});
