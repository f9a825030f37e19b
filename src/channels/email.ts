/** `smtp-url`: mail. The library is loaded when the first one is sent: most runs send none. */
import type { EmailInputs } from '../inputs/channels.ts';
import { emailText } from '../report/notices/email.ts';
import type { SendParts } from './channel.ts';
import type { Messenger } from './messenger.ts';
import { MAIL_ADVICE, NotTaken } from './not-taken.ts';
import { persistently } from './send.ts';

/** Of one try; a server may greet late to be rid of those who send junk. */
const ATTEMPT_MS = 8_000;

export function emailMessenger({ server, from, to }: EmailInputs): Messenger {
  const use = (parts: SendParts, work: (transport: Transport) => Promise<unknown>): Promise<void> =>
    persistently(async () => {
      const transport = await openTransport(server);
      try {
        await within(parts.signal, work(transport));
      } catch (error) {
        throw notTaken(error);
      } finally {
        transport.close();
      }
    }, parts);
  return {
    name: 'email',
    input: 'smtp-url',
    keepsState: false,
    send: (notice, parts) => {
      const { subject, text, html } = emailText(notice);
      // No out-of-office answers, and no loops.
      const headers = { 'Auto-Submitted': 'auto-generated' };
      const mail = { from, to: [...to], subject, text, html, headers, disableFileAccess: true, disableUrlAccess: true };
      return use(parts, (transport) => transport.sendMail(mail));
    },
    probe: (parts) => use(parts, (transport) => transport.verify()),
  };
}

type Transport = Awaited<ReturnType<typeof openTransport>>;

async function openTransport({ host, port, tls, login }: EmailInputs['server']) {
  const { createTransport } = await import(/* webpackMode: "eager" */ 'nodemailer');
  return createTransport({
    ...{ host, port, secure: tls === 'immediate', requireTLS: tls === 'starttls' },
    ...(login === undefined ? {} : { auth: { user: login.user, pass: login.password } }),
    ...{
      connectionTimeout: ATTEMPT_MS,
      greetingTimeout: ATTEMPT_MS,
      socketTimeout: ATTEMPT_MS,
      dnsTimeout: ATTEMPT_MS,
    },
  });
}

/** Settles with `work`, or when `signal` aborts or a try takes too long; then the connection is closed. */
async function within(signal: AbortSignal, work: Promise<unknown>): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS)]);
  const over = new Promise<never>((_resolve, reject) => {
    const late = (): void =>
      reject(new NotTaken('there was no answer in time', MAIL_ADVICE.silent, { transient: !signal.aborted }));
    if (limit.aborted) late();
    else limit.addEventListener('abort', late, { once: true });
  });
  await Promise.race([work, over]);
}

/** What servers say names mailboxes and hosts, so only codes are told. */
function notTaken(error: unknown): NotTaken {
  if (error instanceof NotTaken) return error;
  const { code: known, responseCode } = error as { code?: unknown; responseCode?: unknown };
  const code = typeof known === 'string' ? known : 'no code';
  const more = { cause: error };
  if (code === 'ETLS') return new NotTaken('it offers no TLS that is accepted (ETLS)', MAIL_ADVICE.withoutTls, more);
  if (typeof responseCode === 'number') {
    const transient = responseCode < 500;
    const [what, advice] =
      code === 'EAUTH'
        ? (['the login was refused', 'login'] as const)
        : (['the mail server refused it', transient ? 'busy' : 'refused'] as const);
    return new NotTaken(`${what} (SMTP ${responseCode})`, MAIL_ADVICE[advice], { ...more, transient });
  }
  if (code === 'EAUTH') return new NotTaken('the login was refused', MAIL_ADVICE.login, more);
  const words = error instanceof Error ? error.message : '';
  if (/certificate|self.signed|SSL|TLS/i.test(words)) {
    return new NotTaken(`its certificate or TLS was not accepted (${code})`, MAIL_ADVICE.untrusted, more);
  }
  const transient = /^(ECONN|ETIMEDOUT|ESOCKET|EDNS)/.test(code);
  if (code === 'ETIMEDOUT')
    return new NotTaken('there was no answer in time (ETIMEDOUT)', MAIL_ADVICE.silent, { ...more, transient });
  return new NotTaken(`it could not be reached (${code})`, MAIL_ADVICE.unreached, { ...more, transient });
}
