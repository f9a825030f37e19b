/** What is told of a restore while it is under way, of a status that is asked for a digest, and what a drill asks. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Announcements } from '../../src/channels/announce.ts';
import { BROKEN_COPIES, judgeRehearsal } from '../../src/domain/broken-copies.ts';
import type { StatusReport } from '../../src/domain/status/model.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { RunLog, runnerConsole } from '../../src/runner/log.ts';
import { step } from '../support/inputs.ts';
import { startWatchingService, type WatchingService } from '../support/watching-service.ts';

let hook: WatchingService;
beforeEach(async () => {
  hook = await startWatchingService();
});
afterEach(() => hook.close());

const SIGNAL = new AbortController().signal;

function announcements(inputs: Record<string, string>): Announcements {
  const env = step({ 'webhook-url': `${hook.url}/hook`, name: 'shop', ...inputs });
  return new Announcements({ env, log: new RunLog(runnerConsole(false)), clock: systemClock });
}

const told = (): { event: string; title: string; happened: string }[] => hook.calls.map(({ body }) => JSON.parse(body));
const ended = {
  ending: { exitCode: 0, warnings: [] },
  history: { known: 'no-issue' },
  startedAt: undefined,
  signal: SIGNAL,
} as const;

test('A restore is told from its beginning to its end, in order, with what the last drill took', async () => {
  const all = announcements({ command: 'restore' });
  all.started(SIGNAL);
  const known = {
    command: 'restore',
    backupId: '20261121_020000_nightly_k3v9qa',
    targetFingerprint: 'db/shop',
  } as const;
  // Before the plan is accepted nothing has begun.
  all.heard({ stage: 'looking' }, known, SIGNAL);
  all.heard({ begins: { expectedSeconds: 700 } }, known, SIGNAL);
  for (const stage of ['restoring', 'replacing', 'replaced'] as const) all.heard({ stage }, known, SIGNAL);
  all.heard({ wayBack: [] }, known, SIGNAL);
  await all.ended(ended);
  expect(told().map(({ event }) => event)).toEqual(['start', 'progress', 'progress', 'progress', 'success']);
  expect(told()[0]).toMatchObject({
    title: 'The restore of "shop" begins',
    happened: 'Backup: 20261121_020000_nightly_k3v9qa. Target: db/shop. The last drill took 11 min 40 s.',
  });
});

test('A channel that fails all the time is told of by another once in a run', async () => {
  const slack = await startWatchingService();
  slack.answer = () => ({ status: 404 });
  const all = announcements({ command: 'restore', 'slack-webhook-url': `${slack.url}/x` });
  const known = { command: 'restore' } as const;
  all.heard({ begins: {} }, known, SIGNAL);
  all.heard({ stage: 'restoring' }, known, SIGNAL);
  expect(await all.ended(ended)).toEqual({ told: ['webhook'], untold: [] });
  expect(told().map(({ event }) => event)).toEqual(['start', 'not-told', 'progress', 'success']);
  expect(hook.calls[1]?.body).toContain('make a new one at the service');
  await slack.close();
});

test('A dry run of a restore, one whose `notify-on` is shorter, and a backup are told nothing of while they run', async () => {
  for (const inputs of [
    { command: 'restore', 'dry-run': 'true' },
    { command: 'restore', 'notify-on': 'failure' },
    { command: 'backup' },
  ] as const) {
    const all = announcements(inputs);
    all.started(SIGNAL);
    all.heard({ begins: {} }, { command: inputs.command }, SIGNAL);
    await all.ended(ended);
  }
  expect(told()).toEqual([]);
});

test('A status tells a digest when it is asked for one, whatever comes of it', async () => {
  const nothing = { series: [], destinations: [], findings: [] };
  const report: StatusReport = { now: new Date(), level: 'info', ...nothing, storage: { bytes: 1 } };
  for (const digest of ['', 'monthly']) {
    const all = announcements({ command: 'status', digest });
    all.watched(report, SIGNAL);
    await all.ended(ended);
  }
  expect(told().map(({ event, title }) => [event, title])).toEqual([
    ['digest', 'Backups of the last 30 days: all is well'],
  ]);
});

test('A drill hears which channels cannot be tried, and passes; one whose mail server is gone does not pass', async () => {
  const whole = { result: 'accepted' } as const;
  const broken = BROKEN_COPIES.map((copy) => {
    return { copy, rehearsed: { result: 'caught', at: copy.caughtBy[0] ?? 'read', why: 'x' } as const };
  });
  const untested = await announcements({ command: 'drill' }).probe(SIGNAL);
  expect(untested).toMatchObject([
    { code: 'alarm-untested', seen: expect.stringContaining('`webhook-url` was not tried') },
  ]);
  expect(judgeRehearsal({ whole, broken, delivery: untested })).toMatchObject({
    status: 'passed',
    reason: expect.stringContaining('not every channel can be tried'),
    details: [expect.stringContaining('`webhook-url`')],
  });
  const gone = await announcements({
    ...{ command: 'drill', 'webhook-url': '', 'smtp-url': 'smtp://ops%40example.com:passw0rd@127.0.0.1:1' },
    'email-to': 'a@example.com',
  }).probe(SIGNAL);
  expect(gone).toMatchObject([{ seen: expect.stringMatching(/^`smtp-url` could not be told of a failed run/) }]);
  expect(gone).toMatchObject([{ action: expect.stringContaining('host and port in `smtp-url`') }]);
  expect(JSON.stringify(gone)).not.toContain('127.0.0.1');
  expect(judgeRehearsal({ whole, broken, delivery: gone }).status).not.toBe('passed');
  expect(hook.calls).toEqual([]);
});
