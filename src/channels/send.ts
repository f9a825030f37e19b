/** One small request to an address that is a secret: soon over, and no word of where it went. */
import { withRetry } from '../storage/retry.ts';
import { VERSION } from '../version.ts';
import type { SendParts } from './channel.ts';

const ATTEMPT_MS = 2_500;
/** Pauses of a second and a half at most: what is told late is worth little. */
const RETRY = { attempts: 3, baseDelayMs: 500, maxDelayMs: 1_000 };
const MAX_REDIRECTS = 3;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

export interface SmallRequest {
  url: string;
  method: 'GET' | 'POST';
  /** Plain text. */
  body?: string;
}

/** Why somebody was not told, as the end of a sentence. */
export class NotTaken extends Error {
  readonly transient: boolean;

  constructor(message: string, transient: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'NotTaken';
    this.transient = transient;
  }
}

/**
 * Resolves when the request was answered with success. What may pass is tried again, three times in all. Redirects are
 * followed on the same host alone, with the same method: another host would learn the secret.
 * @throws NotTaken
 */
export async function sendSmall(request: SmallRequest, { clock, signal }: SendParts): Promise<void> {
  const isTransient = (error: unknown): boolean => error instanceof NotTaken && error.transient;
  try {
    await withRetry(() => attempt(request, signal), { policy: RETRY, clock, signal, random: Math.random, isTransient });
  } catch (error) {
    throw error instanceof NotTaken ? error : new NotTaken('there was no time left for an answer', false, error);
  }
}

async function attempt({ url, method, body }: SmallRequest, signal: AbortSignal): Promise<void> {
  let at = new URL(url);
  const within = AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS)]);
  const headers = { 'user-agent': `db-backup-action/${VERSION}` };
  for (let hops = 0; ; hops += 1) {
    const sent = {
      method,
      headers,
      redirect: 'manual',
      signal: within,
      ...(body === undefined ? {} : { body }),
    } as const;
    const { status, location } = await ask(at, sent);
    if (status >= 200 && status < 300) return;
    if (!REDIRECTS.includes(status) || location === null) {
      throw new NotTaken(`the answer was HTTP ${status}`, status >= 500 || status === 429 || status === 408);
    }
    const next = URL.canParse(location, at.href) ? new URL(location, at) : undefined;
    if (next === undefined || !isSameHost(at, next)) {
      throw new NotTaken('it redirects to another host, which is not followed', false);
    }
    if (hops === MAX_REDIRECTS) throw new NotTaken('it redirects in circles', false);
    at = next;
  }
}

async function ask(url: URL, init: RequestInit): Promise<{ status: number; location: string | null }> {
  try {
    const response = await fetch(url, init);
    await response.body?.cancel();
    return { status: response.status, location: response.headers.get('location') };
  } catch (error) {
    throw unanswered(error);
  }
}

/** Also from http to https there, and never back. */
function isSameHost(from: URL, to: URL): boolean {
  if (to.protocol === from.protocol) return to.host === from.host;
  return from.protocol === 'http:' && to.protocol === 'https:' && to.hostname === from.hostname;
}

/** The messages of sockets name hosts, so their codes are told alone. */
function unanswered(error: unknown): NotTaken {
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return new NotTaken('there was no answer in time', true, error);
  }
  const cause = error instanceof Error ? error.cause : undefined;
  const code = String((cause as { code?: unknown } | undefined)?.code ?? 'no connection');
  if (/CERT|SIGNED|^ERR_(TLS|SSL)|UNABLE_TO_/.test(code)) {
    return new NotTaken(`its certificate or TLS was not accepted (${code})`, false, error);
  }
  return new NotTaken(`it could not be reached (${code})`, true, error);
}
