import { describe, expect, test } from 'vitest';
import { describeGoodBackup, newestProven } from '../../src/domain/alarm/good-backup.ts';
import {
  type AlarmSubject,
  alarmMarker,
  type Failing,
  isOfRun,
  issuesAbout,
  type OpenIssue,
  planAfterOpening,
  planForFailure,
  planForSuccess,
  runMarker,
} from '../../src/domain/alarm.ts';
import { toldLine } from '../../src/domain/notify/told.ts';
import { formatAge } from '../../src/domain/words.ts';
import { SHOP, STEP, STORAGE } from '../support/alarm-subjects.ts';
import { backupResult } from '../support/backup-result.ts';

const NOW = new Date('2026-11-22T05:00:00Z');

function issue(number: number, subject: AlarmSubject = SHOP, more: Partial<OpenIssue> = {}): OpenIssue {
  return {
    number,
    title: 'It failed',
    body: `${alarmMarker(subject)}\nwords`,
    labels: [],
    trusted: true,
    url: '',
    ...more,
  };
}

/** While a good backup is there. */
function failing(subject: AlarmSubject, command = 'backup'): Failing {
  const good = { known: 'found', id: 'x', snapshotAt: '2026-11-22T02:00:00Z', uri: 's3://x' } as const;
  return { subject, command, code: 'ERR_AUTH', good, run: '42/1', now: NOW, remindAfterHours: 20 };
}

describe('the marker', () => {
  test('is the same for ever', () => {
    expect(alarmMarker(SHOP)).toBe('<!-- db-backup-action: series=shop command=backup -->');
    expect(alarmMarker(STEP)).toBe('<!-- db-backup-action: series=unknown workflow=Nightly job=backup -->');
    expect(alarmMarker(STORAGE)).toBe('<!-- db-backup-action: series=* command=status workflow=Nightly job=backup -->');
  });

  test('cannot be broken out of, and differs wherever the names do', () => {
    const hostile = ['a --> b', 'a--b', '-', 'a job=b', 'ü\n', "<!--'()*!", '\uD800', 'unknown'];
    const markers = hostile.flatMap((name) => [
      alarmMarker({ kind: 'step', workflow: name, job: 'x' }),
      alarmMarker({ kind: 'series', command: 'backup', series: name }),
      alarmMarker({ kind: 'storage', command: 'status', workflow: name, job: 'x' }),
    ]);
    expect(new Set(markers).size).toBe(markers.length);
    for (const marker of markers) expect(marker).toMatch(/^<!-- (?:[^-]|-(?!-))+ -->$/);
  });

  test('of a run is found in its own texts only', () => {
    const text = `${runMarker('42/1', 'a1')}\nwords`;
    expect([isOfRun(text, '42/1'), isOfRun(text, '42/2'), isOfRun(text, '4/1')]).toEqual([true, false, false]);
  });
});

describe('what is to be done', () => {
  test('about a first failure is to open an issue', () => {
    expect(planForFailure(failing(SHOP), []).action).toBe('open');
    expect(planForFailure(failing(SHOP), [issue(1, { ...SHOP, series: 'shop-2' }), issue(2, STEP)]).action).toBe(
      'open',
    );
    expect(planForFailure(failing(SHOP), [issue(1, { ...SHOP, command: 'drill' })]).action).toBe('open');
  });

  test('about the next one is to comment on the oldest issue', () => {
    expect(planForFailure(failing(SHOP), [issue(9), issue(4)])).toMatchObject({
      action: 'comment',
      issue: { number: 4 },
    });
  });

  test('about a second failed drill in a row is to make its issue critical', () => {
    const DRILL: AlarmSubject = { kind: 'series', command: 'drill', series: 'shop' };
    const plan = (more: Partial<OpenIssue> = {}, command = 'drill', subject: AlarmSubject = DRILL) =>
      planForFailure(failing(subject, command), [issue(1, subject, more)]);
    expect(planForFailure(failing(DRILL, 'drill'), []).action).toBe('open');
    expect(plan()).toMatchObject({ escalation: { title: 'CRITICAL: It failed', label: 'critical' } });
    expect(plan({ title: 'CRITICAL: It failed', labels: ['critical'] })).toMatchObject({ escalation: {} });
    expect(plan({ labels: ['critical', 'db'] })).toMatchObject({ escalation: { title: 'CRITICAL: It failed' } });
    // Another step of the very same run is no second failure; a second attempt is.
    expect(plan({ body: `${alarmMarker(DRILL)} ${runMarker('42/1', 'a')}` })).not.toHaveProperty('escalation');
    expect(plan({ body: `${alarmMarker(DRILL)} ${runMarker('42/0', 'a')}` })).toHaveProperty('escalation');
    expect(plan({}, 'drill', STEP)).toHaveProperty('escalation');
    expect(plan({}, 'restore', { ...SHOP, command: 'restore' })).not.toHaveProperty('escalation');
    expect(plan({}, 'backup', SHOP)).not.toHaveProperty('escalation');
  });

  test('about any failure without a good backup is the same, and a drill alone is graver the second time', () => {
    const plan = planForFailure({ ...failing(SHOP), good: { known: 'none' } }, [issue(1)]);
    expect(plan).toMatchObject({
      gravity: { level: 'critical', why: 'no-good-backup' },
      escalation: { label: 'critical' },
    });
    expect(planForFailure({ ...failing(SHOP), good: { known: 'none' } }, [])).toMatchObject({
      action: 'open',
      gravity: { level: 'critical' },
    });
    expect(planForFailure(failing(SHOP), [issue(1)]).gravity).toEqual({ level: 'warning', why: 'usual' });
    expect(planForFailure({ ...failing(SHOP), level: 'info' }, [issue(1)]).gravity.level).toBe('info');
  });

  test('about a command that runs often is a comment only when there is news', () => {
    const STATUS: AlarmSubject = { kind: 'series', command: 'status', series: 'shop' };
    const told = { code: 'ERR_AUTH', level: 'warning', to: 'issue', at: new Date('2026-11-22T04:00:00Z') } as const;
    const open = [issue(1, STATUS, { body: `${alarmMarker(STATUS)}\n${toldLine([told])}` })];
    const plan = (more: Partial<Failing> = {}) => planForFailure({ ...failing(STATUS, 'status'), ...more }, open);
    expect(plan()).toMatchObject({ action: 'withhold', issue: { number: 1 } });
    expect(plan({ code: 'ERR_TLS' }).action).toBe('comment');
    expect(plan({ level: 'critical' }).action).toBe('comment');
    expect(plan({ now: new Date('2026-11-23T00:00:00Z') }).action).toBe('comment');
    // A backup runs once a night.
    const backup = [issue(1, SHOP, { body: `${alarmMarker(SHOP)}\n${toldLine([told])}` })];
    expect(planForFailure(failing(SHOP), backup).action).toBe('comment');
  });

  test('takes no notice of a marker that a stranger copied', () => {
    expect(planForFailure(failing(SHOP), [issue(1, SHOP, { trusted: false })]).action).toBe('open');
    expect(planForSuccess([SHOP], [issue(1, SHOP, { trusted: false })], new Set()).action).toBe('nothing');
  });

  test('finds the marker wherever people have moved it', () => {
    const moved = issue(1, SHOP, { body: `We are on it.\n\n> quote\n${alarmMarker(SHOP)} and more` });
    expect(issuesAbout(SHOP, [moved])).toHaveLength(1);
    expect(issuesAbout(SHOP, [issue(1, SHOP, { body: 'The backup of "shop" failed' })])).toEqual([]);
  });

  test('about a success is to close all issues of the series, and those of the step that other runs opened', () => {
    const open = [issue(1), issue(2, STEP), issue(3), issue(4, { ...SHOP, series: 'other' })];
    expect(planForSuccess([SHOP, STEP], open, new Set())).toMatchObject({
      action: 'close',
      issues: [{ number: 1 }, { number: 3 }, { number: 2 }],
    });
    expect(planForSuccess([SHOP, STEP], open, new Set([2]))).toMatchObject({ issues: [{ number: 1 }, { number: 3 }] });
    expect(planForSuccess([SHOP], [], new Set()).action).toBe('nothing');
  });

  test('after opening is to give way to a lower number', () => {
    expect(planAfterOpening(SHOP, 5, [issue(5), issue(3)])?.number).toBe(3);
    expect(planAfterOpening(SHOP, 3, [issue(5), issue(3)])).toBeUndefined();
  });
});

describe('the newest good backup', () => {
  const { manifest } = backupResult();
  const uriOf = (id: string) => `s3://b/shop/${id}`;

  test('is the newest proven one, with its age', () => {
    const older = { ...manifest, id: '20261120_020000_nightly_k3v9qa', snapshotAt: '2026-11-20T02:00:00.000Z' };
    const good = newestProven([{ ...manifest, verdict: 'unproven' }, older], uriOf);
    expect(good).toEqual({ known: 'found', id: older.id, snapshotAt: older.snapshotAt, uri: uriOf(older.id) });
    expect(describeGoodBackup(good, NOW)).toContain('is 2 days 3 h old: `20261120_020000_nightly_k3v9qa`');
  });

  test('is none known when none is proven, and says when it could not be read', () => {
    const none = newestProven([{ ...manifest, verdict: 'unproven' }], uriOf);
    expect(describeGoodBackup(none, NOW)).toMatch(/^None known/);
    expect(describeGoodBackup({ known: 'unreadable', why: 'no' }, NOW)).toMatch(/could not be read.*: no\./);
  });

  test.each([
    [90, '1 min 30 s'],
    [86_399, '23 h 59 min'],
    [86_400, '1 day'],
    [90_000, '1 day 1 h'],
    [8 * 86_400 + 7_200, '8 days'],
  ])('that is %d s old is %s old', (seconds, words) => expect(formatAge(seconds)).toBe(words));
});
