/** Runs of the scripted action against one GitHub API, and what must hold of them. */
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { type FakeGitHub, startGitHub } from './github-api.ts';
import { type ActionResult, type RunOptions, runAction } from './run-action.ts';

const ENTRY = fileURLToPath(new URL('./action-under-test/scripted.ts', import.meta.url));
const POST_ENTRY = fileURLToPath(new URL('./action-under-test/post.ts', import.meta.url));

export const PASSWORD = 's3cr3t-word';
export const MARKER = '<!-- db-backup-action: series=shop command=backup -->';

const INPUTS = {
  'database-url': `postgresql://keeper:${PASSWORD}@db.example.com/shop`,
  storage: 's3://acme-backups/postgres',
  encryption: 'none',
};

export interface PlayOptions extends RunOptions {
  /** GITHUB_RUN_ID */
  runId?: string;
}

/** The whole action around a command that does what `script` says; see scripted.ts. */
export function play(script: string, github: FakeGitHub, options: PlayOptions = {}): Promise<ActionResult> {
  const { runId = '4242424242', ...more } = options;
  return runAction({
    entry: ENTRY,
    postEntry: POST_ENTRY,
    github,
    ...more,
    inputs: { ...INPUTS, ...more.inputs },
    env: { SCRIPT: script, GITHUB_RUN_ID: runId, ...more.env },
  });
}

/** A GitHub of its own for `body`. */
export async function withGitHub(body: (github: FakeGitHub) => Promise<void>): Promise<void> {
  const github = await startGitHub();
  try {
    await body(github);
  } finally {
    await github.close();
  }
}

/** Whatever became of the alarm: the error of the run is told, once, and it is red. */
export function expectRealError(run: ActionResult, code = 'ERR_DUMP_FAILED'): void {
  expect(run.exitCode, run.maskedLog).toBe(1);
  expect(run.stderr).toBe('');
  const errors = run.annotations.filter(({ kind }) => kind === 'error');
  expect(errors.map(({ title }) => title)).toEqual([expect.stringContaining(`(${code})`)]);
  expect(run.summary).toContain('❌');
  expect(run.post).toMatchObject({ exitCode: 0, stderr: '' });
}

/** The warnings of the alarm, of both steps. */
export function alarmWarnings(run: ActionResult): string[] {
  return [...run.annotations, ...(run.post?.annotations ?? [])]
    .filter(({ kind, title }) => kind === 'warning' && title !== 'size-changed')
    .map(({ title, message }) => `${title}: ${message}`);
}
