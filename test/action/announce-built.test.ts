/** The built action tells Slack, a webhook and a mailbox of a backup that fails, and of a status. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { expectRealError, PASSWORD, withGitHub } from '../support/alarm-bench.ts';
import { announceBench, CHANNEL_SECRETS } from '../support/announce-bench.ts';
import { describeIf, programAvailable } from '../support/availability.ts';
import { expectNoSecret } from '../support/expect-run.ts';
import { type MailServer, startMailServer } from '../support/mail-server.ts';
import { runAction } from '../support/run-action.ts';
import { makeSelfSignedCertificate } from '../support/self-signed.ts';

const SMTP_PASSWORD = 'm@il/s3cret';
const SECRETS = [...CHANNEL_SECRETS, SMTP_PASSWORD, encodeURIComponent(SMTP_PASSWORD)];

const bench = announceBench();

describeIf(programAvailable('openssl', ['version'], 'apt-get install openssl'), 'The built action', () => {
  let folder: string;
  let mail: MailServer;
  let cert: string;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'announce-'));
    const certificate = await makeSelfSignedCertificate(folder, ['localhost']);
    cert = certificate.cert;
    mail = await startMailServer({ certificate, tls: 'starttls', user: 'ops@example.com', password: SMTP_PASSWORD });
  });
  afterEach(async () => {
    await mail.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('says of a status that is critical every half hour once what is wrong, in the issue too, and tells a digest', () =>
    withGitHub(async (github) => {
      const inputs = { command: 'status', storage: folder, 'expected-names': 'shop', ...bench.channels() };
      const look = async (more = {}): Promise<void> => {
        const run = await runAction({ github, inputs: { ...inputs, ...more } });
        expect(run.exitCode, run.maskedLog).toBe(1);
      };
      await look();
      await look();
      expect(bench.events()).toEqual(['failure']);
      expect(JSON.parse(bench.hook.calls[0]?.body ?? '')).toMatchObject({ level: 'critical', code: 'ERR_STATUS' });
      expect(github.issues).toMatchObject([{ comments: [], labels: ['critical'] }]);
      // Another series is news.
      await look({ 'expected-names': 'shop, crm' });
      expect(github.issues[0]?.comments).toHaveLength(1);
      await look({ digest: 'weekly' });
      expect(bench.events()).toEqual(['failure', 'failure', 'digest']);
      expect(bench.slack.calls).toHaveLength(3);
    }));

  test('tells Slack, a webhook and a mailbox of a backup that fails, once, and keeps every secret', () =>
    withGitHub(async (github) => {
      const inputs = {
        command: 'backup',
        'database-url': `postgresql://keeper:${PASSWORD}@127.0.0.1:1/shop`,
        storage: join(folder, 'backups'),
        encryption: 'none',
        'allow-ephemeral': 'true',
        'connect-window-seconds': '0',
        ...bench.channels(),
        'smtp-url': `smtp://ops%40example.com:${encodeURIComponent(SMTP_PASSWORD)}@localhost:${mail.port}`,
        'email-to': 'dba@example.com',
      };
      const env = { NODE_EXTRA_CA_CERTS: cert };
      const run = () => runAction({ github, inputs, env });
      const first = await run();
      expectRealError(first, 'ERR_CONNECT');
      expectNoSecret({ ...first, processesLeft: [] }, [...SECRETS, PASSWORD]);
      expect(first.masks).toEqual(expect.arrayContaining(SECRETS));
      expect(bench.slack.calls).toHaveLength(1);
      expect(bench.events()).toEqual(['failure']);
      expect(mail.mails).toMatchObject([{ from: 'ops@example.com', to: ['dba@example.com'] }]);
      expectRealError(await run(), 'ERR_CONNECT');
      expect([bench.slack.calls.length, bench.hook.calls.length, mail.mails.length]).toEqual([1, 1, 1]);
      expect(github.issues[0]?.comments).toHaveLength(1);
      for (const secret of [...SECRETS, PASSWORD]) expect(github.sent()).not.toContain(secret);
    }));
});
