/** Mail to a real server that misbehaves. Its certificate is trusted by the process that sends, or is not. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { emailMessenger } from '../../src/channels/email.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { describeIf, programAvailable } from '../support/availability.ts';
import { type MailServer, type MailSettings, startMailServer } from '../support/mail-server.ts';
import { someNotice } from '../support/notices.ts';
import { makeSelfSignedCertificate } from '../support/self-signed.ts';
import type { Certificate } from '../support/watching-service.ts';

const USER = 'ops@example.com';
const PASSWORD = 'p@ss/word:1';
const TO = ['dba@example.com', 'boss@example.com'];
const SENDER = fileURLToPath(new URL('../support/send-mail.ts', import.meta.url));

describeIf(programAvailable('openssl', ['version'], 'apt-get install openssl'), 'A mail', () => {
  let folder: string;
  let certificate: Certificate;
  let server: MailServer | undefined;
  /** Of the last one that was not told. */
  let advice = '';
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mail-'));
    certificate = await makeSelfSignedCertificate(folder, ['localhost']);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(() => {
    server = undefined;
  });
  afterEach(() => server?.close());

  async function start(tls: MailSettings['tls'], fault?: MailServer['fault']): Promise<MailServer> {
    server = await startMailServer({ certificate, tls, user: USER, password: PASSWORD });
    if (fault !== undefined) server.fault = fault;
    return server;
  }

  /** In a process that trusts the certificate. @param what `send` or `probe` */
  async function trusted(
    { port }: MailServer,
    tls: 'immediate' | 'starttls',
    { what = 'send', password = PASSWORD, milliseconds = 20_000 } = {},
  ): Promise<string> {
    const inputs = {
      server: { host: 'localhost', port, tls, login: { user: USER, password } },
      from: USER,
      to: TO,
    };
    const task = join(folder, 'task.json');
    writeFileSync(task, JSON.stringify({ inputs, what, milliseconds }));
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: certificate.cert };
    const child = spawn(process.execPath, [SENDER, task], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await new Promise((resolve) => child.once('close', resolve));
    for (const part of [PASSWORD, 'localhost', USER, String(port)]) expect(said).not.toContain(part);
    [said = '', advice = ''] = said.trim().split('\n');
    return said;
  }

  test.each(['immediate', 'starttls'] as const)('arrives by TLS (%s), to everybody, whole', async (tls) => {
    const mailServer = await start(tls);
    expect(await trusted(mailServer, tls)).toBe('told');
    expect(mailServer.mails).toMatchObject([{ from: USER, to: TO }]);
    const [{ text = '' } = {}] = mailServer.mails;
    expect(text).toMatch(/^From: ops@example\.com$/m);
    expect(text).toMatch(/^Subject: =\?UTF-8\?.*$/m);
    expect(text).toMatch(/^Auto-Submitted: auto-generated$/m);
    expect(text).toContain('text/plain');
    expect(text).toContain('text/html');
    // The password is said after TLS has begun.
    const at = (word: string) => mailServer.heard.findIndex((line) => line.startsWith(word));
    if (tls === 'starttls') expect(at('AUTH')).toBeGreaterThan(at('STARTTLS'));
  });

  test('is not sent in the clear: a server without STARTTLS hears no password', async () => {
    const mailServer = await start('none');
    expect(await trusted(mailServer, 'starttls')).toBe('it offers no TLS that is accepted (ETLS)');
    expect(advice).toContain('a port that offers it, mostly 587');
    expect(mailServer.heard.join('\n')).not.toMatch(/AUTH|MAIL/);
    expect(mailServer.mails).toEqual([]);
  });

  test('is not sent to a server that nobody vouches for', async () => {
    for (const tls of ['immediate', 'starttls'] as const) {
      const mailServer = await start(tls);
      const { port } = mailServer;
      const login = { user: USER, password: PASSWORD };
      const messenger = emailMessenger({ server: { host: 'localhost', port, tls, login }, from: USER, to: TO });
      const parts = { clock: systemClock, signal: AbortSignal.timeout(20_000) };
      await expect(messenger.send(someNotice(), parts)).rejects.toThrow(/certificate or TLS was not accepted/);
      expect(mailServer.heard.join('\n')).not.toMatch(/AUTH|MAIL/);
      await mailServer.close();
    }
  });

  test('with a login that is refused is tried once, and the answer that names people is not repeated', async () => {
    const mailServer = await start('starttls');
    expect(await trusted(mailServer, 'starttls', { password: 'wrong' })).toBe('the login was refused (SMTP 535)');
    expect(advice).toContain('user and password in `smtp-url`');
    expect(mailServer.heard.filter((line) => line.startsWith('AUTH'))).toHaveLength(1);
  });

  test('is tried again when the server is busy for a moment, and not when it refuses it for good', async () => {
    let count = 0;
    const busy = await start('starttls', (line) =>
      line.startsWith('RCPT') && count++ === 0 ? '451 later' : undefined,
    );
    expect(await trusted(busy, 'starttls')).toMatch(/^told$|SMTP 451/);
    await busy.close();
    const never = await start('starttls', (line) => (line.startsWith('MAIL') ? '550 no such sender' : undefined));
    expect(await trusted(never, 'starttls')).toBe('the mail server refused it (SMTP 550)');
    expect(advice).toContain('`email-from`');
    expect(never.heard.filter((line) => line.startsWith('MAIL'))).toHaveLength(1);
  });

  test.each(['connect', 'EHLO', 'AUTH', 'MAIL'])('is given up in time when the server hangs at %s', async (word) => {
    const mailServer = await start('starttls', (line) => (line.startsWith(word) ? 'hang' : undefined));
    const started = performance.now();
    expect(await trusted(mailServer, 'starttls', { milliseconds: 2_000 })).toMatch(/no answer in time|no time left/);
    expect(advice).toContain('Look whether port and form fit');
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test('to nobody says so by a code', async () => {
    const mailServer = await start('starttls');
    await mailServer.close();
    expect(await trusted(mailServer, 'starttls')).toMatch(/^it could not be reached \(E/);
    expect(advice).toMatch(/host and port in `smtp-url`.*port 25/);
    expect(advice).not.toContain('password');
  });

  test.each([
    ['immediate', 'starttls'],
    ['starttls', 'immediate'],
  ] as const)('to a port that speaks %s by the form for %s is told how the two belong together', async (port, form) => {
    const mailServer = await start(port);
    expect(await trusted(mailServer, form)).not.toBe('told');
    expect(advice).toContain('`smtps://` for a port that begins with TLS, mostly 465; `smtp://` for STARTTLS');
  });

  test('can be asked about without one: the login is tried, and nothing is sent', async () => {
    const mailServer = await start('immediate');
    expect(await trusted(mailServer, 'immediate', { what: 'probe' })).toBe('told');
    expect(await trusted(mailServer, 'immediate', { what: 'probe', password: 'wrong' })).toMatch(/login was refused/);
    expect(mailServer.mails).toEqual([]);
    expect(mailServer.heard.join('\n')).not.toMatch(/MAIL/);
  });
});
