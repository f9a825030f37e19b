/** An issue about drills over several runs, against a GitHub with a memory. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AlarmTask, raise, recover } from '../../src/alarm/issue.ts';
import { runMarker } from '../../src/domain/alarm.ts';
import { BackupError } from '../../src/domain/errors.ts';
import { issuesOf } from '../../src/github/issues.ts';
import { type AlarmInputs, readAlarmInputs } from '../../src/inputs/alarm.ts';
import { describeFailure } from '../../src/report/failure.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { type FakeGitHub, startGitHub, TOKEN } from '../support/github-api.ts';
import { recordingLog } from '../support/silent-log.ts';

const SET = '20261121_020000_nightly_k3v9qa';

let github: FakeGitHub;
let log = recordingLog();
beforeEach(async () => {
  github = await startGitHub();
  log = recordingLog();
});
afterEach(() => github.close());

function taskOf(runId: string, inputs: Record<string, string> = { INPUT_NAME: 'shop' }, nonce = 'a1'): AlarmTask {
  const env = {
    GITHUB_ACTIONS: 'true',
    GITHUB_REPOSITORY: 'acme/shop',
    GITHUB_WORKFLOW: 'Drill',
    GITHUB_JOB: 'drill',
    GITHUB_RUN_ID: runId,
    'INPUT_GITHUB-TOKEN': TOKEN,
    INPUT_COMMAND: 'drill',
    ...inputs,
  };
  const read = readAlarmInputs(env) as AlarmInputs;
  const issues = issuesOf({
    token: TOKEN,
    repository: 'acme/shop',
    apiUrl: github.url,
    clock: systemClock,
    signal: AbortSignal.timeout(30_000),
  });
  const run = {
    workflow: 'Drill',
    runId,
    runAttempt: '1',
    url: 'https://github.com/x',
    marker: runMarker(`${runId}/1`, nonce),
  };
  return { inputs: read, issues, log, redact: (text) => text, run, now: new Date('2026-12-01T04:00:00Z') };
}

const ERROR = new BackupError('ERR_NOT_PROVEN', 'A table differs', { op: 'drill', hint: 'Look.' });
const failure = describeFailure(ERROR, { command: 'drill', name: 'shop' });
const GOOD = { known: 'found', id: SET, snapshotAt: '2026-12-01T02:00:00Z', uri: `s3://b/shop/${SET}` } as const;
const fail = async (task: AlarmTask): Promise<number> => (await raise(task, failure, GOOD)()).number;
const pass = async (task: AlarmTask) =>
  (await recover(task, { command: 'drill', id: SET, uri: `s3://b/shop/${SET}` })()).issue?.number;

test('the second failure in a row makes it critical, in label, title and words; a pass closes it', async () => {
  expect(await fail(taskOf('1'))).toBe(1);
  const issue = () => github.issues[0];
  expect(issue()).toMatchObject({ title: 'The drill of "shop" failed (ERR_NOT_PROVEN)', labels: [], comments: [] });
  expect(issue()?.body).toContain('the next drill that passes closes it');

  await fail(taskOf('2'));
  expect(issue()).toMatchObject({
    title: 'CRITICAL: The drill of "shop" failed (ERR_NOT_PROVEN)',
    labels: ['critical'],
  });
  expect(issue()?.comments).toEqual([expect.stringContaining('🚨 **Critical: failed at least twice in a row.**')]);

  await fail(taskOf('3'));
  expect(issue()).toMatchObject({
    title: 'CRITICAL: The drill of "shop" failed (ERR_NOT_PROVEN)',
    labels: ['critical'],
  });
  expect(issue()?.comments).toHaveLength(2);

  expect(await pass(taskOf('4'))).toBe(1);
  expect(issue()).toMatchObject({ state: 'closed', stateReason: 'completed' });
  expect(issue()?.comments.at(-1)).toContain('was brought back by a drill that passed');

  // A failure after a success is a first one again.
  await fail(taskOf('5'));
  expect(github.openIssues()).toMatchObject([{ number: 2, labels: [], comments: [] }]);
});

test('labels that somebody gave it stay, and another step of the same run is no second failure', async () => {
  await fail(taskOf('1'));
  await fail(taskOf('1', undefined, 'b2'));
  expect(github.issues[0]).toMatchObject({ labels: [], comments: [expect.stringContaining('**Again:**')] });
  github.issues[0]?.labels.push('database');
  await fail(taskOf('2'));
  expect(github.issues[0]?.labels).toEqual(['database', 'critical']);
});

test('a label or a title that GitHub refuses is a warning, and the comment says it all the same', async () => {
  await fail(taskOf('1'));
  github.fault = ({ path, method }) =>
    path.endsWith('/labels') || method === 'PATCH' ? { status: 403, message: 'Resource not accessible' } : undefined;
  await fail(taskOf('2'));
  expect(github.issues[0]).toMatchObject({ labels: [], comments: [expect.stringContaining('🚨')] });
  expect(log.lines.filter((line) => line.includes('does not look like it'))).toHaveLength(2);
});

test('the series is the one that is named, else that of the set in `backup`, else the step stands for it', () => {
  const subject = (inputs: Record<string, string>) => taskOf('1', inputs).inputs.subject;
  const series = { kind: 'series', command: 'drill', series: 'shop' };
  expect(subject({ INPUT_NAME: 'shop', INPUT_BACKUP: `other/${SET}` })).toEqual(series);
  for (const backup of [
    `shop/${SET}`,
    `s3://acme-backups/prefix/shop/${SET}/metadata.json`,
    `s3://acme-backups/shop/${SET}/?region=x`,
  ]) {
    expect(subject({ INPUT_BACKUP: backup }), backup).toEqual(series);
  }
  expect(subject({ INPUT_COMMAND: 'restore', INPUT_BACKUP: `shop/${SET}` })).toEqual({ ...series, command: 'restore' });
  for (const backup of ['', 'latest', SET, 'dumps/shop.sql', `_x/${SET}`]) {
    expect(subject({ INPUT_BACKUP: backup }), backup).toMatchObject({ kind: 'step' });
  }
});
