/** Slack, webhook and mail: who hears of which runs, once; and what becomes of a run when somebody does not. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  alarmWarnings,
  expectRealError,
  PASSWORD,
  type PlayOptions,
  play,
  withGitHub,
} from '../support/alarm-bench.ts';
import { describeIf, programAvailable } from '../support/availability.ts';
import { expectNoSecret } from '../support/expect-run.ts';
import type { FakeGitHub } from '../support/github-api.ts';
import { type MailServer, startMailServer } from '../support/mail-server.ts';
import { schemaErrors } from '../support/published-schemas.ts';
import { type ActionResult, runAction } from '../support/run-action.ts';
import { makeSelfSignedCertificate } from '../support/self-signed.ts';
import { startWatchingService, type WatchingService } from '../support/watching-service.ts';

const SLACK_TOKEN = 'x9y8z7w6v5u4t3s2r1q0';
const SLACK_PATH = `/services/T0ABCDEF12/B0ABCDEF34/${SLACK_TOKEN}`;
const HOOK_TOKEN = 'h00kt0ken1234567';
const HOOK_SECRET = '0f1e2d3c4b5a69788796a5b4c3d2e1f0';
const SMTP_PASSWORD = 'm@il/s3cret';
const SECRETS = [SLACK_TOKEN, HOOK_TOKEN, HOOK_SECRET, SMTP_PASSWORD, encodeURIComponent(SMTP_PASSWORD)];

let slack: WatchingService;
let hook: WatchingService;
beforeEach(async () => {
  slack = await startWatchingService();
  hook = await startWatchingService();
});
afterEach(async () => {
  await slack.close();
  await hook.close();
});

const channels = (): Record<string, string> => ({
  'slack-webhook-url': `${slack.url}${SLACK_PATH}`,
  'webhook-url': `${hook.url}/hook?token=${HOOK_TOKEN}`,
  'webhook-secret': HOOK_SECRET,
});

async function playTold(script: string, github: FakeGitHub, options: PlayOptions = {}): Promise<ActionResult> {
  const run = await play(script, github, { ...options, inputs: { ...channels(), ...options.inputs } });
  expectNoSecret({ ...run, processesLeft: [] }, SECRETS);
  expect(run.stderr).toBe('');
  expect(run.masks).toEqual(expect.arrayContaining([SLACK_TOKEN, HOOK_TOKEN, HOOK_SECRET]));
  for (const secret of SECRETS) expect(github.sent()).not.toContain(secret);
  return run;
}

/** Of each message to the webhook, what it is and why. */
const events = (): string[] => hook.calls.map(({ body }) => JSON.parse(body).event);
const untold = (run: ActionResult): string[] =>
  alarmWarnings(run).filter((words) => words.startsWith('channel-not-told'));

describe('A failed backup', () => {
  test('is told to everybody once; the same the next half hour to nobody; that it is over to everybody', () =>
    withGitHub(async (github) => {
      expectRealError(await playTold('fail', github, { runId: '1' }));
      expect(slack.heard()).toEqual([`POST ${SLACK_PATH}`]);
      const [{ body = '' } = {}] = slack.calls;
      expect(body).toContain('The backup of \\"shop\\" failed (ERR_DUMP_FAILED)');
      expect(body).toContain('issues/1|Issue 1');
      expect(body).not.toContain(PASSWORD);
      const first = JSON.parse(hook.calls[0]?.body ?? '');
      expect(first).toMatchObject({ event: 'failure', level: 'warning', code: 'ERR_DUMP_FAILED', series: 'shop' });
      expect(first.issueUrl).toBe('https://github.com/acme/shop/issues/1');
      expect(first.goodBackup).toContain('g00dxx');
      expect(schemaErrors('webhook', first)).toEqual([]);
      expect(hook.headers[0]?.['x-signature-256']).toMatch(/^sha256=[0-9a-f]{64}$/);

      expectRealError(await playTold('fail', github, { runId: '2' }));
      expect([slack.calls.length, hook.calls.length]).toEqual([1, 1]);
      expect(github.issues[0]?.comments).toHaveLength(1);

      // Another failure is news.
      expectRealError(await playTold('unproven', github, { runId: '3' }), 'ERR_NOT_PROVEN');
      expect([slack.calls.length, hook.calls.length]).toEqual([2, 2]);

      const good = await playTold('succeed', github, { runId: '4' });
      expect(good.exitCode, good.maskedLog).toBe(0);
      expect(github.openIssues()).toEqual([]);
      await playTold('succeed', github, { runId: '5' });
      expect(events()).toEqual(['failure', 'failure', 'recovery']);
      expect(slack.calls).toHaveLength(3);
      expect(slack.calls[2]?.body).toContain('Recovered: the backup of \\"shop\\" is proven again');

      await playTold('fail', github, { runId: '6' });
      expect(events().at(-1)).toBe('failure');
    }));

  test('is told again when it became critical, and the issue looks like it', () =>
    withGitHub(async (github) => {
      await playTold('fail', github, { runId: '1' });
      await playTold('fail', github, { runId: '2', env: { GOOD_BACKUP_HOURS: '48' } });
      await playTold('fail', github, { runId: '3', env: { GOOD_BACKUP_HOURS: '49' } });
      expect(events()).toEqual(['failure', 'worse']);
      expect(slack.calls[1]?.body).toContain('🚨 Worse: The backup of');
      expect(github.issues).toMatchObject([
        { title: 'CRITICAL: The backup of "shop" failed (ERR_DUMP_FAILED)', labels: ['critical'] },
      ]);
      expect(github.issues[0]?.comments[0]).toContain('no proven backup younger than 26 hours is known');
    }));

  test('without a good backup opens an issue that is critical at once', () =>
    withGitHub(async (github) => {
      await playTold('fail', github, { env: { GOOD_BACKUP_HOURS: '30' }, inputs: { 'issue-labels': 'db' } });
      expect(github.issues).toMatchObject([
        { labels: ['db', 'critical'], title: expect.stringMatching(/^CRITICAL: /) },
      ]);
      expect(JSON.parse(hook.calls[0]?.body ?? '').level).toBe('critical');
    }));

  test('is reminded of when its time has come', () =>
    withGitHub(async (github) => {
      await playTold('fail', github, { runId: '1' });
      const [issue] = github.issues;
      const hours = (count: number) => `${new Date(Date.now() - count * 3_600_000).toISOString().slice(0, 16)}Z`;
      if (issue !== undefined) issue.body = issue.body.replaceAll(/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}Z(?= )/g, hours(21));
      await playTold('fail', github, { runId: '2' });
      await playTold('fail', github, { runId: '3' });
      expect(events()).toEqual(['failure', 'reminder']);
      await playTold('fail', github, { runId: '4', inputs: { 'remind-after-hours': '0' } });
      expect(events()).toEqual(['failure', 'reminder', 'reminder']);
    }));

  test('of an issue that an earlier version opened is told, and remembered there', () =>
    withGitHub(async (github) => {
      const marker = '<!-- db-backup-action: series=shop command=backup -->';
      github.add({ body: `${marker}\nIt failed, said version 1.` });
      await playTold('fail', github, { runId: '1' });
      await playTold('fail', github, { runId: '2' });
      expect(events()).toEqual(['failure']);
      expect(github.issues).toHaveLength(1);
      expect(github.issues[0]?.body).toContain('said version 1.');
      expect(github.issues[0]?.body).toContain('/slack/');
    }));

  test('whose issue somebody closed opens a new one, and is told once, as new', () =>
    withGitHub(async (github) => {
      await playTold('fail', github, { runId: '1' });
      Object.assign(github.issues[0] ?? {}, { state: 'closed' });
      await playTold('fail', github, { runId: '2' });
      await playTold('fail', github, { runId: '3' });
      expect(github.issues).toMatchObject([{ state: 'closed' }, { state: 'open' }]);
      expect(events()).toEqual(['failure', 'failure']);
    }));

  test('is told each time where no issue can remember it', () =>
    withGitHub(async (github) => {
      const inputs = { 'issue-on-failure': 'false' };
      await playTold('fail', github, { runId: '1', inputs });
      await playTold('fail', github, { runId: '2', inputs });
      github.rights = 'none';
      await playTold('fail', github, { runId: '3' });
      expect(events()).toEqual(['failure', 'failure', 'failure']);
    }));

  test('costs GitHub a few requests, also behind ten thousand comments', () =>
    withGitHub(async (github) => {
      const comments = Array.from({ length: 10_000 }, (_, at) => `comment ${at}`);
      github.add({ body: '<!-- db-backup-action: series=shop command=backup -->', comments });
      await playTold('fail', github, { runId: '1' });
      expect(github.requests.length).toBeLessThan(5);
      expect(github.issues[0]?.comments).toHaveLength(10_001);
      github.requests.length = 0;
      await playTold('succeed', github, { runId: '2' });
      expect(github.requests.length).toBeLessThan(5);
    }));
});

describe('Nobody hears', () => {
  test('of a dry run', () =>
    withGitHub(async (github) => {
      await playTold('fail', github, { inputs: { 'dry-run': 'true' } });
      expect([slack.calls, hook.calls]).toEqual([[], []]);
    }));

  test('what `notify-on` leaves out; with all of it start and success are told', () =>
    withGitHub(async (github) => {
      await playTold('fail', github, { inputs: { 'notify-on': 'recovery' } });
      expect(events()).toEqual([]);
      await playTold('succeed', github, { inputs: { 'notify-on': 'start, success' } });
      expect(events()).toEqual(['start', 'success']);
    }));
});

describe('A run that was interrupted', () => {
  test.each([
    ['cancelled', 'wait', 'ERR_CANCELLED'],
    ['killed', 'die', 'ERR_KILLED'],
  ])('(%s) is told of by its post step', (_, script, code) =>
    withGitHub(async (github) => {
      const onLine: PlayOptions['onLine'] = (line, action) => {
        if (line === 'waiting') action.cancel();
      };
      const run = await playTold(script, github, { onLine });
      expect(run.post?.exitCode).toBe(0);
      expect(hook.calls.map(({ body }) => JSON.parse(body).code)).toEqual([code]);
      expect(slack.calls).toHaveLength(1);
      expect(github.issues[0]?.body).toContain('/webhook/');
    }),
  );

  test('whose inputs are wrong is told of', () =>
    withGitHub(async (github) => {
      expectRealError(await playTold('succeed', github, { inputs: { 'age-recipients': 'x' } }), 'ERR_INPUT');
      expect(JSON.parse(hook.calls[0]?.body ?? '')).toMatchObject({ code: 'ERR_INPUT', series: 'shop' });
    }));
});

describe('A channel that fails', () => {
  test('is a warning and a line of the summary, and another channel says so; the run is what it is', () =>
    withGitHub(async (github) => {
      slack.answer = () => ({ status: 500 });
      const run = await playTold('fail', github, { runId: '1' });
      expectRealError(run);
      expect(untold(run)).toEqual([
        expect.stringMatching(/`slack-webhook-url` was not told of this run: the answer was HTTP 500\./),
      ]);
      expect(run.summary).toContain('was not told of this run');
      expect(events()).toEqual(['failure', 'not-told']);
      expect(JSON.parse(hook.calls[1]?.body ?? '').happened).toBe(
        '`slack-webhook-url` was not told: the answer was HTTP 500.',
      );
      // It has not been told, so it is the next time, and the other is not told twice.
      slack.answer = () => ({ status: 200 });
      const before = slack.calls.length;
      await playTold('fail', github, { runId: '2' });
      expect(slack.calls).toHaveLength(before + 1);
      expect(events()).toEqual(['failure', 'not-told']);
    }));

  test.each(['hang', 'reset'] as const)('(%s) leaves a green run green, in seconds', (answer) =>
    withGitHub(async (github) => {
      slack.answer = () => answer;
      const run = await playTold('succeed', github, { inputs: { 'notify-on': 'success' } });
      expect(run.exitCode).toBe(0);
      expect(run.seconds).toBeLessThan(25);
      expect(untold(run)).toHaveLength(1);
      expect(events()).toEqual(['success', 'not-told']);
    }),
  );

  test('where it is the only one is told of in the issue', () =>
    withGitHub(async (github) => {
      slack.answer = () => ({ status: 404 });
      await playTold('fail', github, { inputs: { 'webhook-url': '', 'webhook-secret': '' } }).catch(() => undefined);
      expect(github.issues[0]?.comments).toEqual([
        expect.stringContaining('was not told&#58; the answer was HTTP 404'),
      ]);
    }));
});

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
      const inputs = { command: 'status', storage: folder, 'expected-names': 'shop', ...channels() };
      const look = async (more = {}): Promise<void> => {
        const run = await runAction({ github, inputs: { ...inputs, ...more } });
        expect(run.exitCode, run.maskedLog).toBe(1);
      };
      await look();
      await look();
      expect(events()).toEqual(['failure']);
      expect(JSON.parse(hook.calls[0]?.body ?? '')).toMatchObject({ level: 'critical', code: 'ERR_STATUS' });
      expect(github.issues).toMatchObject([{ comments: [], labels: ['critical'] }]);
      // Another series is news.
      await look({ 'expected-names': 'shop, crm' });
      expect(github.issues[0]?.comments).toHaveLength(1);
      await look({ digest: 'weekly' });
      expect(events()).toEqual(['failure', 'failure', 'digest']);
      expect(slack.calls).toHaveLength(3);
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
        ...channels(),
        'smtp-url': `smtp://ops%40example.com:${encodeURIComponent(SMTP_PASSWORD)}@localhost:${mail.port}`,
        'email-to': 'dba@example.com',
      };
      const env = { NODE_EXTRA_CA_CERTS: cert };
      const run = () => runAction({ github, inputs, env });
      const first = await run();
      expectRealError(first, 'ERR_CONNECT');
      expectNoSecret({ ...first, processesLeft: [] }, [...SECRETS, PASSWORD]);
      expect(first.masks).toEqual(expect.arrayContaining(SECRETS));
      expect(slack.calls).toHaveLength(1);
      expect(events()).toEqual(['failure']);
      expect(mail.mails).toMatchObject([{ from: 'ops@example.com', to: ['dba@example.com'] }]);
      expectRealError(await run(), 'ERR_CONNECT');
      expect([slack.calls.length, hook.calls.length, mail.mails.length]).toEqual([1, 1, 1]);
      expect(github.issues[0]?.comments).toHaveLength(1);
      for (const secret of [...SECRETS, PASSWORD]) expect(github.sent()).not.toContain(secret);
    }));
});
