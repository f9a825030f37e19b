/** Installs `postgresql-client-NN` with apt: from the machine's own sources, else from the PostgreSQL project's (PGDG). */
import { existsSync } from 'node:fs';
import { messageOf } from '../domain/errors.ts';
import type { Log } from '../ports.ts';
import {
  type CommandContext,
  type CommandOutput,
  type Exec,
  FIXED_ENVIRONMENT,
  PROXY_VARIABLES,
} from './short-command.ts';

export interface AptContext extends CommandContext {
  isRoot: boolean;
  /** See {@link PGDG_SCRIPT}. */
  pgdgScript: string;
  exec: Exec;
  log: Log;
}

export type InstallOutcome =
  | { done: true }
  /** `attempted`: apt was there and had the rights, and still it did not come to be. */
  | { done: false; attempted: boolean; reasons: string[] };

/** Brings PGDG's key and writes its source list; part of the package postgresql-common. */
export const PGDG_SCRIPT = '/usr/share/postgresql-common/pgdg/apt.postgresql.org.sh';
/** Seconds to wait for another apt to finish, as on runners that update themselves after start. */
const LOCK_WAIT_SECONDS = 120;
/** Seconds without a byte from a mirror. */
const HTTP_TIMEOUT_SECONDS = 30;
const APT_OPTIONS = [
  ...['-q', '-y', '-o', `DPkg::Lock::Timeout=${LOCK_WAIT_SECONDS}`, '-o', 'Acquire::Retries=2'],
  ...['-o', `Acquire::http::Timeout=${HTTP_TIMEOUT_SECONDS}`, '-o', `Acquire::https::Timeout=${HTTP_TIMEOUT_SECONDS}`],
];

/** Never throws but for an aborted signal: what went wrong is in the reasons. Prints nothing but one line. */
export async function installWithApt(major: number, context: AptContext): Promise<InstallOutcome> {
  const problem = await aptProblem(context);
  if (problem !== undefined) return { done: false, attempted: false, reasons: [problem] };
  context.log.info(`Installing postgresql-client-${major} with apt-get …`);
  const reasons: string[] = [];
  const pack = `postgresql-client-${major}`;

  const own = await installFromOwnSources(pack, context);
  if (own === undefined) return { done: true };
  reasons.push(`the machine's own apt sources: ${own}`);

  const pgdg = await installFromPgdg(pack, context);
  if (pgdg === undefined) return { done: true };
  reasons.push(`the PostgreSQL apt repository: ${pgdg}`);
  return { done: false, attempted: true, reasons };
}

/** Why apt cannot be used here; `undefined` when it can. */
async function aptProblem(context: AptContext): Promise<string | undefined> {
  if ((await failure('apt-get', ['--version'], context)) !== undefined) {
    return 'apt-get: is not on this machine, so nothing could be installed';
  }
  if (context.isRoot || (await failure('sudo', ['-n', 'true'], context)) === undefined) return undefined;
  return 'apt-get: nothing could be installed, because this job is neither root nor has sudo without a password';
}

/**
 * `undefined` when the package is installed; else why not. The lists of packages are fetched again only when they
 * are empty (containers) or stale (the install failed): that takes up to half a minute.
 */
async function installFromOwnSources(pack: string, context: AptContext): Promise<string | undefined> {
  if (await hasCandidate(pack, context)) {
    if ((await aptGet(['install', pack], context)) === undefined) return undefined;
  } else if (await hasCandidate('postgresql-client-common', context)) {
    return `they have no package ${pack}`;
  }
  const update = await aptGet(['update'], context);
  if (update !== undefined) return update;
  if (!(await hasCandidate(pack, context))) return `they have no package ${pack}`;
  return await aptGet(['install', pack], context);
}

async function installFromPgdg(pack: string, context: AptContext): Promise<string | undefined> {
  if (!existsSync(context.pgdgScript)) {
    const common = await aptGet(['install', 'postgresql-common'], context);
    if (common !== undefined) return common;
  }
  const added = await asRoot(context.pgdgScript, ['-y'], context);
  if (added !== undefined) return added;
  // apt-get update ends with 0 even when a repository is down, so only this tells.
  if (!(await hasCandidate(pack, context))) return `it could not be reached, or has no package ${pack} for this system`;
  return await aptGet(['install', pack], context);
}

/** Whether apt knows a version that it could install. */
async function hasCandidate(pack: string, context: AptContext): Promise<boolean> {
  try {
    const { stdout } = await context.exec('apt-cache', ['policy', pack], context);
    return /^ {2}Candidate: (?!\(none\))/m.test(stdout);
  } catch (error) {
    context.signal.throwIfAborted();
    context.log.debug(`apt-cache policy ${pack}: ${messageOf(error)}`);
    return false;
  }
}

async function aptGet(args: readonly string[], context: AptContext): Promise<string | undefined> {
  return await asRoot('apt-get', [...APT_OPTIONS, '--no-install-recommends', ...args], context);
}

/** sudo empties the environment. Proxies are carried over by name, because their URLs can hold a password. */
async function asRoot(file: string, args: readonly string[], context: AptContext): Promise<string | undefined> {
  if (context.isRoot) return await failure(file, args, context);
  const proxies = PROXY_VARIABLES.filter((name) => context.env[name] !== undefined);
  const carried = proxies.length === 0 ? [] : [`--preserve-env=${proxies.join(',')}`];
  const fixed = Object.entries(FIXED_ENVIRONMENT).map(([name, value]) => `${name}=${value}`);
  return await failure('sudo', ['-n', ...carried, 'env', ...fixed, file, ...args], context);
}

/** `undefined` when the command ended with 0; else its name and the end of what it said. */
async function failure(file: string, args: readonly string[], context: AptContext): Promise<string | undefined> {
  const words = args.filter((arg) => /^(apt-get|install|update|postgresql-.*|\/.*\.sh)$/.test(arg));
  const command = [file, ...words].join(' ');
  try {
    const output = await context.exec(file, args, context);
    context.log.debug(`${command}: exit code ${output.exitCode}`);
    return output.exitCode === 0 ? undefined : `${command} ended with ${output.exitCode}: ${complaint(output)}`;
  } catch (error) {
    context.signal.throwIfAborted();
    return `${command}: ${messageOf(error)}`;
  }
}

/** apt's own `E:` lines where there are any, else the last lines. */
function complaint({ stdout, stderr }: CommandOutput): string {
  const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '');
  const errors = lines.filter((line) => line.startsWith('E:'));
  return (errors.length > 0 ? errors : lines).slice(-3).join(' ');
}
