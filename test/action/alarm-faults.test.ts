/** Whatever GitHub does, the alarm only warns: the real error, the exit code and the time that a run takes stay. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { alarmWarnings, expectRealError, MARKER, play, withGitHub } from '../support/alarm-bench.ts';
import { describeIf, programAvailable } from '../support/availability.ts';
import type { Fault, GitHubRequest } from '../support/github-api.ts';
import { makeSelfSignedCertificate } from '../support/self-signed.ts';
import { startWatchingService } from '../support/watching-service.ts';

const isComment = ({ method, path }: GitHubRequest) => method === 'POST' && path.endsWith('/comments');
const isCreation = ({ method, path }: GitHubRequest) => method === 'POST' && path.endsWith('/issues');
const isList = ({ method, path }: GitHubRequest) => method === 'GET' && path.endsWith('/issues');

/** The first request that `matches` is answered with `fault`. */
function once(
  matches: (request: GitHubRequest) => boolean,
  fault: Fault,
): (request: GitHubRequest) => Fault | undefined {
  let answered = false;
  return (request) => {
    if (answered || !matches(request)) return undefined;
    answered = true;
    return fault;
  };
}

describe('A token', () => {
  test.each(['read', 'none'] as const)(
    'with rights %s, as of a pull request from a fork: the words say what to add',
    (rights) =>
      withGitHub(async (github) => {
        github.rights = rights;
        const run = await play('fail', github);
        expectRealError(run);
        expect(alarmWarnings(run)).toEqual([expect.stringContaining('`permissions: issues: write`')]);
        expect(alarmWarnings(run)[0]).toContain('Resource not accessible by integration');
        expect(github.issues).toEqual([]);
        expect(run.outputs).not.toHaveProperty('issue-number');
      }),
  );

  test('that is none: the words say so', () =>
    withGitHub(async (github) => {
      const run = await play('fail', github, { inputs: { 'github-token': 'gho_expired' } });
      expectRealError(run);
      expect(alarmWarnings(run)).toEqual([expect.stringMatching(/401.*Bad credentials.*github-token/s)]);
      expect(run.stdout.replaceAll(/^::add-mask::.*$/gm, '')).not.toContain('gho_expired');
    }));

  test('without rights does not make a proven backup red', () =>
    withGitHub(async (github) => {
      github.rights = 'none';
      const run = await play('succeed', github);
      expect(run).toMatchObject({ exitCode: 0, outputs: { verdict: 'proven' } });
      expect(alarmWarnings(run)).toEqual([expect.stringContaining('permissions: issues: write')]);
    }));
});

describe('A repository', () => {
  test('without issues (410): the words say where to turn them on', () =>
    withGitHub(async (github) => {
      github.hasIssues = false;
      const run = await play('fail', github);
      expectRealError(run);
      expect(alarmWarnings(run)).toEqual([expect.stringMatching(/410.*Turn issues on.*issue-on-failure: false/s)]);
    }));

  test('that was moved (301) is not written to by a redirect', () =>
    withGitHub(async (github) => {
      github.fault = () => ({
        status: 301,
        message: 'Moved Permanently',
        headers: { location: `${github.url}/repositories/2/issues` },
      });
      const run = await play('fail', github);
      expectRealError(run);
      expect(alarmWarnings(run)).toEqual([expect.stringContaining('301')]);
      expect(github.requests).toHaveLength(1);
    }));
});

describe('Values that GitHub refuses (422)', () => {
  test.each([
    ['an assignee that does not exist', { 'issue-labels': 'backup', 'issue-assignees': 'nobody-at-all' }, ['backup']],
    ['an assignee, without labels', { 'issue-assignees': 'nobody-at-all' }, []],
  ] as const)('%s is left out, and a warning says so', (_, inputs, labels) =>
    withGitHub(async (github) => {
      const run = await play('fail', github, { inputs });
      expectRealError(run);
      expect(github.issues).toMatchObject([{ assignees: [], labels }]);
      expect(alarmWarnings(run)).toEqual([
        expect.stringMatching(/without the assignees nobody-at-all: GitHub refused/),
      ]);
    }),
  );

  test.each([422, 403])('labels (%d) are left out, and a warning says so', (status) =>
    withGitHub(async (github) => {
      github.fault = (request) =>
        isCreation(request) && (request.body as { labels: string[] }).labels.length > 0
          ? { status, message: 'Validation Failed' }
          : undefined;
      const run = await play('fail', github, { inputs: { 'issue-labels': 'backup', 'issue-assignees': 'octocat' } });
      expectRealError(run);
      expect(github.issues).toMatchObject([{ assignees: [], labels: [] }]);
      expect(alarmWarnings(run)).toEqual([expect.stringContaining('and the labels backup')]);
    }),
  );
});

describe('An issue', () => {
  test('that is locked takes no comment: the words name it', () =>
    withGitHub(async (github) => {
      github.add({ body: MARKER, locked: true });
      const run = await play('fail', github);
      expectRealError(run);
      expect(alarmWarnings(run)).toEqual([expect.stringMatching(/issue #1.*locked.*Unlock/s)]);
      expect(github.issues).toHaveLength(1);
    }));

  test('that is locked is closed by a proven backup all the same', () =>
    withGitHub(async (github) => {
      github.add({ body: MARKER, locked: true });
      const run = await play('succeed', github);
      expect(run.exitCode).toBe(0);
      expect(github.issues[0]?.state).toBe('closed');
      expect(alarmWarnings(run)).toEqual([expect.stringContaining('#1 is closed without a word')]);
    }));

  test.each([
    ['transferred (301)', undefined],
    ['gone (404)', { status: 404, message: 'Not Found' }],
    ['deleted (410)', { status: 410, message: 'This issue was deleted' }],
  ])('that is %s when it is to be commented on gets a successor', (_, fault) =>
    withGitHub(async (github) => {
      github.add({ body: MARKER });
      github.fault = (request) => {
        if (!isComment(request)) return undefined;
        github.transferred.add(1);
        return fault;
      };
      const run = await play('fail', github);
      expectRealError(run);
      expect(alarmWarnings(run)).toEqual([]);
      expect(github.issues).toMatchObject([{ comments: [] }, { number: 2, body: expect.stringContaining(MARKER) }]);
    }),
  );
});

test('An issue that another run closes while this one comments on it gets a successor', () =>
  withGitHub(async (github) => {
    const issue = github.add({ body: MARKER });
    github.fault = (request) => {
      if (isComment(request)) issue.state = 'closed';
      return undefined;
    };
    expectRealError(await play('fail', github));
    expect(issue.comments).toHaveLength(1);
    expect(github.openIssues()).toMatchObject([{ number: 2 }]);
  }));

describe('GitHub', () => {
  test('that nobody answers for only costs a warning', () =>
    withGitHub(async (github) => {
      const run = await play('fail', github, { env: { GITHUB_API_URL: 'http://127.0.0.1:1' } });
      expectRealError(run);
      expect(alarmWarnings(run)).toEqual([expect.stringMatching(/no answer.*githubstatus/s)]);
      expect(run.seconds).toBeLessThan(20);
    }));

  test('at an address that is none only costs a warning', () =>
    withGitHub(async (github) => {
      const run = await play('fail', github, { env: { GITHUB_API_URL: 'nonsense' } });
      expectRealError(run);
      expect(alarmWarnings(run)).toHaveLength(1);
    }));

  test('that accepts and never answers delays the end by 20 seconds at most', () =>
    withGitHub(async (github) => {
      github.fault = () => 'hang';
      const run = await play('fail', github);
      expectRealError(run);
      expect(alarmWarnings(run)).toEqual([expect.stringContaining('no answer')]);
      expect(run.seconds).toBeLessThan(35);
    }));

  test.each([{ status: 502 }, 'reset'] as const)('that fails once (%o) is asked again', (fault) =>
    withGitHub(async (github) => {
      github.fault = once(isList, fault);
      const run = await play('fail', github);
      expectRealError(run);
      expect(alarmWarnings(run)).toEqual([]);
      expect(github.issues).toHaveLength(1);
    }),
  );

  test('that opens the issue and then answers with an error has opened one, not two', () =>
    withGitHub(async (github) => {
      github.afterwards = once(isCreation, { status: 502 });
      const run = await play('fail', github);
      expectRealError(run);
      expect(github.issues).toMatchObject([{ state: 'open', comments: [] }]);
      expect(run.outputs['issue-number']).toBe('1');
    }));

  test('that limits for a second is waited for', () =>
    withGitHub(async (github) => {
      const message = 'You have exceeded a secondary rate limit.';
      github.fault = once(isCreation, { status: 403, message, headers: { 'retry-after': '1' } });
      const run = await play('fail', github);
      expectRealError(run);
      expect(alarmWarnings(run)).toEqual([]);
      expect(github.issues).toHaveLength(1);
    }));

  test.each([
    ['secondary', { status: 429, headers: { 'retry-after': '3600' } }],
    ['primary', { status: 403, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '4000000000' } }],
  ])('that limits for an hour (%s) is not waited for', (_, fault) =>
    withGitHub(async (github) => {
      github.fault = () => fault;
      const run = await play('fail', github);
      expectRealError(run);
      expect(alarmWarnings(run)).toEqual([expect.stringContaining('the next run tries again')]);
      expect(github.requests).toHaveLength(1);
    }),
  );
});

describeIf(programAvailable('openssl', ['version'], 'apt-get install openssl'), 'GitHub behind a certificate', () => {
  test('that nobody vouches for only costs a warning, and is told nothing', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'alarm-tls-'));
    const secure = await startWatchingService(await makeSelfSignedCertificate(folder, ['localhost']));
    try {
      await withGitHub(async (github) => {
        const run = await play('fail', github, { env: { GITHUB_API_URL: secure.url } });
        expectRealError(run);
        expect(alarmWarnings(run)).toEqual([expect.stringMatching(/no answer.*self-signed certificate/s)]);
        expect(secure.calls).toEqual([]);
      });
    } finally {
      await secure.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('Two runs that fail at once', () => {
  test('leave one issue: the lower number stays and has both', () =>
    withGitHub(async (github) => {
      const waiting: (() => void)[] = [];
      let lists = 0;
      // Both see no issue before either has opened one.
      github.fault = (request) => {
        if (!isList(request) || lists === 2) return undefined;
        lists += 1;
        if (lists === 2) for (const go of waiting) go();
        return lists === 2 ? undefined : new Promise((resolve) => waiting.push(() => resolve(undefined)));
      };
      const runs = await Promise.all([play('fail', github, { runId: '1' }), play('fail', github, { runId: '2' })]);
      for (const run of runs) {
        expectRealError(run);
        expect(alarmWarnings(run)).toEqual([]);
        expect(run.outputs['issue-number']).toBe('1');
      }
      const [first, second] = github.issues;
      expect(first).toMatchObject({ state: 'open', comments: [expect.stringContaining('**Again:**')] });
      expect(second).toMatchObject({
        state: 'closed',
        stateReason: 'not_planned',
        comments: [expect.stringContaining('#1')],
      });
      expect(github.issues).toHaveLength(2);
    }));
});
