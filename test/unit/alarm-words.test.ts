import { describe, expect, test } from 'vitest';
import { type AlarmSubject, alarmMarker, runMarker } from '../../src/domain/alarm.ts';
import { readTold } from '../../src/domain/notify/told.ts';
import type { FailureWords } from '../../src/report/failure-words.ts';
import { type AlarmEvent, failureComment, issueBody, issueTitle, recoveryComment } from '../../src/report/issue.ts';
import { SHOP, STEP } from '../support/alarm-subjects.ts';
import { withoutEntities } from '../support/markdown.ts';

const NOW = new Date('2026-11-22T05:00:00Z');
const plain = (text: string): string => text;

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
  const gravity = { level: 'warning', why: 'usual' } as const;
  const event: AlarmEvent = { words, subject: SHOP, good: { known: 'none' }, gravity, run, now: NOW };
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

  test('name the series that the run found, or the storage, where the inputs name none', () => {
    const step = { ...event, subject: STEP, storage: 's3://acme/backups' };
    const found = { ...step, words: { ...words, series: 'shop' } };
    expect(issueTitle(found, plain)).toBe(
      'The backup of "shop" failed (ERR_DUMP_FAILED) in the job backup of the workflow Nightly',
    );
    expect(issueTitle(step, plain)).toBe(
      'The backup failed (ERR_DUMP_FAILED) with the storage s3://acme/backups in the job backup of the workflow Nightly',
    );
    expect(withoutEntities(issueBody(found, plain))).toContain(
      'had to do with the series <code>shop</code> in the storage <code>s3://acme/backups</code> this time',
    );
    expect(withoutEntities(issueBody(step, plain))).toContain('the storage <code>s3://acme/backups</code> this time');
    // The next run finds the issue by inputs alone.
    expect(issueBody(found, plain)).toContain(alarmMarker(STEP));
    // What the inputs name counts, whatever else the run has found.
    expect(issueTitle({ ...found, subject: { ...SHOP, series: 'other' } }, plain)).toContain('of "other"');
  });

  test('say of a restore or drill what that was, and what will close the issue', () => {
    const steps = [
      { words: 'Give access back to @shop:', commands: ["ALTER ROLE app CONNECTION LIMIT -1; -- '@app'"] },
    ];
    const body = issueBody({ ...event, words: { ...words, command: 'restore', toType: steps } }, plain);
    expect(body).toContain('the next restore that passes closes it');
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
    expect(recovered('restore')).toContain('was brought back by a restore that passed, by');
    expect(recovered('drill')).toContain('was brought back by a drill that passed, by');
  });

  test('say when it is critical, and why', () => {
    const grave = { ...event, gravity: { level: 'critical', why: 'no-good-backup' } } as const;
    expect(issueTitle(grave, plain)).toBe('CRITICAL: The backup of "shop" failed (ERR_DUMP_FAILED)');
    expect(issueBody(grave, plain)).toContain('🚨 **Critical: no proven backup younger than 26 hours is known.**');
    expect(failureComment(grave, plain)).toContain('🚨 **Critical: no proven backup');
    expect(issueBody(event, plain)).not.toContain('🚨');
    expect(readTold(issueBody(grave, plain))).toMatchObject([
      { code: 'ERR_DUMP_FAILED', level: 'critical', to: 'issue' },
    ]);
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
    expect(body.match(/<!--/g)).toHaveLength(3);
    expect(body).not.toMatch(/@\w|<\/details>|\]\(http|^## no/m);
    // GitHub looks for mentions after entities are resolved, but not in code.
    const rendered = withoutEntities(body.replaceAll(/<code>.*?<\/code>/g, ''));
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
