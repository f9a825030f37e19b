import { afterEach, beforeEach, expect, test } from 'vitest';
import { GitHubError } from '../../src/github/errors.ts';
import { issuesOf } from '../../src/github/issues.ts';
import { probeIssueRights } from '../../src/github/probe.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { type FakeGitHub, startGitHub, TOKEN } from '../support/github-api.ts';

let github: FakeGitHub;
beforeEach(async () => {
  github = await startGitHub();
});
afterEach(() => github.close());

function issues(token = TOKEN) {
  const access = { token, repository: 'acme/shop', apiUrl: github.url, clock: systemClock };
  return issuesOf({ ...access, signal: AbortSignal.timeout(30_000) });
}

test('the right to open issues is probed without opening one', async () => {
  expect(await probeIssueRights(issues())).toEqual([]);
  expect(github.issues).toEqual([]);
  expect(github.requests).toMatchObject([{ method: 'POST', path: '/repos/acme/shop/issues' }]);
});

test.each([
  ['a token that may only read', () => ({ rights: 'read' }), 'permissions: issues: write'],
  ['a repository without issues', () => ({ hasIssues: false }), 'Turn issues on'],
  ['an API that is down', () => ({ fault: () => ({ status: 503 }) }), 'githubstatus'],
] as const)('%s is a notice', async (_, settings, words) => {
  Object.assign(github, settings());
  expect(await probeIssueRights(issues())).toMatchObject([
    { severity: 'notice', action: expect.stringContaining(words) },
  ]);
  expect(github.issues).toEqual([]);
});

test('a token that is none is a notice', async () => {
  expect(await probeIssueRights(issues('wrong'))).toMatchObject([{ code: 'alarm-impossible' }]);
});

test('the list has open issues alone, a thousand entries at most', async () => {
  github.add({ body: 'an old one' });
  for (let count = 0; count < 1_200; count += 1) github.add({ isPullRequest: count % 3 !== 0 });
  github.add({ state: 'closed' });
  const open = await issues().open();
  expect(open.length).toBeGreaterThan(300);
  expect(open.length).toBeLessThan(400);
  expect(github.requests).toHaveLength(10);
});

test('what is refused is an error with words', async () => {
  await expect(issues().comment(7, 'words')).rejects.toThrow(GitHubError);
  await expect(issues().comment(7, 'words')).rejects.toMatchObject({ fault: 'missing', op: 'comment on issue #7' });
});
