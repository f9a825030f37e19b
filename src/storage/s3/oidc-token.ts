/** The runner's OIDC token, which says to others which repository and workflow this is. */
import type { RoleToAssume } from '../../domain/aws-role.ts';
import type { Log } from '../../ports.ts';

/** What Amazon's identity provider for GitHub expects (aws-actions/configure-aws-credentials, `audience`). */
const AUDIENCE = 'sts.amazonaws.com';

export interface OidcToken {
  text: string;
  /** Its `sub` claim, which a trust policy is about; no secret. */
  subject: string | undefined;
}

/**
 * Asks for a fresh token, as `getIDToken` of @actions/core does; that one reads the process's environment, cannot be
 * ended and repeats by itself. The token is masked. Throws {@link OidcRefusal}.
 */
export async function requestOidcToken(
  role: Pick<RoleToAssume, 'tokenUrl' | 'requestToken'>,
  { log, timeoutMs }: { log: Log; timeoutMs: number },
): Promise<OidcToken> {
  const url = new URL(role.tokenUrl);
  url.searchParams.set('audience', AUDIENCE);
  const headers = { authorization: `Bearer ${role.requestToken}`, accept: 'application/json' };
  const value = await fetchToken(url, headers, timeoutMs);
  if (typeof value !== 'string' || value === '') throw new OidcRefusal('the answer holds no token', false);
  log.mask(value);
  return { text: value, subject: subjectOf(value) };
}

async function fetchToken(url: URL, headers: Record<string, string>, timeoutMs: number): Promise<unknown> {
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(timeoutMs) });
    if (response.ok) return ((await response.json()) as { value?: unknown }).value;
    await response.body?.cancel();
    const passing = response.status >= 500 || response.status === 429;
    throw new OidcRefusal(`the token service answered HTTP ${response.status}`, passing);
  } catch (error) {
    if (error instanceof OidcRefusal) throw error;
    const { message } = error instanceof TypeError && error.cause instanceof Error ? error.cause : (error as Error);
    throw new OidcRefusal(`the token service cannot be reached (${message})`, true);
  }
}

/** The runner gave no token. */
export class OidcRefusal extends Error {
  /** True when asking again may help. */
  readonly retryable: boolean;

  constructor(message: string, retryable: boolean) {
    super(message);
    this.name = 'OidcRefusal';
    this.retryable = retryable;
  }
}

/** Reads the claim without checking the signature: it only stands in a message. */
function subjectOf(token: string): string | undefined {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as {
      sub?: unknown;
    };
    return typeof claims.sub === 'string' ? claims.sub : undefined;
  } catch {
    // Not a JWT: whoever checks it will say so.
    return undefined;
  }
}
