import { describe, expect, test } from 'vitest';
import { describeGoodBackup, newestProven } from '../../src/domain/alarm/good-backup.ts';
import {
  type AlarmSubject,
  alarmMarker,
  isOfRun,
  issuesAbout,
  type OpenIssue,
  planAfterOpening,
  planForFailure,
  planForSuccess,
  runMarker,
} from '../../src/domain/alarm.ts';
import { formatAge } from '../../src/domain/words.ts';
import { githubError } from '../../src/github/errors.ts';
import { probeIssueRights } from '../../src/github/probe.ts';
import { readAlarmInputs } from '../../src/inputs/alarm.ts';
import type { FailureWords } from '../../src/report/failure-words.ts';
import { type AlarmEvent, failureComment, issueBody, issueTitle, recoveryComment } from '../../src/report/issue.ts';
import { backupResult } from '../support/backup-result.ts';

const SHOP: AlarmSubject = { kind: 'series', command: 'backup', series: 'shop' };
const STEP: AlarmSubject = { kind: 'step', workflow: 'Nightly', job: 'backup' };
const NOW = new Date('2026-11-22T05:00:00Z');
const plain = (text: string): string => text;

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

function failing(subject: AlarmSubject, command = 'backup') {
  return { subject, command, run: '42/1' };
}

describe('the marker', () => {
  test('is the same for ever', () => {
    expect(alarmMarker(SHOP)).toBe('<!-- db-backup-action: series=shop command=backup -->');
    expect(alarmMarker(STEP)).toBe('<!-- db-backup-action: series=unknown workflow=Nightly job=backup -->');
  });

  test('cannot be broken out of, and differs wherever the names do', () => {
    const hostile = ['a --> b', 'a--b', '-', 'a job=b', 'ü\n', "<!--'()*!", '\uD800', 'unknown'];
    const markers = hostile.flatMap((name) => [
      alarmMarker({ kind: 'step', workflow: name, job: 'x' }),
      alarmMarker({ kind: 'series', command: 'backup', series: name }),
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

describe('the words of an issue', () => {
  const words: FailureWords = {
    command: 'backup',
    code: 'ERR_DUMP_FAILED',
    outcome: 'failed',
    title: 'The backup failed (ERR_DUMP_FAILED)',
    happened: 'pg_dump ended with exit code 1',
    problems: [],
    causes: ['the disk is full'],
    safety: 'Older backups are untouched.',
    action: 'Free space on `db`.',
    toType: [],
  };
  const run = {
    workflow: 'Nightly',
    runId: '42',
    runAttempt: '2',
    url: 'https://github.com/a/b',
    marker: runMarker('42/2', 'x'),
  };
  const event: AlarmEvent = { words, subject: SHOP, good: { known: 'none' }, run, now: NOW };
  const hostile = '@octocat #1 <!-- db-backup-action: series=x --> `@hubot` ![x](http://evil) </details>\n## no';

  test('say what, whether the data is safe, which backup is good, and what to do', () => {
    const body = issueBody(event, plain);
    expect(body.startsWith(`${alarmMarker(SHOP)}\n`)).toBe(true);
    for (const text of [
      'What happened',
      'exit code 1',
      'the disk is full',
      'Older backups',
      'None known',
      'Free space on <code>db</code>',
      '[run 42, attempt 2](<https://github.com/a/b>)',
      '2026-11-22 05:00 UTC',
    ]) {
      expect(body).toContain(text);
    }
    expect(issueTitle(event, plain)).toBe('The backup of "shop" failed (ERR_DUMP_FAILED)');
    const incomplete = { ...words, outcome: 'is missing at 1 of several destinations' };
    expect(issueTitle({ ...event, words: incomplete }, plain)).toBe(
      'The backup of "shop" is missing at 1 of several destinations (ERR_DUMP_FAILED)',
    );
    expect(issueTitle({ ...event, subject: STEP }, plain)).toBe(
      'The backup failed (ERR_DUMP_FAILED) in the job backup of the workflow Nightly',
    );
    expect(failureComment(event, plain)).not.toContain(alarmMarker(SHOP));
  });

  test('say of a restore or drill what that was, and what will close the issue', () => {
    const steps = [
      { words: 'Give access back to @shop:', commands: ["ALTER ROLE app CONNECTION LIMIT -1; -- '@app'"] },
    ];
    const body = issueBody({ ...event, words: { ...words, command: 'restore', toType: steps } }, plain);
    expect(body).toContain('the next proven restore closes it');
    expect(body).toContain(
      "Give access back to &#64;&#8203;shop&#58;\n\n```\nALTER ROLE app CONNECTION LIMIT -1; -- '@app'\n```",
    );
    expect(issueBody({ ...event, words: { ...words, command: 'drill' } }, plain)).toContain(
      'the next drill that passes closes it',
    );
    expect(issueBody({ ...event, subject: STEP }, plain)).toContain('The next proven backup of the same job closes');
    const recovered = (command: FailureWords['command']) =>
      recoveryComment({ command, id: 'ID', uri: 's3', subject: { ...SHOP, command }, run }, plain);
    expect(recovered('backup')).toContain(
      '**Recovered:** <code>ID</code> of <code>shop</code> is stored and proven, by',
    );
    expect(recovered('restore')).toContain('was restored and proven, by');
    expect(recovered('drill')).toContain('was brought back by a drill that passed, by');
  });

  test('let nothing of a message break out, mention anybody or forge the marker', () => {
    const bad = {
      ...words,
      happened: hostile,
      problems: [hostile],
      causes: [hostile],
      safety: hostile,
      action: hostile,
    };
    const body = issueBody({ ...event, words: bad, run: { ...run, workflow: hostile } }, plain);
    expect(body.match(/<!--/g)).toHaveLength(2);
    expect(body).not.toMatch(/@\w|<\/details>|\]\(http|^## no/m);
    // GitHub looks for mentions after entities are resolved, but not in code.
    const rendered = body
      .replaceAll(/<code>.*?<\/code>/g, '')
      .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)));
    expect(rendered).not.toMatch(/@octocat|#1/);
    expect(
      issueTitle({ ...event, subject: { ...STEP, workflow: `${hostile}${'x'.repeat(500)}` } as AlarmSubject }, plain)
        .length,
    ).toBeLessThan(256);
  });

  test('stay below the 65,536 characters that GitHub takes, and what to do is never cut off', () => {
    const long = '@ü&'.repeat(1_000);
    const many = Array.from({ length: 500 }, () => long);
    const body = issueBody(
      { ...event, words: { ...words, happened: long, problems: many, causes: many, safety: long } },
      plain,
    );
    expect(body.length).toBeLessThan(65_536);
    expect(body).toContain('cut: the job summary has the rest');
    expect(body).toContain('Free space on <code>db</code>');
  });

  test('are redacted before they are escaped', () => {
    const redact = (text: string) => text.replaceAll('s3cr3t_w*rd', '***');
    const leaking = { ...words, happened: 's3cr3t_w*rd', action: 's3cr3t_w*rd' };
    expect(issueBody({ ...event, words: leaking }, redact)).not.toContain('s3cr3t');
  });
});

describe('the inputs of the alarm', () => {
  const workflow = {
    GITHUB_ACTIONS: 'true',
    GITHUB_REPOSITORY: 'acme/shop',
    GITHUB_WORKFLOW: 'Nightly',
    GITHUB_JOB: 'backup',
  };
  const subject = (inputs: Record<string, string>) => readAlarmInputs({ ...workflow, ...inputs })?.subject;

  test('name the series by `name`, else by the database in the URL, else by the step', () => {
    const url = 'postgresql://u@h/Shop%20EU';
    expect(subject({ INPUT_NAME: 'shop', 'INPUT_DATABASE-URL': 'broken' })).toEqual(SHOP);
    expect(subject({ 'INPUT_DATABASE-URL': url })).toMatchObject({
      series: expect.stringMatching(/^shop-eu-[0-9a-f]{8}$/),
    });
    expect(subject({ PGHOST: 'h', PGUSER: 'shop' })).toEqual(SHOP);
    for (const wrong of [
      {},
      { INPUT_NAME: 'No!', 'INPUT_DATABASE-URL': url },
      { INPUT_COMMAND: 'bakcup', INPUT_NAME: 'shop' },
      { INPUT_COMMAND: 'restore', PGHOST: 'h', PGUSER: 'shop' },
    ]) {
      expect(subject(wrong)).toEqual(STEP);
    }
  });

  test('are there although others are wrong, and wrong ones switch nothing off', () => {
    const wrong = {
      'INPUT_ISSUE-ON-FAILURE': 'perhaps',
      'INPUT_ISSUE-ASSIGNEES': '!',
      'INPUT_GITHUB-TOKEN': ' t\n',
      INPUT_STORAGE: 'x://',
    };
    expect(readAlarmInputs({ ...workflow, ...wrong })).toMatchObject({
      wanted: true,
      token: 't',
      assignees: [],
      labels: [],
    });
    expect(readAlarmInputs({ ...workflow, 'INPUT_ISSUE-ON-FAILURE': 'false' })?.wanted).toBe(false);
  });

  test('are none outside of a workflow', () => {
    expect(readAlarmInputs({ GITHUB_REPOSITORY: 'acme/shop' })).toBeUndefined();
    expect(readAlarmInputs({ GITHUB_ACTIONS: 'true' })).toBeUndefined();
  });
});

describe('an answer of GitHub', () => {
  const answered = (status: number, message: string, headers = {}) =>
    githubError({ status, response: { headers, data: { message } } }, 'open an issue', NOW);

  test.each([
    [401, 'Bad credentials', {}, 'unauthorized'],
    [403, 'Resource not accessible by integration', {}, 'denied'],
    [403, 'Unable to create comment because issue is locked.', {}, 'locked'],
    [403, 'You have exceeded a secondary rate limit', {}, 'rate-limited'],
    [403, 'API rate limit exceeded', { 'x-ratelimit-remaining': '0' }, 'rate-limited'],
    [429, 'Too many requests', { 'retry-after': '5' }, 'rate-limited'],
    [404, 'Not Found', {}, 'missing'],
    [301, 'Moved Permanently', {}, 'missing'],
    [410, 'This issue was deleted', {}, 'missing'],
    [410, 'Issues are disabled for this repo', {}, 'disabled'],
    [422, 'Validation Failed', {}, 'invalid'],
    [503, 'Service Unavailable', {}, 'unavailable'],
    [418, 'Teapot', {}, 'unexpected'],
  ] as const)('%d %s %o is %s', (status, message, headers, fault) => {
    const error = answered(status, message, headers);
    expect(error).toMatchObject({ fault, code: 'ERR_GITHUB' });
    expect(error.message).toContain(message);
    expect(error.hint).not.toBe('');
  });

  test('that limits says until when', () => {
    const reset = String(NOW.getTime() / 1000 + 60);
    expect(answered(429, '', { 'retry-after': '5' }).retryAfterMs).toBe(5_000);
    expect(answered(403, '', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset }).retryAfterMs).toBe(60_000);
    expect(answered(403, 'secondary rate limit').retryAfterMs).toBeUndefined();
  });

  test('that never came is a fault of the way there', () => {
    expect(githubError(new Error('ECONNREFUSED'), 'open an issue', NOW)).toMatchObject({
      fault: 'unavailable',
      retryable: true,
    });
  });

  test('to the question for rights is a notice at most', async () => {
    const found = (error: unknown) => probeIssueRights({ refusesUntitled: () => Promise.reject(error) });
    expect(await probeIssueRights({ refusesUntitled: async () => true })).toEqual([]);
    expect(await found(answered(403, 'Resource not accessible by integration'))).toMatchObject([
      { code: 'alarm-impossible', severity: 'notice', action: expect.stringContaining('permissions: issues: write') },
    ]);
    expect(await found(answered(410, 'Issues are disabled'))).toMatchObject([{ code: 'alarm-impossible' }]);
    expect(await found(answered(503, 'down'))).toMatchObject([{ code: 'alarm-unknown', severity: 'notice' }]);
    expect(await probeIssueRights({ refusesUntitled: async () => false })).toMatchObject([{ code: 'alarm-unknown' }]);
    await expect(found(new TypeError('defect'))).rejects.toThrow('defect');
  });
});
