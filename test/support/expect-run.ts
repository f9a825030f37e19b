/** What every run must hold to, whatever became of its backup. */
import { expect } from 'vitest';
import type { Check, CheckId, CheckStatus } from '../../src/domain/checks.ts';
import type { ErrorCode } from '../../src/domain/errors.ts';
import { type FolderState, PASSWORD, type Scenario, type ScenarioRun } from './backup-scenario.ts';
import { withoutEntities } from './markdown.ts';
import type { Annotation } from './run-action.ts';

export interface ExpectedFailure {
  /** Several where it depends on timing which part notices first. */
  code: ErrorCode | readonly ErrorCode[];
  /** What annotation and summary say happened. */
  happened: readonly (string | RegExp)[];
  /** What they say is to be done. */
  action: readonly (string | RegExp)[];
  /** What they say is safe; `Older backups are untouched.` is always among it. */
  safety?: string;
}

/** Nothing became of this backup: the words say so, and storage is as it was in `before`. */
export async function expectFailed(
  scenario: Scenario,
  run: ScenarioRun,
  before: FolderState,
  expected: ExpectedFailure,
): Promise<void> {
  expectFailureWords(run, expected);
  expectNoResult(run);
  expect(Object.fromEntries(scenario.state())).toEqual(Object.fromEntries(before));
  await expectTidy(scenario, run);
}

/** No output but the number of the issue that tells of it, where the main step wrote it. */
export function expectNoResult(run: ScenarioRun): void {
  expect(Object.keys(run.outputs).filter((name) => name !== 'issue-number')).toEqual([]);
}

/** Exit code, the one annotation of the failure, and the summary. */
export function expectFailureWords(run: ScenarioRun, expected: ExpectedFailure): void {
  const { code, happened, action, safety } = expected;
  expect(run.exitCode, run.maskedLog).toBe(1);
  const [error, ...more] = run.annotations.filter(({ title }) => title.includes('(ERR_'));
  expect(more).toEqual([]);
  expect(error?.kind, run.maskedLog).toBe('error');
  expect([code].flat()).toContain(/\((ERR_\w+)\)/.exec(error?.title ?? '')?.[1]);
  for (const text of [error?.message ?? '', readable(run.summary)]) {
    const [what = '', todo = ''] = text.split('What to do:');
    for (const words of happened) expectWords(what, words);
    for (const words of ['Older backups are untouched.', ...(safety === undefined ? [] : [safety])]) {
      expectWords(what, words);
    }
    for (const words of action) expectWords(todo, words);
  }
  expect(run.summary).toContain('❌');
}

/** The set is committed and visible, the run is red all the same, and older sets are as they were. */
export async function expectUnproven(
  scenario: Scenario,
  run: ScenarioRun,
  before: FolderState,
  expected: { checks: Partial<Record<CheckId, CheckStatus>>; happened?: readonly (string | RegExp)[] },
): Promise<Check[]> {
  expectFailureWords(run, {
    code: 'ERR_NOT_PROVEN',
    happened: [/checks? did not pass/, ...Object.keys(expected.checks), ...(expected.happened ?? [])],
    action: ['run the backup again', 'the newest proven backup is the one to trust'],
    safety: 'stored as unproven',
  });
  expect(run.outputs.verdict).toBe('unproven');
  const manifest = scenario.manifest(run);
  expect(manifest.verdict).toBe('unproven');
  const { checks } = scenario.contents(run);
  const doubtful = checks.filter(({ status }) => status !== 'passed').map(({ id, status }) => [id, status]);
  expect(Object.fromEntries(doubtful)).toEqual(expected.checks);
  expectOlderSetsUntouched(scenario.state(), before);
  await expectTidy(scenario, run);
  return checks;
}

/** Green, and everything that says so agrees. */
export async function expectProven(scenario: Scenario, run: ScenarioRun, before: FolderState): Promise<void> {
  expect(run.exitCode, run.maskedLog).toBe(0);
  expect(run.annotations.filter(({ kind }) => kind === 'error')).toEqual([]);
  expect(run.outputs.verdict).toBe('proven');
  expect(scenario.manifest(run).verdict).toBe('proven');
  expect(readable(run.summary)).toContain('✅ Proven backup');
  expectOlderSetsUntouched(scenario.state(), before);
  await expectTidy(scenario, run);
}

/** Everything that was there is there as it was, and all that is new is one complete set. */
function expectOlderSetsUntouched(after: FolderState, before: FolderState): void {
  const kept = [...after].filter(([path]) => before.has(path));
  expect(Object.fromEntries(kept)).toEqual(Object.fromEntries(before));
  const fresh = [...after.keys()].filter((path) => !before.has(path));
  const sets = new Set(fresh.map((path) => path.split('/').slice(0, 2).join('/')).filter((path) => path.includes('/')));
  expect(sets.size).toBe(1);
  expect(fresh).toContain(`${[...sets][0]}/metadata.json`);
}

/** No process, no session, no file and no word of a secret outlives the run. */
export async function expectTidy(scenario: Scenario, run: ScenarioRun): Promise<void> {
  expect(run.stderr).toBe('');
  expect(run.post?.exitCode).toBe(0);
  expect(run.processesLeft).toEqual([]);
  expect(run.filesLeftBehind).toEqual([]);
  expectNoSecret(run, [PASSWORD]);
  await scenario.untilNoSessions();
}

/** A secret as it is, and as URLs, JSON, forms, password files, key=value strings and HTTP headers spell it. */
export function formsOf(secret: string): string[] {
  return [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams({ '': secret }).toString().slice(1),
    JSON.stringify(secret).slice(1, -1),
    secret.replaceAll(/[\\:]/g, '\\$&'),
    secret.replaceAll(/[\\']/g, '\\$&'),
    Buffer.from(secret).toString('base64'),
    Buffer.from(secret).toString('hex'),
  ];
}

/** Neither raw (masks are what the runner is told, so they must hold it) nor encoded, in whatever left the process. */
export function expectNoSecret(run: ScenarioRun, secrets: readonly string[]): void {
  const unmasked = (stdout: string) => stdout.split('\n').filter((line) => !line.startsWith('::add-mask::'));
  const leaving = {
    log: unmasked(run.stdout).join('\n'),
    post: unmasked(run.post?.stdout ?? '').join('\n'),
    stderr: run.stderr,
    summary: `${run.summary}\n${readable(run.summary)}`,
    outputs: JSON.stringify(run.outputs),
    state: JSON.stringify(run.state),
    exported: JSON.stringify(run.exported),
    issues: `${run.github.sent()}\n${readable(run.github.sent())}`,
  };
  for (const secret of secrets.flatMap(formsOf)) {
    for (const [name, text] of Object.entries(leaving)) {
      expect(text.includes(secret), `${name} holds the secret ${secret}`).toBe(false);
    }
  }
}

export function annotation(run: ScenarioRun, kind: Annotation['kind'], title: string): Annotation | undefined {
  return run.annotations.find((each) => each.kind === kind && each.title === title);
}

function expectWords(text: string, words: string | RegExp): void {
  if (typeof words === 'string') expect(text).toContain(words);
  else expect(text).toMatch(words);
}

/** A summary as a person reads it: without tags, entities resolved. */
export function readable(summary: string): string {
  return withoutEntities(summary.replaceAll(/<\/?\w+>|\*\*/g, ''));
}
