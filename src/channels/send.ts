/** One small request to an address that is a secret: soon over, and no word of where it went. */
import { pauseMs } from '../storage/retry.ts';
import { VERSION } from '../version.ts';
import type { SendParts } from './channel.ts';
import { HTTP_ADVICE, NotTaken } from './not-taken.ts';

const ATTEMPT_MS = 2_500;
/** What asks for more patience is not waited for. */
const LONGEST_PAUSE_MS = 5_000;
/** Pauses of a second and a half at most: what is told late is worth little. */
const RETRY = { attempts: 3, baseDelayMs: 500, maxDelayMs: 1_000 };
const MAX_REDIRECTS = 3;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
/** Unauthorised, forbidden, not found, gone: an address that is a secret was revoked or mistyped. */
const ADDRESS_IS_GONE: readonly number[] = [401, 403, 404, 410];

export interface SmallRequest {
  url: string;
  method: 'GET' | 'POST';
  /** Plain text, unless a header says otherwise. */
  body?: string;
  headers?: Readonly<Record<string, string>>;
  /** Of one try; 2.5 s by default. */
  attemptMs?: number;
}

/**
 * Resolves when the request was answered with success. What may pass is tried again, three times in all. Redirects are
 * followed on the same host alone, with the same method: another host would learn the secret.
 * @throws NotTaken
 */
export function sendSmall(request: SmallRequest, parts: SendParts): Promise<void> {
  return persistently(() => attempt(request, parts.signal), parts);
}

/** Tries again what may pass, three times in all. @throws NotTaken */
export async function persistently(work: () => Promise<void>, { clock, signal }: SendParts): Promise<void> {
  for (let number = 1; ; number += 1) {
    try {
      return await work();
    } catch (error) {
      const failure = error instanceof NotTaken ? error : outOfTime(error, HTTP_ADVICE.silent);
      if (!failure.transient || number >= RETRY.attempts || signal.aborted) throw failure;
      const pause = Math.max(failure.retryAfterMs, pauseMs(RETRY, number, Math.random));
      if (pause > LONGEST_PAUSE_MS) throw failure;
      await clock.sleep(pause, signal).catch((cause: unknown) => Promise.reject(outOfTime(cause, failure.advice)));
    }
  }
}

function outOfTime(cause: unknown, advice: string): NotTaken {
  return new NotTaken('there was no time left for an answer', advice, { cause });
}

async function attempt(request: SmallRequest, signal: AbortSignal): Promise<void> {
  const { url, method, body, attemptMs = ATTEMPT_MS } = request;
  let at = new URL(url);
  const within = AbortSignal.any([signal, AbortSignal.timeout(attemptMs)]);
  const headers = { 'user-agent': `db-backup-action/${VERSION}`, ...request.headers };
  for (let hops = 0; ; hops += 1) {
    const sent = {
      method,
      headers,
      redirect: 'manual',
      signal: within,
      ...(body === undefined ? {} : { body }),
    } as const;
    const { status, location, retryAfterMs } = await ask(at, sent);
    if (status >= 200 && status < 300) return;
    if (!REDIRECTS.includes(status) || location === null) {
      const transient = status >= 500 || status === 429 || status === 408;
      const advice = HTTP_ADVICE[transient ? 'busy' : ADDRESS_IS_GONE.includes(status) ? 'gone' : 'refused'];
      throw new NotTaken(`the answer was HTTP ${status}`, advice, { transient, retryAfterMs });
    }
    const next = URL.canParse(location, at.href) ? new URL(location, at) : undefined;
    if (next === undefined || !isSameHost(at, next)) {
      throw new NotTaken('it redirects to another host, which is not followed', HTTP_ADVICE.redirected);
    }
    if (hops === MAX_REDIRECTS) throw new NotTaken('it redirects in circles', HTTP_ADVICE.redirected);
    at = next;
  }
}

interface Answer {
  status: number;
  location: string | null;
  retryAfterMs: number;
}

async function ask(url: URL, init: RequestInit): Promise<Answer> {
  try {
    const { status, headers, body } = await fetch(url, init);
    await body?.cancel();
    return { status, location: headers.get('location'), retryAfterMs: secondsIn(headers.get('retry-after')) * 1_000 };
  } catch (error) {
    throw unanswered(error);
  }
}

/** A date, which nobody of these sends, is none. */
function secondsIn(header: string | null): number {
  return header !== null && /^\d{1,6}(\.\d+)?$/.test(header) ? Number(header) : 0;
}

/** Also from http to https there, and never back. */
function isSameHost(from: URL, to: URL): boolean {
  if (to.protocol === from.protocol) return to.host === from.host;
  return from.protocol === 'http:' && to.protocol === 'https:' && to.hostname === from.hostname;
}

/** The messages of sockets name hosts, so their codes are told alone. */
function unanswered(error: unknown): NotTaken {
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return new NotTaken('there was no answer in time', HTTP_ADVICE.silent, { transient: true, cause: error });
  }
  const cause = error instanceof Error ? error.cause : undefined;
  const code = String((cause as { code?: unknown } | undefined)?.code ?? 'no connection');
  if (/CERT|SIGNED|^ERR_(TLS|SSL)|UNABLE_TO_/.test(code)) {
    return new NotTaken(`its certificate or TLS was not accepted (${code})`, HTTP_ADVICE.untrusted, { cause: error });
  }
  return new NotTaken(`it could not be reached (${code})`, HTTP_ADVICE.unreached, { transient: true, cause: error });
}
