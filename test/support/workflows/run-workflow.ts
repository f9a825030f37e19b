/**
 * Runs a workflow as GitHub would: act reads the file as it is, in a repository that holds nothing else but what the
 * test puts there. `org/db-backup-action` is this tree's; other actions are small ones of ours that do the essential.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runTool } from '../run-tool.ts';
import { type ActLog, parseActLog } from './act-log.ts';
import type { Edit } from './edits.ts';
import type { WorkflowRig } from './rig.ts';

const TEMPLATES = fileURLToPath(new URL('../../../.github/workflow-templates', import.meta.url));
const STAND_INS = fileURLToPath(new URL('actions', import.meta.url));
const OWN_ACTION = 'org/db-backup-action';
/** The copy of the repository that a runner checks out is act's own doing. */
const CHECKOUT = 'actions/checkout';
const LIMIT_MS = 240_000;

export interface WorkflowRun {
  /** The name of a template without `.yml`, or the path of another workflow. */
  workflow: string;
  /** `schedule`, `workflow_dispatch`, `push`… */
  event: string;
  /** What stands in `github.event`, e.g. `schedule`. */
  payload?: Readonly<Record<string, unknown>>;
  /** Of a dispatch. */
  inputs?: Readonly<Record<string, string>>;
  secrets?: Readonly<Record<string, string>>;
  vars?: Readonly<Record<string, string>>;
  /** What somebody changed in their copy; by default nothing. */
  edit?: Edit;
  /** Variables of the runner itself. */
  env?: Readonly<Record<string, string>>;
  /** Who started it. */
  actor?: string;
  /** Other files of the repository, by path. */
  files?: Readonly<Record<string, string>>;
  /** Where GitHub's cache of this repository is; by default there is none. */
  cache?: string;
  /** Called once it runs, e.g. to cancel it later. */
  onStart?: (run: RunningWorkflow) => void;
}

export interface RunningWorkflow {
  /**
   * As GitHub does when somebody presses the button. act tells no process in a container of it, so the action's step gets
   * the signals of a real runner from here, and act hears of it when the step has ended.
   */
  cancel(): Promise<void>;
}

export interface WorkflowResult extends ActLog {
  exitCode: number | null;
  /** Paths of the files in the artifacts, `artifact/file`, with what is in them. */
  artifacts: Record<string, string>;
}

/** Rejects only when it does not end in time; a failed run is a result. */
export async function runWorkflow(rig: WorkflowRig, run: WorkflowRun): Promise<WorkflowResult> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'workflow-'));
  const artifacts = path.join(folder, 'artifacts');
  try {
    await mkdir(artifacts);
    const repository = await makeRepository(path.join(folder, 'repository'), run);
    const args = await actArguments(rig, run, folder, repository);
    const child = spawn(rig.act, args, {
      cwd: repository,
      env: { PATH: process.env.PATH ?? '', HOME: path.join(folder, 'home'), DOCKER_HOST: rig.dockerHost },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { exitCode, output } = await follow(child, rig, run);
    return { ...parseActLog(output), exitCode, artifacts: filesOf(artifacts) };
  } finally {
    await cleanUp(rig);
    await rm(folder, { recursive: true, force: true });
  }
}

/** The text of a workflow, as a user copies it. */
function workflowFile(workflow: string): string {
  return path.isAbsolute(workflow) ? workflow : path.join(TEMPLATES, `${workflow}.yml`);
}

async function makeRepository(folder: string, run: WorkflowRun): Promise<string> {
  const file = workflowFile(run.workflow);
  await mkdir(path.join(folder, '.github/workflows'), { recursive: true });
  // GitHub writes the branch into a template that somebody picks.
  const text = readFileSync(file, 'utf8').replaceAll('$default-branch', 'main');
  await writeFile(path.join(folder, '.github/workflows', path.basename(file)), run.edit?.(text) ?? text);
  for (const [name, content] of Object.entries(run.files ?? {})) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), content, { mode: name.endsWith('.sh') ? 0o755 : 0o644 });
  }
  const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, stdio: 'ignore' });
  git('init', '--quiet', '--initial-branch=main');
  git('remote', 'add', 'origin', 'https://github.com/acme/shop.git');
  git('add', '--all');
  git('-c', 'user.name=octocat', '-c', 'user.email=octocat@example.org', 'commit', '--quiet', '--message', 'Begin');
  return folder;
}

async function actArguments(rig: WorkflowRig, run: WorkflowRun, folder: string, repository: string): Promise<string[]> {
  await mkdir(path.join(folder, 'home/.config/act'), { recursive: true });
  await writeFile(path.join(folder, 'home/.config/act/actrc'), '');
  // Files rather than arguments: secrets are nobody's business, and values may have several lines. JSON is YAML.
  const settings = async (name: string, values: object): Promise<string> => {
    const file = path.join(folder, `${name}.yml`);
    await writeFile(file, JSON.stringify(values), { mode: 0o600 });
    return file;
  };
  // act's cache asks nobody for a token, but the action takes none for a runner without a cache.
  const token: Record<string, string> = run.cache === undefined ? {} : { ACTIONS_RUNTIME_TOKEN: 'runtime-token' };
  const env = {
    RUNNER_ENVIRONMENT: 'github-hosted',
    // act calls every run the first.
    GITHUB_RUN_ID: String(Date.now()),
    ARTIFACTS: '/artifacts',
    ...token,
    ...run.env,
  };
  const event = { ...run.payload, ...(run.inputs === undefined ? {} : { inputs: run.inputs }) };
  const cached = ['--cache-server-path', run.cache ?? '', '--cache-server-addr', '127.0.0.1'];
  return [
    ...[run.event, '--workflows', `.github/workflows/${path.basename(workflowFile(run.workflow))}`],
    ...['--eventpath', await settings('event', event), '--actor', run.actor ?? 'octocat', '--json', '--rm'],
    ...[
      '--secret-file',
      await settings('secrets', run.secrets ?? {}),
      '--var-file',
      await settings('vars', run.vars ?? {}),
    ],
    ...['--env-file', await settings('env', env), '--input-file', await settings('inputs', {})],
    ...['--platform', `ubuntu-latest=${rig.runnerImage}`, '--pull=false', '--container-daemon-socket', '-'],
    ...['--container-options', `--volume ${path.join(folder, 'artifacts')}:/artifacts`],
    ...(run.cache === undefined ? ['--no-cache-server'] : cached),
    ...usedActions(repository, run, rig).flatMap(([name, place]) => ['--local-repository', `${name}=${place}`]),
  ];
}

/** Every `uses:` of the workflow, with the folder that stands for it. */
function usedActions(repository: string, run: WorkflowRun, rig: WorkflowRig): [name: string, folder: string][] {
  const text = readFileSync(
    path.join(repository, '.github/workflows', path.basename(workflowFile(run.workflow))),
    'utf8',
  );
  const used = new Set([...text.matchAll(/^\s*(?:- )?uses: ([^\s#]+)/gm)].map(([, name = '']) => name));
  return [...used].flatMap((name): [string, string][] => {
    const action = name.split('@')[0] ?? '';
    if (action === OWN_ACTION) return [[name, rig.action]];
    if (action === CHECKOUT || action.startsWith('./')) return [];
    const folder = path.join(STAND_INS, action);
    if (!existsSync(folder))
      throw new Error(`${run.workflow} uses ${action}, and nothing in ${STAND_INS} stands for it`);
    return [[name, folder]];
  });
}

interface Followed {
  exitCode: number | null;
  output: string;
}

async function follow(child: ChildProcess, rig: WorkflowRig, run: WorkflowRun): Promise<Followed> {
  let [output, late] = ['', false];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  run.onStart?.({
    cancel: async () => {
      await endAction(rig);
      child.kill('SIGINT');
    },
  });
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, LIMIT_MS);
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => clearTimeout(timer));
  if (late) throw new Error(`the workflow did not end within ${LIMIT_MS} ms:\n${parseActLog(output).text}`);
  return { exitCode, output };
}

/** SIGINT, after 7.5 s SIGTERM, after 2.5 s SIGKILL. */
async function endAction(rig: WorkflowRig): Promise<void> {
  const [job] = (await docker(rig, 'ps', '--quiet', '--filter', `ancestor=${rig.runnerImage}`)).split('\n');
  const processes = await docker(rig, 'top', job ?? '', '-eo', 'pid,args');
  const pid = Number(/^\s*(\d+)\s+\S*node \S*\/dist\/index\.js$/m.exec(processes)?.[1]);
  if (Number.isNaN(pid)) throw new Error(`the action does not run now:\n${processes}`);
  for (const [signal, patienceMs] of [
    ['SIGINT', 7_500],
    ['SIGTERM', 2_500],
    ['SIGKILL', 2_500],
  ] as const) {
    process.kill(pid, signal);
    const deadline = Date.now() + patienceMs;
    while (existsSync(`/proc/${pid}`)) {
      if (Date.now() > deadline) break;
      await sleep(20);
    }
    if (!existsSync(`/proc/${pid}`)) return;
  }
}

function docker({ dockerHost }: WorkflowRig, ...args: string[]): Promise<string> {
  return runTool('docker', args, { DOCKER_HOST: dockerHost });
}

/** Every job of GitHub begins on a machine where nobody was before. */
async function cleanUp(rig: WorkflowRig): Promise<void> {
  const list = async (...args: string[]) => (await docker(rig, ...args)).split('\n').filter((name) => name !== '');
  const containers = await list('ps', '--all', '--quiet');
  if (containers.length > 0) await docker(rig, 'rm', '--force', '--volumes', ...containers);
  await docker(rig, 'network', 'prune', '--force');
  const volumes = await list('volume', 'ls', '--quiet');
  if (volumes.length > 0) await docker(rig, 'volume', 'rm', '--force', ...volumes);
}

function filesOf(folder: string): Record<string, string> {
  const names = globSync('**/*', { cwd: folder, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    names.map(({ parentPath, name }) => {
      const file = path.join(parentPath, name);
      return [path.relative(folder, file), readFileSync(file, 'utf8')];
    }),
  );
}
