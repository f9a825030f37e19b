/**
 * Starts the action as a runner does and tells all that came of it: `dist/index.js` on the Node of node_modules, with
 * every declared input in its environment, file commands, masks, and the post step after it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type FakeGitHub, startGitHub, TOKEN } from './github-api.ts';
import {
  filesBelow,
  parseFileCommand,
  parseOutput,
  type ReadOutput,
  type WorkflowCommand,
} from './workflow-commands.ts';

export type { Annotation } from './workflow-commands.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NODE = path.join(ROOT, 'node_modules/.bin/node');
const DIST = path.join(ROOT, 'dist/index.js');
const DIST_POST = path.join(ROOT, 'dist/post.js');
const DEFAULT_TIMEOUT_MS = 120_000;

export interface RunOptions {
  /** By the names of action.yml; undeclared ones are handed on as well, as the runner does. */
  inputs?: Readonly<Record<string, string>>;
  /** The step's own `env:`, over the runner's variables. */
  env?: Readonly<Record<string, string>>;
  /** The script; `dist/index.js` by default. */
  entry?: string;
  /** The script of the post step; `dist/post.js` by default. */
  postEntry?: string;
  /** A program and its arguments that replaces itself by the action, e.g. to give it another network. */
  through?: readonly [program: string, ...arguments: string[]];
  /** The workspace; by default a folder that is removed afterwards. */
  cwd?: string;
  /** `github-hosted` by default, as RUNNER_ENVIRONMENT has it. */
  runner?: 'github-hosted' | 'self-hosted';
  /** The process is killed after this time, and the run rejects. 120 s by default. */
  timeoutMs?: number;
  /** Called with the running process, e.g. to cancel it or to look at its memory. */
  onStart?: (action: RunningAction) => void;
  /** Called for every line of standard output as it is written, before masks. */
  onLine?: (line: string, action: RunningAction) => void;
  /** GitHub's API, for runs that share one; by default each run has its own. */
  github?: FakeGitHub;
  /** The post step is run too unless this is false. */
  post?: boolean;
}

export interface RunningAction {
  pid: number;
  /** As the runner cancels: SIGINT, after 7.5 s SIGTERM, after 2.5 s SIGKILL. */
  cancel(): void;
  signal(name: NodeJS.Signals): void;
}

export interface StepResult extends Omit<ReadOutput, 'commands'> {
  /** null when it was ended by `signal`. */
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** Everything as it was written, masks and commands included. */
  stdout: string;
  stderr: string;
  commands: WorkflowCommand[];
  seconds: number;
}

export interface ActionResult extends StepResult {
  outputs: Record<string, string>;
  state: Record<string, string>;
  /** What it exported to later steps with GITHUB_ENV and GITHUB_PATH. */
  exported: { env: Record<string, string>; path: string[] };
  /** The job summary in Markdown. */
  summary: string;
  /** The post step; null when it was not wanted. */
  post: StepResult | null;
  /** What GitHub's API was told by both steps. */
  github: FakeGitHub;
  /** RUNNER_TEMP of both steps. */
  temp: string;
  /** Paths below RUNNER_TEMP after both steps; a runner empties it only after the job. */
  filesLeftBehind: string[];
}

/** Rejects only when it cannot be started or does not end in time; a failed run is a result. */
export async function runAction(options: RunOptions = {}): Promise<ActionResult> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'runner-'));
  const github = options.github ?? (await startGitHub());
  try {
    const stage = await setStage(folder, { ...options, github });
    const main = await runStep(stage.env, stage.cwd, options);
    const state = parseFileCommand(stage.read('GITHUB_STATE'));
    const outputs = parseFileCommand(stage.read('GITHUB_OUTPUT'));
    const summary = stage.read('GITHUB_STEP_SUMMARY');
    const exportedEnv = parseFileCommand(stage.read('GITHUB_ENV'));
    const exportedPath = stage
      .read('GITHUB_PATH')
      .split('\n')
      .filter((line) => line !== '');
    const stateEnv = Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]));
    const { onStart: _, onLine: __, ...quietly } = options;
    const post =
      options.post === false
        ? null
        : await runStep({ ...stage.env, ...stateEnv }, stage.cwd, {
            ...quietly,
            entry: options.postEntry ?? DIST_POST,
          });
    return {
      ...main,
      outputs,
      state,
      exported: { env: exportedEnv, path: exportedPath },
      summary,
      post,
      github,
      temp: stage.env.RUNNER_TEMP ?? '',
      filesLeftBehind: filesBelow(path.join(folder, 'temp')),
    };
  } finally {
    if (options.github === undefined) await github.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Names of the inputs that an action.yml declares. */
export function declaredInputs(actionYml: string): string[] {
  const section = /^inputs:\n((?:(?: .*)?\n)*)/m.exec(actionYml)?.[1] ?? '';
  return [...section.matchAll(/^ {2}([\w-]+):/gm)].map((match) => match[1] ?? '');
}

interface Stage {
  env: Record<string, string>;
  cwd: string;
  read(variable: string): string;
}

const FILE_COMMANDS = ['GITHUB_OUTPUT', 'GITHUB_ENV', 'GITHUB_STATE', 'GITHUB_STEP_SUMMARY', 'GITHUB_PATH'];

async function setStage(folder: string, options: RunOptions & { github: FakeGitHub }): Promise<Stage> {
  const folders = {
    temp: path.join(folder, 'temp'),
    tools: path.join(folder, 'tools'),
    work: path.join(folder, 'work'),
  };
  const commands = path.join(folder, 'commands');
  for (const each of [...Object.values(folders), commands]) await mkdir(each, { recursive: true });
  const files = Object.fromEntries(FILE_COMMANDS.map((name) => [name, path.join(commands, name)]));
  for (const file of Object.values(files)) writeFileSync(file, '');
  const actionYml = readFileSync(path.join(ROOT, 'action.yml'), 'utf8');
  const declared = Object.fromEntries(declaredInputs(actionYml).map((name) => [name, '']));
  // The one default of action.yml.
  const inputs = { ...declared, 'github-token': TOKEN, ...options.inputs };
  const cwd = options.cwd ?? folders.work;
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? '',
    ...runVariables(cwd, options.runner ?? 'github-hosted'),
    GITHUB_API_URL: options.github.url,
    RUNNER_TEMP: folders.temp,
    RUNNER_TOOL_CACHE: folders.tools,
    ...files,
    ...options.env,
    ...Object.fromEntries(Object.entries(inputs).map(([name, value]) => [inputVariable(name), value])),
  };
  return { env, cwd, read: (variable) => readFileSync(files[variable] as string, 'utf8') };
}

function inputVariable(name: string): string {
  return `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`;
}

function runVariables(workspace: string, runner: string): Record<string, string> {
  return {
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_ACTOR: 'octocat',
    GITHUB_EVENT_NAME: 'workflow_dispatch',
    GITHUB_JOB: 'backup',
    GITHUB_REF: 'refs/heads/main',
    GITHUB_REPOSITORY: 'acme/shop',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_RUN_ID: '4242424242',
    GITHUB_RUN_NUMBER: '7',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_SHA: '0123456789abcdef0123456789abcdef01234567',
    GITHUB_WORKFLOW: 'backup',
    GITHUB_WORKSPACE: workspace,
    RUNNER_ARCH: process.arch === 'arm64' ? 'ARM64' : 'X64',
    RUNNER_ENVIRONMENT: runner,
    RUNNER_NAME: 'runner',
    RUNNER_OS: process.platform === 'darwin' ? 'macOS' : 'Linux',
  };
}

async function runStep(env: Record<string, string>, cwd: string, options: RunOptions): Promise<StepResult> {
  const started = performance.now();
  const [program, ...args] = [...(options.through ?? []), NODE, options.entry ?? DIST];
  const child = spawn(program as string, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const action = handleOf(child);
  const output = collect(child, (line) => options.onLine?.(line, action));
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, timeoutMs);
  if (child.pid !== undefined) options.onStart?.(action);
  const end = await new Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal }));
  }).finally(() => {
    clearTimeout(timer);
    action.over();
  });
  const { stdout, stderr } = output;
  if (late)
    throw new Error(`the action did not end within ${timeoutMs} ms; its output:\n${parseOutput(stdout).maskedLog}`);
  return { ...end, stdout, stderr, ...parseOutput(stdout), seconds: (performance.now() - started) / 1000 };
}

function handleOf(child: ChildProcess): RunningAction & { over(): void } {
  const timers: NodeJS.Timeout[] = [];
  return {
    pid: child.pid ?? 0,
    signal: (name) => void child.kill(name),
    cancel() {
      child.kill('SIGINT');
      timers.push(
        setTimeout(() => child.kill('SIGTERM'), 7_500),
        setTimeout(() => child.kill('SIGKILL'), 10_000),
      );
    },
    over: () => timers.forEach(clearTimeout),
  };
}

function collect(child: ChildProcess, onLine: (line: string) => void): { stdout: string; stderr: string } {
  const output = { stdout: '', stderr: '' };
  let partial = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
    const lines = (partial + text).split('\n');
    partial = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  return output;
}
