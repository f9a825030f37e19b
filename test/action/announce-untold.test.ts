/** A run that does not come to its end is told all the same; and what becomes of a run when somebody is not told. */
import { describe, expect, test } from 'vitest';
import { expectRealError, type PlayOptions, withGitHub } from '../support/alarm-bench.ts';
import { announceBench, untold } from '../support/announce-bench.ts';

const bench = announceBench();

describe('A run that was interrupted', () => {
  test.each([
    ['cancelled', 'wait', 'ERR_CANCELLED'],
    ['killed', 'die', 'ERR_KILLED'],
  ])('(%s) is told of by its post step', (_, script, code) =>
    withGitHub(async (github) => {
      const onLine: PlayOptions['onLine'] = (line, action) => {
        if (line === 'waiting') action.cancel();
      };
      const run = await bench.playTold(script, github, { onLine });
      expect(run.post?.exitCode).toBe(0);
      expect(bench.hook.calls.map(({ body }) => JSON.parse(body).code)).toEqual([code]);
      expect(bench.slack.calls).toHaveLength(1);
      expect(github.issues[0]?.body).toContain('/webhook/');
    }),
  );

  test('whose inputs are wrong is told of', () =>
    withGitHub(async (github) => {
      expectRealError(await bench.playTold('succeed', github, { inputs: { 'age-recipients': 'x' } }), 'ERR_INPUT');
      expect(JSON.parse(bench.hook.calls[0]?.body ?? '')).toMatchObject({ code: 'ERR_INPUT', series: 'shop' });
    }));
});

describe('A channel that fails', () => {
  test('is a warning and a line of the summary, and another channel says so; the run is what it is', () =>
    withGitHub(async (github) => {
      bench.slack.answer = () => ({ status: 500 });
      const run = await bench.playTold('fail', github, { runId: '1' });
      expectRealError(run);
      expect(untold(run)).toEqual([
        expect.stringMatching(/`slack-webhook-url` was not told of this run: the answer was HTTP 500\./),
      ]);
      expect(run.summary).toContain('was not told of this run');
      expect(bench.events()).toEqual(['failure', 'not-told']);
      expect(JSON.parse(bench.hook.calls[1]?.body ?? '').happened).toBe(
        '`slack-webhook-url` was not told: the answer was HTTP 500.',
      );
      // It has not been told, so it is the next time, and the other is not told twice.
      bench.slack.answer = () => ({ status: 200 });
      const before = bench.slack.calls.length;
      await bench.playTold('fail', github, { runId: '2' });
      expect(bench.slack.calls).toHaveLength(before + 1);
      expect(bench.events()).toEqual(['failure', 'not-told']);
    }));

  test.each(['hang', 'reset'] as const)('(%s) leaves a green run green, in seconds', (answer) =>
    withGitHub(async (github) => {
      bench.slack.answer = () => answer;
      const run = await bench.playTold('succeed', github, { inputs: { 'notify-on': 'success' } });
      expect(run.exitCode).toBe(0);
      expect(run.seconds).toBeLessThan(25);
      expect(untold(run)).toHaveLength(1);
      expect(bench.events()).toEqual(['success', 'not-told']);
    }),
  );

  test('where it is the only one is told of in the issue', () =>
    withGitHub(async (github) => {
      bench.slack.answer = () => ({ status: 404 });
      await bench
        .playTold('fail', github, { inputs: { 'webhook-url': '', 'webhook-secret': '' } })
        .catch(() => undefined);
      expect(github.issues[0]?.comments).toEqual([
        expect.stringContaining('was not told&#58; the answer was HTTP 404'),
      ]);
    }));
});
