/** What GitHub's API answers when it does not do what was asked, as one error with a kind and words that help. */
import { BackupError, messageOf } from '../domain/errors.ts';

/**
 * `denied`: the token lacks the right. `unauthorized`: it is none, or no more. `disabled`: the repository has no issues.
 * `missing`: the issue was deleted or transferred, or the token cannot see it. `locked`: the issue takes no comments.
 * `invalid`: a value was refused. `rate-limited`: later, perhaps. `unavailable`: no answer, or one of a broken server.
 */
export type GitHubFault =
  | 'denied'
  | 'unauthorized'
  | 'disabled'
  | 'missing'
  | 'locked'
  | 'invalid'
  | 'rate-limited'
  | 'unavailable'
  | 'unexpected';

/** Never the reason of a failed backup: only ever told as a warning. */
export class GitHubError extends BackupError {
  readonly fault: GitHubFault;
  /** Of a rate limit, where GitHub says so. */
  readonly retryAfterMs: number | undefined;

  constructor(fault: GitHubFault, message: string, op: string, more: { retryAfterMs?: number; cause?: unknown } = {}) {
    const retryable = fault === 'unavailable' || fault === 'rate-limited';
    super('ERR_GITHUB', message, { op, hint: HINTS[fault], retryable, cause: more.cause });
    this.fault = fault;
    this.retryAfterMs = more.retryAfterMs;
  }
}

const HINTS: Readonly<Record<GitHubFault, string>> = {
  denied:
    'Add `permissions: issues: write` to the job (runs of pull requests from forks never get it), or give `github-token` a token that may write issues. `issue-on-failure: false` turns this off.',
  unauthorized: 'Remove `github-token`, then the token of the job is used, or renew the one that it names.',
  disabled:
    'Turn issues on in the settings of the repository (General, Features), or set `issue-on-failure: false` to do without.',
  missing:
    'If the repository is private, add `permissions: issues: write` to the job. If the issue was deleted or moved, there is nothing to do.',
  locked: 'Unlock the conversation of that issue, or close it: then the next failure opens a new one.',
  invalid: 'Correct `issue-labels` and `issue-assignees`.',
  'rate-limited': 'Nothing is to be done about it; the next run tries again.',
  unavailable:
    'Look at https://www.githubstatus.com, and at the proxy of a self-hosted runner. The next run tries again.',
  unexpected: 'Run again with debug logging, and report it with the log.',
};

/** As far as an error of the client library is looked at. */
interface HttpFailure {
  status?: unknown;
  response?: { headers?: Record<string, unknown>; data?: unknown };
}

/**
 * @param op what was tried, as a user would name it: `open an issue`
 * @param now for limits that end at a point in time
 */
export function githubError(error: unknown, op: string, now: Date): GitHubError {
  const { status, response } = (typeof error === 'object' && error !== null ? error : {}) as HttpFailure;
  const fail = (fault: GitHubFault, why: string, retryAfterMs?: number) =>
    new GitHubError(fault, `Could not ${op}: ${why}`, op, {
      cause: error,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  if (response === undefined || typeof status !== 'number')
    return fail('unavailable', `no answer (${messageOf(error)})`);
  const said = `GitHub answered ${status}, ${JSON.stringify(messageIn(response.data, messageOf(error)))}`;
  const headers = response.headers ?? {};
  if (status === 429 || (status === 403 && isRateLimit(headers, said))) {
    return fail('rate-limited', said, retryAfter(headers, now));
  }
  if (status === 403 && /locked/i.test(said)) return fail('locked', said);
  if (status === 410 && /disabled/i.test(said)) return fail('disabled', said);
  return fail(faultOf(status), said);
}

function faultOf(status: number): GitHubFault {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'denied';
  if (status === 422) return 'invalid';
  if (status >= 500) return 'unavailable';
  return status === 404 || status === 410 || (status >= 300 && status < 400) ? 'missing' : 'unexpected';
}

function messageIn(data: unknown, otherwise: string): string {
  const { message, errors } = (typeof data === 'object' && data !== null ? data : {}) as Record<string, unknown>;
  if (typeof message !== 'string') return otherwise.slice(0, 200);
  return Array.isArray(errors) ? `${message}: ${JSON.stringify(errors).slice(0, 500)}` : message.slice(0, 500);
}

/** The primary limit says so in a header; the secondary one in `retry-after` or in its words alone. */
function isRateLimit(headers: Record<string, unknown>, said: string): boolean {
  return (
    headers['retry-after'] !== undefined || headers['x-ratelimit-remaining'] === '0' || /rate limit|abuse/i.test(said)
  );
}

/** In milliseconds; undefined when GitHub does not say. */
function retryAfter(headers: Record<string, unknown>, now: Date): number | undefined {
  const seconds = numberIn(headers['retry-after']);
  if (seconds !== undefined) return seconds * 1000;
  const reset = numberIn(headers['x-ratelimit-reset']);
  return reset === undefined ? undefined : Math.max(0, reset * 1000 - now.getTime());
}

function numberIn(header: unknown): number | undefined {
  return typeof header === 'string' && /^\d{1,12}$/.test(header) ? Number(header) : undefined;
}
