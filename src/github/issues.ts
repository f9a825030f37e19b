/** The issues of a repository behind a small interface, by way of the toolkit's client, which honours proxies. */
import type { OpenIssue } from '../domain/alarm.ts';
import type { Clock } from '../ports.ts';
import { GitHubError, githubError } from './errors.ts';

/** The most open issues and pull requests that are looked through: 10 requests. */
const MAX_PAGES = 10;
const PAGE_SIZE = 100;
/** A request that was not answered by then is given up. */
const REQUEST_TIMEOUT_MS = 6_000;
const WITH_RIGHTS = ['OWNER', 'MEMBER', 'COLLABORATOR'];

export interface NewIssue {
  title: string;
  body: string;
  labels: readonly string[];
  assignees: readonly string[];
}

/** Every method makes one request (a list one a page), retries nothing and rejects with a {@link GitHubError}. */
export interface Issues {
  /**
   * Open issues without pull requests, the last changed first, up to 1,000 of both. Read from the list, because the
   * search index lags behind; not by label, because people take labels away.
   */
  open(): Promise<OpenIssue[]>;
  create(issue: NewIssue): Promise<{ number: number; url: string }>;
  /** Comments since `since`, a hundred at most. */
  comments(issue: number, since: Date): Promise<string[]>;
  comment(issue: number, body: string): Promise<void>;
  close(issue: number, reason: 'completed' | 'not_planned'): Promise<void>;
  retitle(issue: number, title: string): Promise<void>;
  /** Replaces its text. */
  rewrite(issue: number, body: string): Promise<void>;
  /** Beside those that it has; GitHub makes one that does not exist. */
  addLabel(issue: number, label: string): Promise<void>;
  /**
   * Asks for an issue without a title, which is refused in any case. `true`: it was refused for that, so the token may
   * open issues. `false`: GitHub did not complain, and then there is an issue without a title.
   */
  refusesUntitled(): Promise<boolean>;
}

export interface GitHubAccess {
  token: string;
  /** `owner/name` */
  repository: string;
  apiUrl: string;
  clock: Clock;
  /** Ends every request. */
  signal: AbortSignal;
}

type Client = InstanceType<typeof import('@actions/github/lib/utils').GitHub>;

interface ListedIssue {
  number: number;
  html_url: string;
  title: string;
  labels: (string | { name?: string })[];
  body?: string | null;
  pull_request?: unknown;
  user?: { type?: string } | null;
  author_association?: string;
  created_at?: string;
}

/** Connects to nothing yet. */
export function issuesOf(access: GitHubAccess): Issues {
  const [owner = '', repo = ''] = access.repository.split('/');
  const at = { owner, repo };
  const ask = asker(access);
  return {
    open: () => ask('list the open issues', (client, request) => listOpen(client, request, at)),
    create: ({ title, body, labels, assignees }) =>
      ask('open an issue', async (client, request) => {
        const issue = { ...at, title, body, labels: [...labels], assignees: [...assignees] };
        const { data } = await client.request('POST /repos/{owner}/{repo}/issues', { ...issue, request: request() });
        return { number: data.number, url: data.html_url };
      }),
    comments: (issue_number, since) =>
      ask(`read the comments of issue #${issue_number}`, async (client, request) => {
        const wanted = { ...at, issue_number, since: since.toISOString(), per_page: PAGE_SIZE };
        const route = 'GET /repos/{owner}/{repo}/issues/{issue_number}/comments';
        const { data } = await client.request(route, { ...wanted, request: request() });
        return data.map(({ body }) => body ?? '');
      }),
    comment: (issue_number, body) =>
      ask(`comment on issue #${issue_number}`, async (client, request) => {
        const route = 'POST /repos/{owner}/{repo}/issues/{issue_number}/comments';
        await client.request(route, { ...at, issue_number, body, request: request() });
      }),
    close: (issue_number, state_reason) =>
      ask(`close issue #${issue_number}`, async (client, request) => {
        const change = { ...at, issue_number, state: 'closed', state_reason } as const;
        const route = 'PATCH /repos/{owner}/{repo}/issues/{issue_number}';
        await client.request(route, { ...change, request: request() });
      }),
    retitle: (issue_number, title) =>
      ask(`change the title of issue #${issue_number}`, async (client, request) => {
        const route = 'PATCH /repos/{owner}/{repo}/issues/{issue_number}';
        await client.request(route, { ...at, issue_number, title, request: request() });
      }),
    rewrite: (issue_number, body) =>
      ask(`note in issue #${issue_number} who was told`, async (client, request) => {
        const route = 'PATCH /repos/{owner}/{repo}/issues/{issue_number}';
        await client.request(route, { ...at, issue_number, body, request: request() });
      }),
    addLabel: (issue_number, label) =>
      ask(`label issue #${issue_number}`, async (client, request) => {
        const route = 'POST /repos/{owner}/{repo}/issues/{issue_number}/labels';
        await client.request(route, { ...at, issue_number, labels: [label], request: request() });
      }),
    refusesUntitled: () =>
      refused(
        ask('ask for the right to open issues', (client, request) =>
          client.request({ method: 'POST', url: '/repos/{owner}/{repo}/issues', ...at, request: request() }),
        ),
      ),
  };
}

async function listOpen(
  client: Client,
  request: () => RequestOptions,
  at: { owner: string; repo: string },
): Promise<OpenIssue[]> {
  const issues: ListedIssue[] = [];
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const order = { state: 'open', sort: 'updated', direction: 'desc', per_page: PAGE_SIZE, page } as const;
    const route = 'GET /repos/{owner}/{repo}/issues';
    const { data } = await client.request(route, { ...at, ...order, request: request() });
    issues.push(...data);
    if (data.length < PAGE_SIZE) break;
  }
  return issues.filter((issue) => issue.pull_request === undefined).map(openIssue);
}

async function refused(request: Promise<unknown>): Promise<boolean> {
  try {
    await request;
    return false;
  } catch (error) {
    if (error instanceof GitHubError && error.fault === 'invalid') return true;
    throw error;
  }
}

function openIssue(issue: ListedIssue): OpenIssue {
  const { number, title, body, html_url: url, user, author_association: rights = 'OWNER', created_at } = issue;
  const labels = issue.labels.map((label) => (typeof label === 'string' ? label : (label.name ?? '')));
  const trusted = user?.type === 'Bot' || WITH_RIGHTS.includes(rights);
  const opened = created_at === undefined ? {} : { openedAt: created_at };
  return { number, title, body: body ?? '', labels, url, trusted, ...opened };
}

interface RequestOptions {
  signal: AbortSignal;
  redirect: 'manual';
}

/**
 * The client is loaded when it is first needed, and in the same bundle: loading it reads the file of the event and the
 * URL of the API, and fails when one of them is broken, which must not take the backup with it.
 */
function asker({ token, apiUrl, clock, signal }: GitHubAccess) {
  let loaded: Promise<Client> | undefined;
  const load = async (): Promise<Client> => {
    const { GitHub, getOctokitOptions } = await import(/* webpackMode: "eager" */ '@actions/github/lib/utils');
    const silent = { debug() {}, info() {}, warn() {}, error() {} };
    const client = new GitHub({ ...getOctokitOptions(token), baseUrl: apiUrl, log: silent });
    client.hook.wrap('request', async (send, options) => {
      const response = await send(options);
      if (response.status >= 300) throw Object.assign(new Error('redirected'), { status: response.status, response });
      return response;
    });
    return client;
  };
  // Redirects are not followed: a POST would go on as a GET and look as if it had been done.
  const request = (): RequestOptions => ({
    signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    redirect: 'manual',
  });
  return async <T>(op: string, body: (client: Client, request: () => RequestOptions) => Promise<T>): Promise<T> => {
    try {
      loaded ??= load();
      return await body(await loaded, request);
    } catch (error) {
      throw githubError(error, op, clock.now());
    }
  };
}
