/** Slack and a webhook: who hears of which runs, once. */
import { describe, expect, test } from 'vitest';
import { expectRealError, PASSWORD, withGitHub } from '../support/alarm-bench.ts';
import { announceBench, SLACK_PATH } from '../support/announce-bench.ts';
import { schemaErrors } from '../support/published-schemas.ts';

const bench = announceBench();

describe('A failed backup', () => {
  test('is told to everybody once; the same the next half hour to nobody; that it is over to everybody', () =>
    withGitHub(async (github) => {
      expectRealError(await bench.playTold('fail', github, { runId: '1' }));
      expect(bench.slack.heard()).toEqual([`POST ${SLACK_PATH}`]);
      const [{ body = '' } = {}] = bench.slack.calls;
      expect(body).toContain('The backup of \\"shop\\" failed (ERR_DUMP_FAILED)');
      expect(body).toContain('issues/1|Issue 1');
      expect(body).not.toContain(PASSWORD);
      const first = JSON.parse(bench.hook.calls[0]?.body ?? '');
      expect(first).toMatchObject({ event: 'failure', level: 'warning', code: 'ERR_DUMP_FAILED', series: 'shop' });
      expect(first.issueUrl).toBe('https://github.com/acme/shop/issues/1');
      expect(first.goodBackup).toContain('g00dxx');
      expect(schemaErrors('webhook', first)).toEqual([]);
      expect(bench.hook.headers[0]?.['x-signature-256']).toMatch(/^sha256=[0-9a-f]{64}$/);

      expectRealError(await bench.playTold('fail', github, { runId: '2' }));
      expect([bench.slack.calls.length, bench.hook.calls.length]).toEqual([1, 1]);
      expect(github.issues[0]?.comments).toHaveLength(1);

      // Another failure is news.
      expectRealError(await bench.playTold('unproven', github, { runId: '3' }), 'ERR_NOT_PROVEN');
      expect([bench.slack.calls.length, bench.hook.calls.length]).toEqual([2, 2]);

      const good = await bench.playTold('succeed', github, { runId: '4' });
      expect(good.exitCode, good.maskedLog).toBe(0);
      expect(github.openIssues()).toEqual([]);
      await bench.playTold('calm', github, { runId: '5' });
      expect(bench.events()).toEqual(['failure', 'failure', 'recovery']);
      expect(bench.slack.calls).toHaveLength(3);
      expect(bench.slack.calls[2]?.body).toContain('Recovered: the backup of \\"shop\\" is proven again');

      await bench.playTold('fail', github, { runId: '6' });
      expect(bench.events().at(-1)).toBe('failure');
    }));

  test('is told again when it became critical, and the issue looks like it', () =>
    withGitHub(async (github) => {
      await bench.playTold('fail', github, { runId: '1' });
      await bench.playTold('fail', github, { runId: '2', env: { GOOD_BACKUP_HOURS: '48' } });
      await bench.playTold('fail', github, { runId: '3', env: { GOOD_BACKUP_HOURS: '49' } });
      expect(bench.events()).toEqual(['failure', 'worse']);
      expect(bench.slack.calls[1]?.body).toContain('🚨 Worse: The backup of');
      expect(github.issues).toMatchObject([
        { title: 'CRITICAL: The backup of "shop" failed (ERR_DUMP_FAILED)', labels: ['critical'] },
      ]);
      expect(github.issues[0]?.comments[0]).toContain('no proven backup younger than 26 hours is known');
    }));

  test('without a good backup opens an issue that is critical at once', () =>
    withGitHub(async (github) => {
      await bench.playTold('fail', github, { env: { GOOD_BACKUP_HOURS: '30' }, inputs: { 'issue-labels': 'db' } });
      expect(github.issues).toMatchObject([
        { labels: ['db', 'critical'], title: expect.stringMatching(/^CRITICAL: /) },
      ]);
      expect(JSON.parse(bench.hook.calls[0]?.body ?? '').level).toBe('critical');
    }));

  test('is reminded of when its time has come', () =>
    withGitHub(async (github) => {
      await bench.playTold('fail', github, { runId: '1' });
      const [issue] = github.issues;
      const hours = (count: number) => `${new Date(Date.now() - count * 3_600_000).toISOString().slice(0, 16)}Z`;
      if (issue !== undefined) issue.body = issue.body.replaceAll(/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}Z(?= )/g, hours(21));
      await bench.playTold('fail', github, { runId: '2' });
      await bench.playTold('fail', github, { runId: '3' });
      expect(bench.events()).toEqual(['failure', 'reminder']);
      await bench.playTold('fail', github, { runId: '4', inputs: { 'remind-after-hours': '0' } });
      expect(bench.events()).toEqual(['failure', 'reminder', 'reminder']);
    }));

  test('of an issue that an earlier version opened is told, and remembered there', () =>
    withGitHub(async (github) => {
      const marker = '<!-- db-backup-action: series=shop command=backup -->';
      github.add({ body: `${marker}\nIt failed, said version 1.` });
      await bench.playTold('fail', github, { runId: '1' });
      await bench.playTold('fail', github, { runId: '2' });
      expect(bench.events()).toEqual(['failure']);
      expect(github.issues).toHaveLength(1);
      expect(github.issues[0]?.body).toContain('said version 1.');
      expect(github.issues[0]?.body).toContain('/slack/');
    }));

  test('whose issue somebody closed opens a new one, and is told once, as new', () =>
    withGitHub(async (github) => {
      await bench.playTold('fail', github, { runId: '1' });
      Object.assign(github.issues[0] ?? {}, { state: 'closed' });
      await bench.playTold('fail', github, { runId: '2' });
      await bench.playTold('fail', github, { runId: '3' });
      expect(github.issues).toMatchObject([{ state: 'closed' }, { state: 'open' }]);
      expect(bench.events()).toEqual(['failure', 'failure']);
    }));

  test('is told each time where no issue can remember it', () =>
    withGitHub(async (github) => {
      const inputs = { 'issue-on-failure': 'false' };
      await bench.playTold('fail', github, { runId: '1', inputs });
      await bench.playTold('fail', github, { runId: '2', inputs });
      github.rights = 'none';
      await bench.playTold('fail', github, { runId: '3' });
      expect(bench.events()).toEqual(['failure', 'failure', 'failure']);
    }));

  test('costs GitHub a few requests, also behind ten thousand comments', () =>
    withGitHub(async (github) => {
      const comments = Array.from({ length: 10_000 }, (_, at) => `comment ${at}`);
      github.add({ body: '<!-- db-backup-action: series=shop command=backup -->', comments });
      await bench.playTold('fail', github, { runId: '1' });
      expect(github.requests.length).toBeLessThan(5);
      expect(github.issues[0]?.comments).toHaveLength(10_001);
      github.requests.length = 0;
      await bench.playTold('succeed', github, { runId: '2' });
      expect(github.requests.length).toBeLessThan(5);
    }));
});

describe('Nobody hears', () => {
  test('of a dry run', () =>
    withGitHub(async (github) => {
      await bench.playTold('fail', github, { inputs: { 'dry-run': 'true' } });
      expect([bench.slack.calls, bench.hook.calls]).toEqual([[], []]);
    }));

  test('what `notify-on` leaves out; with all of it start and success are told', () =>
    withGitHub(async (github) => {
      await bench.playTold('fail', github, { inputs: { 'notify-on': 'recovery' } });
      expect(bench.events()).toEqual([]);
      await bench.playTold('succeed', github, { inputs: { 'notify-on': 'start, success' } });
      expect(bench.events()).toEqual(['start', 'success']);
    }));
});
