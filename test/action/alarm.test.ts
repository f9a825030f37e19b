/** One issue for each series and command: opened, commented on, closed with a word of recovery. */
import { describe, expect, test } from 'vitest';
import { alarmWarnings, expectRealError, MARKER, PASSWORD, play, withGitHub } from '../support/alarm-bench.ts';
import { TOKEN } from '../support/github-api.ts';
import { withoutEntities } from '../support/markdown.ts';

describe('A failed backup', () => {
  test('opens one issue with everything that is asked for at night', () =>
    withGitHub(async (github) => {
      const run = await play('fail', github, {
        inputs: { 'issue-labels': 'backup, P1', 'issue-assignees': '@octocat' },
      });
      expectRealError(run);
      expect(alarmWarnings(run)).toEqual([]);
      expect(github.issues).toHaveLength(1);
      const [issue] = github.issues;
      expect(issue).toMatchObject({
        title: 'The backup of "shop" failed (ERR_DUMP_FAILED)',
        labels: ['backup', 'P1'],
        assignees: ['octocat'],
        state: 'open',
      });
      const link = '[run 4242424242](<https://github.com/acme/shop/actions/runs/4242424242/attempts/1>)';
      for (const words of [
        MARKER,
        link,
        'ended with exit code 1',
        'password authentication failed for',
        'Nothing of this backup became visible',
        'is 20 h 0 min old',
        '20261120&#95;020000&#95;nightly&#95;g00dxx',
        '### What to do\n\nRead it.',
      ]) {
        expect(issue?.body).toContain(words);
      }
      expect(run.outputs['issue-number']).toBe('1');
      expect(run.maskedLog).toContain('Issue #1 was opened: https://github.com/acme/shop/issues/1');
      expect(run.post?.annotations).toEqual([]);
    }));

  test('comments the next time, and a proven one closes the issue; the failure after that opens a new one', () =>
    withGitHub(async (github) => {
      await play('fail', github, { runId: '1' });
      const again = await play('unproven', github, { runId: '2' });
      expectRealError(again, 'ERR_NOT_PROVEN');
      expect(again.outputs['issue-number']).toBe('1');
      expect(github.issues).toHaveLength(1);
      expect(github.issues[0]?.comments).toEqual([expect.stringMatching(/run 2.*stored as unproven/s)]);
      expect(github.issues[0]?.comments[0]).not.toContain(MARKER);
      const good = await play('succeed', github, { runId: '3' });
      expect(good).toMatchObject({ exitCode: 0, outputs: { verdict: 'proven', 'issue-number': '1' } });
      expect(github.issues[0]).toMatchObject({ state: 'closed', stateReason: 'completed' });
      expect(github.issues[0]?.comments[1]).toMatch(/Recovered.*k3v9qa.*stored and proven, by \[run 3\]/s);
      await play('fail', github, { runId: '4' });
      expect(github.issues.map(({ state }) => state)).toEqual(['closed', 'open']);
      expect(github.issues[0]?.comments).toHaveLength(2);
    }));

  test('that is stored but not proven opens an issue as well', () =>
    withGitHub(async (github) => {
      expectRealError(await play('unproven', github), 'ERR_NOT_PROVEN');
      expect(github.issues.map(({ title }) => title)).toEqual([
        'The backup of "shop" is stored, but not proven (ERR_NOT_PROVEN)',
      ]);
    }));

  test('leaves all issues alone that are not about it, however alike they are', () =>
    withGitHub(async (github) => {
      const title = 'The backup of "shop" failed (ERR_DUMP_FAILED)';
      github.add({ title, body: 'Just like it', author: 'member' });
      github.add({ title, body: MARKER, author: 'stranger' });
      github.add({ title, body: MARKER, isPullRequest: true });
      github.add({ title, body: MARKER, state: 'closed' });
      github.add({ title, body: MARKER.replace('series=shop', 'series=shop-eu') });
      github.add({ title, body: MARKER.replace('command=backup', 'command=drill') });
      const before = structuredClone(github.issues);
      await play('fail', github);
      await play('succeed', github);
      expect(github.issues.slice(0, 6)).toEqual(before);
      expect(github.issues.slice(6)).toMatchObject([{ number: 7, state: 'closed' }]);
    }));

  test('finds its issue behind hundreds of others, by its marker alone', () =>
    withGitHub(async (github) => {
      github.add({ title: 'Renamed by somebody', body: `We look into it.\n${MARKER}`, labels: [] });
      for (let count = 0; count < 250; count += 1) github.add({ isPullRequest: count % 2 === 0 });
      await play('fail', github);
      expect(github.issues).toHaveLength(251);
      expect(github.issues[0]?.comments).toHaveLength(1);
    }));

  test('says nothing of its secrets in an issue, mentions nobody and forges no marker', () =>
    withGitHub(async (github) => {
      const secrets = { passphrase: 'correct horse battery', aws: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
      const options = {
        inputs: { encryption: 'age', 'age-passphrase': secrets.passphrase },
        env: { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: secrets.aws },
      };
      expectRealError(await play('leak', github, options));
      expectRealError(await play('leak', github, options));
      const sent = withoutEntities(github.sent());
      for (const secret of [PASSWORD, TOKEN, ...Object.values(secrets)]) {
        for (const form of [secret, encodeURIComponent(secret), btoa(secret)]) expect(sent).not.toContain(form);
      }
      expect(sent).toContain('@\u200Boctocat');
      expect(github.sent()).not.toContain('<!-- db-backup-action: series=other');
    }));
});

describe('A run whose inputs are wrong', () => {
  test('opens an issue about the series that they name all the same', () =>
    withGitHub(async (github) => {
      const run = await play('succeed', github, { inputs: { 'age-recipients': 'nonsense', bucket: 'x' } });
      expectRealError(run, 'ERR_INPUT');
      expect(github.issues).toMatchObject([{ title: 'The backup of "shop" failed (ERR_INPUT)' }]);
      expect(github.issues[0]?.body).toMatch(/bucket.*there is no such input/s);
      expect(github.issues[0]?.body).toContain('with wrong inputs the storage was not looked at');
      await play('succeed', github);
      expect(github.issues[0]?.state).toBe('closed');
    }));

  test('and name no series is told of by its workflow and job; only a later run can end that', () =>
    withGitHub(async (github) => {
      const empty = { 'database-url': '' };
      await play('succeed', github, { inputs: empty, runId: '1' });
      expect(github.issues).toMatchObject([
        { title: 'The backup failed (ERR_INPUT) in the job backup of the workflow backup', state: 'open' },
      ]);
      // Another job of the same matrix.
      await play('succeed', github, { runId: '1' });
      expect(github.openIssues()).toHaveLength(1);
      await play('succeed', github, { inputs: empty, runId: '2' });
      await play('succeed', github, { runId: '2' });
      expect(github.issues).toMatchObject([{ state: 'open', comments: [expect.stringContaining('**Again:**')] }]);
      await play('succeed', github, { runId: '3', env: { GITHUB_JOB: 'other' } });
      expect(github.openIssues()).toHaveLength(1);
      await play('succeed', github, { runId: '3' });
      expect(github.openIssues()).toEqual([]);
    }));
});

describe('No issue', () => {
  test('is written when that is not wanted', () =>
    withGitHub(async (github) => {
      const run = await play('fail', github, { inputs: { 'issue-on-failure': 'false' } });
      expectRealError(run);
      expect(github.requests).toEqual([]);
      expect(run.annotations.filter(({ kind }) => kind === 'notice')).toEqual([]);
    }));

  test('is written without a token, and a notice says so', () =>
    withGitHub(async (github) => {
      const run = await play('fail', github, { inputs: { 'github-token': '' } });
      expectRealError(run);
      expect(github.requests).toEqual([]);
      expect(run.annotations.find(({ kind }) => kind === 'notice')?.message).toContain('`github-token` is empty');
    }));

  test('is written outside of a workflow, where nothing is said about it', () =>
    withGitHub(async (github) => {
      const run = await play('fail', github, { env: { GITHUB_REPOSITORY: '', GITHUB_ACTIONS: '' }, post: false });
      expect(run.exitCode).toBe(1);
      expect(github.requests).toEqual([]);
      expect(run.stdout).not.toMatch(/issue/i);
    }));
});
