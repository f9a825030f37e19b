/**
 * What a service that watches scheduled jobs is sent, by the form of the URL that it gave: pure. A URL of no known form
 * is called when a run is green, and silence is the failure, which is all that such services have in common.
 */

/** `start` is the beginning of a run; only a green one ends in `success`. */
export type HeartbeatSignal = 'start' | 'success' | 'failure';

export interface HeartbeatRequest {
  url: string;
  method: 'GET' | 'POST';
  /** Plain text. */
  body?: string;
}

interface HeartbeatForm {
  matches(url: URL): boolean;
  /** `undefined`: the service has no word for it. @param text for people, several lines */
  request(url: URL, signal: HeartbeatSignal, text: string): HeartbeatRequest | undefined;
}

/** The UUID of a check, or the key of a project (22 characters) and the name of a check. */
const HEALTHCHECKS_PATH = /\/ping\/(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[\w-]{22}\/[\w-]+)\/?$/i;
/** As much as Cronitor and Uptime Kuma take in a URL with ease. */
const MAX_QUERY_CHARACTERS = 500;

/** The first that matches. */
const FORMS: readonly HeartbeatForm[] = [
  {
    // https://cronitor.io/docs/telemetry-api
    matches: ({ hostname }) => /^cronitor\.(link|io)$/.test(hostname),
    request: (url, signal, text) =>
      get(url, { state: { start: 'run', success: 'complete', failure: 'fail' }[signal], message: brief(text) }),
  },
  {
    // https://healthchecks.io/docs/http_api/ and, with `ping` in its path, that of a server of one's own
    matches: ({ hostname, pathname }) => hostname === 'hc-ping.com' || HEALTHCHECKS_PATH.test(pathname),
    request: (url, signal, body) => post(url, { start: '/start', success: '', failure: '/fail' }[signal], body),
  },
  {
    // https://betterstack.com/docs/uptime/cron-and-heartbeat-monitor/
    matches: ({ hostname, pathname }) =>
      /(^|\.)better(stack|uptime)\.com$/.test(hostname) && pathname.includes('/heartbeat/'),
    request: (url, signal, body) =>
      signal === 'start' ? undefined : post(url, signal === 'failure' ? '/fail' : '', body),
  },
  {
    // Push monitors of Uptime Kuma; the URL that it shows has these parameters already.
    matches: ({ pathname }) => /\/api\/push\/[\w-]+\/?$/.test(pathname),
    request: (url, signal, text) =>
      signal === 'start' ? undefined : get(url, { status: signal === 'success' ? 'up' : 'down', msg: brief(text) }),
  },
];

/** `undefined` when the service cannot be told. */
export function heartbeatRequest(url: URL, signal: HeartbeatSignal, text: string): HeartbeatRequest | undefined {
  const form = FORMS.find((each) => each.matches(url));
  if (form !== undefined) return form.request(url, signal, text);
  return signal === 'success' ? get(url, {}) : undefined;
}

function get(url: URL, parameters: Readonly<Record<string, string>>): HeartbeatRequest {
  const asked = new URL(url);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== '') asked.searchParams.set(name, value);
  }
  return { url: asked.href, method: 'GET' };
}

function post(url: URL, suffix: string, body: string): HeartbeatRequest {
  const asked = new URL(url);
  if (suffix !== '') asked.pathname = `${asked.pathname.replace(/\/$/, '')}${suffix}`;
  return { url: asked.href, method: 'POST', ...(body === '' ? {} : { body }) };
}

function brief(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ', ').slice(0, MAX_QUERY_CHARACTERS);
}
