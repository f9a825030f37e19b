/** Why somebody was not told, and what to do about it. */

/** The message is the end of a sentence; neither it nor the advice holds a part of an address. */
export class NotTaken extends Error {
  /** May pass by itself: worth another try. */
  readonly transient: boolean;
  /** Whole sentences: what to do. */
  readonly advice: string;
  /** As long as the other side asks to wait. */
  readonly retryAfterMs: number;

  constructor(
    message: string,
    advice: string,
    more: { transient?: boolean; cause?: unknown; retryAfterMs?: number } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'NotTaken';
    this.advice = advice;
    this.transient = more.transient ?? false;
    this.retryAfterMs = more.retryAfterMs ?? 0;
  }
}

/** What to do about whatever kept a message back. */
export function adviceOf(error: unknown): string {
  return error instanceof NotTaken ? error.advice : 'Please report this.';
}

/** Of an address that is asked by HTTP. */
export const HTTP_ADVICE = {
  unreached: 'Look whether the host of this address is still right, and whether this machine may go there.',
  silent:
    'The service is slow or down, or a firewall drops what this machine sends there. If it goes on, look at both.',
  untrusted:
    'Its certificate must be valid; one of your own authority needs `NODE_EXTRA_CA_CERTS` in the `env:` of the job.',
  redirected: 'Give the address that it redirects to, if it is the right one.',
  busy: 'The service is busy or has a fault of its own. If it goes on, look at its status page.',
  gone: 'The address does not hold any more: make a new one at the service, and put it into the secret.',
  refused:
    'The service is there and does not take this: look whether the address is of the kind that this input wants.',
} as const;

/** Of a mail server. */
export const MAIL_ADVICE = {
  unreached:
    'Look whether host and port in `smtp-url` are right, and whether this machine may go there: many networks let nothing out to port 25.',
  silent:
    'Look whether port and form fit: `smtps://` for a port that begins with TLS, mostly 465; `smtp://` for STARTTLS, mostly 587. If they do, the server is slow, or a firewall is on the way.',
  untrusted:
    'Look whether port and form fit: `smtps://` for a port that begins with TLS, mostly 465; `smtp://` for STARTTLS, mostly 587. A certificate of your own authority needs `NODE_EXTRA_CA_CERTS` in the `env:` of the job.',
  withoutTls: 'Nothing is sent without TLS: give a port that offers it, mostly 587, or `smtps://` with 465.',
  login:
    'Look whether user and password in `smtp-url` still hold. Characters such as `@`, `/` and `:` must be percent-encoded there, and some providers want a password for applications.',
  busy: 'The mail server is busy or does not want it now. If it goes on, look at its log or status page.',
  refused:
    'Look whether this login may send as `email-from`, and whether the server takes the addresses of `email-to`.',
} as const;
