/** Runs that were cancelled or killed, as the runner does it to them: the post step tells what they could not. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { alarmWarnings, expectRealError, MARKER, PASSWORD, play, withGitHub } from '../support/alarm-bench.ts';
import { describeWith } from '../support/availability.ts';
import { type FolderState, type Scenario, startScenario } from '../support/backup-scenario.ts';
import { clientTools } from '../support/clients.ts';
import { expectFailed, expectProven, expectUnproven, readable } from '../support/expect-run.ts';
import { type FakeGitHub, startGitHub } from '../support/github-api.ts';

describe('A run', () => {
  test('that is cancelled opens no issue in its last seconds; its post step does', () =>
    withGitHub(async (github) => {
      let before = -1;
      const run = await play('wait', github, {
        onLine: (line, action) => {
          if (line !== 'waiting') return;
          before = github.requests.length;
          action.cancel();
        },
      });
      expectRealError(run, 'ERR_CANCELLED');
      expect(before).toBe(0);
      expect(run.state).not.toHaveProperty('reported');
      expect(run.outputs).toEqual({});
      expect(github.issues).toMatchObject([{ title: 'The backup of "shop" failed (ERR_CANCELLED)' }]);
      expect(github.issues[0]?.body).toContain('look for a timeout of the job');
      expect(run.post?.maskedLog).toContain('Issue #1 was opened');
      expect(run.post?.annotations).toEqual([]);
      expect(run.filesLeftBehind).toEqual([]);
    }));

  test('that is cancelled while it tells of its failure leaves the issue to the post step', () =>
    withGitHub(async (github) => {
      let cancel = (): void => undefined;
      github.fault = () => {
        github.fault = () => undefined;
        cancel();
        return 'hang';
      };
      const run = await play('fail', github, {
        onStart: (action) => {
          cancel = () => action.cancel();
        },
      });
      expectRealError(run);
      expect(alarmWarnings(run)).toEqual([]);
      expect(run.seconds).toBeLessThan(7);
      // The failure, not the cancellation.
      expect(github.issues).toMatchObject([{ title: 'The backup of "shop" failed (ERR_DUMP_FAILED)' }]);
    }));

  test('that is killed is told of by its post step: a warning, and the issue', () =>
    withGitHub(async (github) => {
      const run = await play('die', github);
      expect(run).toMatchObject({ signal: 'SIGKILL', filesLeftBehind: [], post: { exitCode: 0 } });
      expect(run.state).not.toHaveProperty('failure');
      expect(run.post?.annotations).toMatchObject([{ kind: 'warning', title: 'The backup failed (ERR_KILLED)' }]);
      expect(github.issues).toMatchObject([{ title: 'The backup of "shop" failed (ERR_KILLED)' }]);
      expect(github.issues[0]?.body).toContain('a lack of memory');
      await play('die', github);
      expect(github.issues.map(({ comments }) => comments.map(readable))).toEqual([
        [expect.stringContaining('ERR_KILLED')],
      ]);
      expect(github.sent()).not.toContain(PASSWORD);
    }));

  test('that was killed costs a warning more when GitHub is down, and the post step still ends well', () =>
    withGitHub(async (github) => {
      github.fault = () => 'reset';
      const run = await play('die', github);
      expect(run.post).toMatchObject({ exitCode: 0, stderr: '' });
      expect(alarmWarnings(run)).toEqual([
        expect.stringContaining('ERR_KILLED'),
        expect.stringContaining('could not be written'),
      ]);
    }));

  test('by an error that nobody caught has all the time that it needs, and tells it itself', () =>
    withGitHub(async (github) => {
      const run = await play('crash', github);
      expectRealError(run, 'ERR_INTERNAL');
      expect(github.issues).toHaveLength(1);
      expect(run.state.reported).toBe('true');
    }));
});

describeWith(await clientTools(17), 'The alarm of a real backup', (clients) => {
  let scenario: Scenario;
  let github: FakeGitHub;
  let before: FolderState;
  let good: string;

  beforeAll(async () => {
    github = await startGitHub();
    scenario = await startScenario(clients);
    const first = await scenario.run({ github });
    await expectProven(scenario, first, new Map());
    good = first.outputs['backup-id'] ?? '';
    before = scenario.state();
  });

  afterAll(async () => {
    await scenario?.stop();
    await github?.close();
  });

  test('goes from a database that is away, over a kill and an empty table, to its recovery', async () => {
    // The series is named by the URL alone, in the failure as in the success.
    const inputs = { name: '' };
    const away = await scenario.run({ github, inputs, url: scenario.url({ port: 1 }) });
    await expectFailed(scenario, away, before, { code: 'ERR_CONNECT', happened: [], action: [] });
    expect(github.issues).toHaveLength(1);
    expect(github.issues[0]?.body).toContain(MARKER);
    // It never came so far as to look at the storage; the alarm did.
    expect(readable(github.issues[0]?.body ?? '')).toMatch(new RegExp(`newest proven backup is .* old: ${good}`));

    const killed = await scenario.run({
      github,
      inputs,
      onLine: (line, action) => {
        if (line.startsWith('::group::Dump, proof')) action.signal('SIGKILL');
      },
    });
    expect(killed.signal).toBe('SIGKILL');
    expect(github.issues).toHaveLength(1);
    const comment = readable(github.issues[0]?.comments[0] ?? '');
    expect(comment).toContain('ERR_KILLED');
    expect(comment).toMatch(/Nothing of this backup became visible: .*_manual_.* has no metadata.json/);
    expect(comment).toContain(good);
    expect(killed.filesLeftBehind).toEqual([]);
    await scenario.untilNoSessions();

    await scenario.query('CREATE TABLE must_hold_rows (id integer)');
    const left = scenario.state();
    const empty = await scenario.run({ github, inputs: { ...inputs, 'critical-tables': 'must_hold_rows' } });
    await expectUnproven(scenario, empty, left, { checks: { 'critical-tables': 'failed' } });
    expect(github.issues[0]?.comments).toHaveLength(2);
    expect(readable(github.issues[0]?.comments[1] ?? '')).toContain(good);

    const healthy = await scenario.run({ github, inputs });
    expect(healthy.exitCode).toBe(0);
    expect(healthy.outputs['issue-number']).toBe('1');
    expect(github.issues).toMatchObject([{ state: 'closed', stateReason: 'completed' }]);
    expect(github.issues[0]?.comments[2]).toContain('Recovered');
  });

  test('of a run that is cancelled in its dump comes from the post step', async () => {
    const left = scenario.state();
    const run = await scenario.run({
      onLine: (line, action) => {
        if (line.startsWith('::group::Dump, proof')) action.cancel();
      },
    });
    await expectFailed(scenario, run, left, { code: 'ERR_CANCELLED', happened: [], action: [] });
    expect(run.seconds).toBeLessThan(20);
    expect(run.github.issues).toMatchObject([{ title: 'The backup of "shop" failed (ERR_CANCELLED)', comments: [] }]);
    expect(readable(run.github.issues[0]?.body ?? '')).toContain('The newest proven backup is');
  });
});
