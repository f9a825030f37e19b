/** `heartbeat-url`: what a service that waits for the job hears of each kind of run, and what becomes of a run when it hears nothing. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expectRealError, PASSWORD, type PlayOptions, play, withGitHub } from '../support/alarm-bench.ts';
import { describeIf, programAvailable } from '../support/availability.ts';
import { expectNoSecret } from '../support/expect-run.ts';
import { type ActionResult, runAction } from '../support/run-action.ts';
import { makeSelfSignedCertificate } from '../support/self-signed.ts';
import { startWatchingService, type WatchingService } from '../support/watching-service.ts';

const TOKEN = '3f1c2a9e-7b6d-4e5f-8a90-1b2c3d4e5f60';
const PING = `/ping/${TOKEN}`;
const RUN = 'https://github.com/acme/shop/actions/runs/4242424242/attempts/1';

let service: WatchingService;
beforeEach(async () => {
  service = await startWatchingService();
});
afterEach(() => service.close());

async function playTold(script: string, options: PlayOptions = {}): Promise<ActionResult> {
  let result: ActionResult | undefined;
  await withGitHub(async (github) => {
    const inputs = { 'heartbeat-url': `${service.url}${PING}`, ...options.inputs };
    result = await play(script, github, { ...options, inputs });
    expect(github.sent()).not.toContain(TOKEN);
  });
  const run = result as ActionResult;
  expectNoSecret({ ...run, processesLeft: [] }, [TOKEN]);
  expect(run.masks).toEqual(expect.arrayContaining([TOKEN, `${service.url}${PING}`]));
  return run;
}

function warnings(run: ActionResult): string[] {
  return [...run.annotations, ...(run.post?.annotations ?? [])]
    .filter(({ title }) => title.startsWith('channel-'))
    .map(({ kind, title, message }) => `${kind} ${title}: ${message}`);
}

describe('A service that waits for the job', () => {
  test('hears that it began and that it is proven, with the time and the run', async () => {
    const run = await playTold('succeed');
    expect(run.exitCode, run.maskedLog).toBe(0);
    expect(service.heard()).toEqual([`POST ${PING}/start`, `POST ${PING}`]);
    expect(service.calls[1]?.body).toMatch(/^The backup 20261121_.* is proven\.\nIt took \d+ (ms|s)\.\n/);
    expect(service.calls[1]?.body).toContain(RUN);
    expect(warnings(run)).toEqual([]);
  });

  test.each([
    ['fail', 'ERR_DUMP_FAILED'],
    ['unproven', 'ERR_NOT_PROVEN'],
  ])('hears of one that is red (%s), once and by its title alone', async (script, code) => {
    expectRealError(await playTold(script), code);
    expect(service.heard()).toEqual([`POST ${PING}/start`, `POST ${PING}/fail`]);
    const { body = '' } = service.calls[1] ?? {};
    expect(body.split('\n')).toEqual([expect.stringContaining(code), expect.stringMatching(/^It took/), RUN]);
    expect(body).not.toContain(PASSWORD);
  });

  test('hears of one whose inputs are wrong', async () => {
    expectRealError(await playTold('succeed', { inputs: { 'age-recipients': 'nonsense' } }), 'ERR_INPUT');
    expect(service.heard()).toEqual([`POST ${PING}/start`, `POST ${PING}/fail`]);
  });

  test('hears nothing of a dry run, nor of one that was killed in it', async () => {
    const inputs = { 'dry-run': 'true' };
    await playTold('succeed', { inputs });
    await playTold('fail', { inputs });
    await playTold('die', { inputs });
    expect(service.calls).toEqual([]);
  });

  test('hears of one that was cancelled from the post step', async () => {
    let before: string[] = [];
    const run = await playTold('wait', {
      onLine: (line, action) => {
        if (line !== 'waiting') return;
        setTimeout(() => {
          before = service.heard();
          action.cancel();
        }, 300);
      },
    });
    expectRealError(run, 'ERR_CANCELLED');
    expect(before).toEqual([`POST ${PING}/start`]);
    expect(service.heard()).toEqual([`POST ${PING}/start`, `POST ${PING}/fail`]);
    expect(service.calls[1]?.body).toMatch(/ERR_CANCELLED.*\nIt took \d+ (ms|s)/);
  });

  test('hears of one that was killed from the post step', async () => {
    const run = await playTold('die');
    expect(run.signal).toBe('SIGKILL');
    expect(service.heard().at(-1)).toBe(`POST ${PING}/fail`);
    expect(service.calls.at(-1)?.body).toContain('ERR_KILLED');
  });

  test('of another kind hears of green runs alone', async () => {
    const inputs = { 'heartbeat-url': `${service.url}/any/${TOKEN}` };
    await playTold('fail', { inputs }).catch(() => undefined);
    expect(service.calls).toEqual([]);
    await withGitHub(async (github) => void (await play('succeed', github, { inputs })));
    expect(service.heard()).toEqual([`GET /any/${TOKEN}`]);
  });

  test('is told of a run on a desk too, which has no link', async () => {
    const env = { GITHUB_REPOSITORY: '', GITHUB_ACTIONS: '' };
    const inputs = { 'heartbeat-url': `${service.url}${PING}`, 'allow-ephemeral': 'true' };
    await withGitHub(async (github) => {
      expect((await play('succeed', github, { inputs, env, post: false })).exitCode).toBe(0);
    });
    expect(service.calls[1]?.body).not.toContain('github.com');
  });
});

describe('A service that is not what it was', () => {
  test('costs a warning without its address, and the run stays green', async () => {
    service.answer = () => ({ status: 500 });
    const run = await playTold('succeed');
    expect(run.exitCode, run.maskedLog).toBe(0);
    expect(run.outputs.verdict).toBe('proven');
    expect(warnings(run)).toEqual([
      expect.stringMatching(
        /^warning channel-not-told: `heartbeat-url` was not told of this run: the answer was HTTP 500\./,
      ),
    ]);
    expect(warnings(run).join()).not.toMatch(/127\.0\.0\.1|ping/);
  });

  test('costs a failed run a warning beside its error, and the issue is opened all the same', async () => {
    service.answer = () => 'reset';
    const run = await playTold('fail');
    expectRealError(run);
    expect(warnings(run)).toHaveLength(1);
    expect(run.outputs['issue-number']).toBe('1');
  });

  test('and hangs costs seconds', async () => {
    service.answer = () => 'hang';
    const run = await playTold('succeed');
    expect(run.exitCode).toBe(0);
    expect(run.seconds).toBeLessThan(20);
    expect(warnings(run)).toHaveLength(1);
  });

  test('and hangs does not hold up a cancellation', async () => {
    service.answer = () => 'hang';
    const run = await playTold('wait', {
      onLine: (line, action) => {
        if (line === 'waiting') action.cancel();
      },
    });
    expectRealError(run, 'ERR_CANCELLED');
    expect(run.seconds).toBeLessThan(7);
  });
});

describeIf(programAvailable('openssl', ['version'], 'apt-get install openssl'), 'A service by HTTPS', () => {
  let folder: string;
  let secure: WatchingService;
  let cert: string;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'watching-'));
    const certificate = await makeSelfSignedCertificate(folder, ['localhost']);
    cert = certificate.cert;
    secure = await startWatchingService(certificate);
  });
  afterEach(async () => {
    await secure.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('is told nothing when nobody vouches for it, and all when the machine trusts it', async () => {
    const inputs = { 'heartbeat-url': `${secure.url}${PING}` };
    await withGitHub(async (github) => {
      const refused = await play('succeed', github, { inputs });
      expect(warnings(refused)).toEqual([expect.stringContaining('(DEPTH_ZERO_SELF_SIGNED_CERT)')]);
      expect(secure.calls).toEqual([]);
      await play('succeed', github, { inputs, env: { NODE_EXTRA_CA_CERTS: cert } });
      expect(secure.heard()).toEqual([`POST ${PING}/start`, `POST ${PING}`]);
    });
  });
});

test('An address without TLS that is not this machine’s is a notice', async () => {
  // A name that leads nowhere.
  const inputs = { 'heartbeat-url': `http://heartbeat.invalid${PING}` };
  await withGitHub(async (github) => {
    const run = await play('succeed', github, { inputs });
    expect(run.exitCode).toBe(0);
    expect(warnings(run)[0]).toContain('notice channel-plain: `heartbeat-url` begins with http://');
    expect(warnings(run).join()).not.toContain('heartbeat.invalid');
  });
});

test('The built action tells of a run that fails at once', async () => {
  const run = await runAction({ inputs: { command: 'backup', 'heartbeat-url': `${service.url}${PING}` } });
  expectRealError(run, 'ERR_INPUT');
  expect(service.heard()).toEqual([`POST ${PING}/start`, `POST ${PING}/fail`]);
});
