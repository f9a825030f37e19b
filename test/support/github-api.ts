/**
 * GitHub's REST API as far as issues go, with a memory: rights, limits and refusals as GitHub's documentation and
 * reports of its users have them. Stricter than it rather than laxer: unknown routes and tokens are refused.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a job's token looks like. */
export const TOKEN = 'ghs_16C7e42F292c6912E7710c838347Ae178B4a';

export interface FakeIssue {
  number: number;
  title: string;
  body: string;
  state: 'open' | 'closed';
  stateReason?: string;
  labels: string[];
  assignees: string[];
  comments: string[];
  locked: boolean;
  isPullRequest: boolean;
  author: 'bot' | 'member' | 'stranger';
  /** A higher number was changed later. */
  changed: number;
  /** ISO 8601 UTC. */
  openedAt: string;
}

export interface GitHubRequest {
  method: string;
  /** Without the query. */
  path: string;
  query: URLSearchParams;
  body: unknown;
}

/** An answer instead of the real one; `hang` never answers, `reset` ends the connection. */
export type Fault = { status: number; message?: string; headers?: Record<string, string> } | 'hang' | 'reset';

export interface GitHubSettings {
  /** What the token may do with issues. */
  rights: 'write' | 'read' | 'none';
  hasIssues: boolean;
  /** Who can be assigned. */
  members: string[];
  /** Asked before every request is served; may wait, and what it gives is answered instead. */
  fault: (request: GitHubRequest) => Fault | undefined | Promise<Fault | undefined>;
  /** Called after a request has done what it does; what it gives is answered instead. */
  afterwards: (request: GitHubRequest) => Fault | undefined;
}

export interface FakeGitHub extends GitHubSettings {
  readonly url: string;
  readonly issues: FakeIssue[];
  readonly requests: GitHubRequest[];
  /** Numbers of issues that were moved to another repository. */
  readonly transferred: Set<number>;
  /** As somebody else would, in a browser. */
  add(issue: Partial<FakeIssue>): FakeIssue;
  openIssues(): FakeIssue[];
  /** Everything that was ever sent to it, but for the header with the token. */
  sent(): string;
  close(): Promise<void>;
}

const REPOSITORY = /^\/repos\/[^/]+\/[^/]+\/issues(?:\/(\d+)(\/comments|\/labels)?)?$/;

export async function startGitHub(settings: Partial<GitHubSettings> = {}): Promise<FakeGitHub> {
  const server = createServer((request, response) => {
    serve(github, request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issues: FakeIssue[] = [];
  const requests: GitHubRequest[] = [];
  const github: FakeGitHub = {
    rights: 'write',
    hasIssues: true,
    members: ['octocat', 'hubot'],
    fault: () => undefined,
    afterwards: () => undefined,
    ...settings,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    issues,
    requests,
    transferred: new Set(),
    add(issue) {
      const added: FakeIssue = { ...blank(issues.length + 1), ...issue };
      issues.push(added);
      touch(github, added);
      return added;
    },
    openIssues: () => issues.filter(({ state, isPullRequest }) => state === 'open' && !isPullRequest),
    sent: () => requests.map(({ path, query, body }) => `${path}?${query} ${JSON.stringify(body)}`).join('\n'),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return github;
}

function blank(number: number): FakeIssue {
  return {
    number,
    title: 'An issue',
    body: '',
    state: 'open',
    labels: [],
    assignees: [],
    comments: [],
    locked: false,
    isPullRequest: false,
    author: 'bot',
    changed: 0,
    openedAt: new Date().toISOString(),
  };
}

function touch({ issues }: FakeGitHub, issue: FakeIssue): void {
  issue.changed = 1 + Math.max(0, ...issues.map(({ changed }) => changed));
}

async function serve(github: FakeGitHub, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', github.url);
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  const body: unknown = text === '' ? undefined : JSON.parse(text);
  const asked: GitHubRequest = { method: request.method ?? '', path: url.pathname, query: url.searchParams, body };
  github.requests.push(asked);
  const fault = await github.fault(asked);
  const usual = fault ?? answer(github, asked, request.headers.authorization ?? '');
  const given = fault ?? github.afterwards(asked) ?? usual;
  if (given === 'hang') return;
  if (given === 'reset') return void response.destroy();
  const { status, headers = {} } = given;
  const content = 'content' in given ? given.content : { message: ('message' in given && given.message) || 'Refused' };
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
  response.end(JSON.stringify(content));
}

interface Answer {
  status: number;
  content: unknown;
  headers?: Record<string, string>;
}

function refuse(status: number, message: string, more: object = {}): Answer {
  return { status, content: { message, documentation_url: 'https://docs.github.com/rest', ...more } };
}

/** In the order in which GitHub looks: token, route, rights, what is asked for. */
function answer(github: FakeGitHub, request: GitHubRequest, authorization: string): Answer {
  if (!new RegExp(`^(token|bearer) ${TOKEN}$`, 'i').test(authorization)) return refuse(401, 'Bad credentials');
  const [, number, part] = REPOSITORY.exec(request.path) ?? [];
  const reads = request.method === 'GET';
  if (!REPOSITORY.test(request.path)) return refuse(404, 'Not Found');
  if (github.rights === 'none' || (github.rights === 'read' && !reads)) {
    return refuse(403, 'Resource not accessible by integration');
  }
  if (!github.hasIssues) return refuse(410, 'Issues are disabled for this repo');
  if (number === undefined) return reads ? listIssues(github, request.query) : createIssue(github, request.body);
  const issue = github.issues.find((each) => each.number === Number(number));
  if (issue === undefined) return refuse(404, 'Not Found');
  if (github.transferred.has(issue.number)) {
    const location = `${github.url}/repositories/2/issues/1`;
    return { status: 301, content: { message: 'Moved Permanently', url: location }, headers: { location } };
  }
  if (part === undefined) return request.method === 'PATCH' ? change(github, issue, request.body) : shown(200, issue);
  if (part === '/labels') return reads ? refuse(404, 'Not Found') : label(github, issue, request.body);
  return reads
    ? { status: 200, content: pageOf(issue.comments, request.query).map((body) => ({ body })) }
    : comment(github, issue, request.body);
}

function listIssues({ issues, url, transferred }: FakeGitHub, query: URLSearchParams): Answer {
  const [size, page] = [Number(query.get('per_page') ?? 30), Number(query.get('page') ?? 1)];
  if (size > 100) return refuse(422, 'Validation Failed');
  const key = query.get('sort') === 'updated' ? 'changed' : 'number';
  const sign = query.get('direction') === 'asc' ? 1 : -1;
  const listed = issues
    .filter(({ number }) => !transferred.has(number))
    .filter(({ state }) => (query.get('state') ?? 'open') === 'all' || state === (query.get('state') ?? 'open'))
    .sort((left, right) => sign * (left[key] - right[key]))
    .slice(size * (page - 1), size * page);
  return { status: 200, content: listed.map(view), headers: { link: `<${url}/next>; rel="next"` } };
}

function pageOf<T>(all: readonly T[], query: URLSearchParams): T[] {
  const [size, page] = [Number(query.get('per_page') ?? 30), Number(query.get('page') ?? 1)];
  return all.slice(size * (page - 1), size * page);
}

function createIssue(github: FakeGitHub, body: unknown): Answer {
  const { title, body: text = '', labels = [], assignees = [] } = (body ?? {}) as Record<string, unknown>;
  if (typeof title !== 'string') return refuse(422, 'Invalid request.\n\n"title" wasn\'t supplied.');
  if (title.length > 256) return invalid('title', 'too_long');
  if (typeof text !== 'string' || text.length > 65_536) return invalid('body', 'too_long');
  const wanted = assignees as string[];
  if (!wanted.every((login) => github.members.includes(login))) return invalid('assignees', 'invalid');
  if ((labels as string[]).some((label) => label.length > 50)) return invalid('labels', 'too_long');
  const issue = github.add({ title, body: text, labels: labels as string[], assignees: wanted });
  return shown(201, issue);
}

function comment(github: FakeGitHub, issue: FakeIssue, body: unknown): Answer {
  if (issue.locked) return refuse(403, 'Unable to create comment because issue is locked.');
  const { body: text } = (body ?? {}) as { body?: unknown };
  if (typeof text !== 'string' || text === '' || text.length > 65_536) return invalid('body', 'invalid');
  issue.comments.push(text);
  touch(github, issue);
  return { status: 201, content: { id: issue.comments.length, body: text } };
}

function change(github: FakeGitHub, issue: FakeIssue, body: unknown): Answer {
  const asked = (body ?? {}) as { title?: unknown; body?: unknown; state?: string; state_reason?: string };
  const { title = issue.title, body: text = issue.body, state = issue.state, state_reason: reason } = asked;
  if (typeof title !== 'string' || title === '') return invalid('title', 'missing_field');
  if (title.length > 256) return invalid('title', 'too_long');
  if (typeof text !== 'string' || text.length > 65_536) return invalid('body', 'too_long');
  if (state !== 'open' && state !== 'closed') return invalid('state', 'invalid');
  if (reason !== undefined && !['completed', 'not_planned', 'reopened'].includes(reason))
    return invalid('state_reason', 'invalid');
  issue.title = title;
  issue.body = text;
  issue.state = state;
  if (reason !== undefined) issue.stateReason = reason;
  touch(github, issue);
  return shown(200, issue);
}

/** Adds to those that are there; makes what does not exist. */
function label(github: FakeGitHub, issue: FakeIssue, body: unknown): Answer {
  const { labels } = (body ?? {}) as { labels?: unknown };
  if (!Array.isArray(labels) || labels.some((each) => typeof each !== 'string' || each.length > 50)) {
    return invalid('labels', 'invalid');
  }
  issue.labels = [...new Set([...issue.labels, ...labels])];
  touch(github, issue);
  return { status: 200, content: issue.labels.map((name) => ({ name })) };
}

function invalid(field: string, code: string): Answer {
  return refuse(422, 'Validation Failed', { errors: [{ resource: 'Issue', field, code }] });
}

function shown(status: number, issue: FakeIssue): Answer {
  return { status, content: view(issue) };
}

const AUTHORS = {
  bot: { user: { login: 'github-actions[bot]', type: 'Bot' }, author_association: 'NONE' },
  member: { user: { login: 'octocat', type: 'User' }, author_association: 'MEMBER' },
  stranger: { user: { login: 'mallory', type: 'User' }, author_association: 'NONE' },
};

function view(issue: FakeIssue): object {
  const { number, title, body, state, labels, assignees, locked, author, isPullRequest } = issue;
  return {
    number,
    title,
    body: body === '' ? null : body,
    created_at: issue.openedAt,
    state,
    locked,
    html_url: `https://github.com/acme/shop/issues/${number}`,
    labels: labels.map((name) => ({ name })),
    assignees: assignees.map((login) => ({ login })),
    ...AUTHORS[author],
    ...(isPullRequest ? { pull_request: { url: `https://api.github.com/repos/acme/shop/pulls/${number}` } } : {}),
  };
}
