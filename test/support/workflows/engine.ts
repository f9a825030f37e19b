/**
 * A container engine of our own: its images, its containers and its socket are in a folder that goes with it. It ends
 * with this process, in whatever way this process ends.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Availability, allOf, programAvailable } from '../availability.ts';
import { runTool } from '../run-tool.ts';

const START_LIMIT_MS = 30_000;
/** Two engines would write over each other's firewall rules, and their services want the same ports. */
const LOCK = path.join(os.tmpdir(), 'db-backup-action-container-engine.pid');

/** The engine needs to be root: it makes networks and mounts. */
export function engineAvailable(): Availability {
  if (process.getuid?.() !== 0) return { skipped: 'a container engine of its own needs root' };
  const owner = lockOwner();
  if (owner !== undefined) return { skipped: `process ${owner} tests workflows on this machine already` };
  return allOf(
    programAvailable('dockerd', ['--version'], 'apt-get install docker.io'),
    programAvailable('docker', ['--version'], 'apt-get install docker.io, and docker-cli where there is one'),
    programAvailable('iptables', ['--version'], 'apt-get install iptables'),
  );
}

export interface Engine {
  /** For DOCKER_HOST. */
  readonly host: string;
  /** Standard output of `docker args`. */
  docker(...args: string[]): Promise<string>;
  stop(): Promise<void>;
}

/** Throws what the engine said last where it does not start. */
export async function startEngine(): Promise<Engine> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'container-engine-'));
  // In memory layers are made and thrown away in no time: about 1 GB. On a disk it works as well.
  await runTool('mount', ['-t', 'tmpfs', '-o', 'size=4g,mode=0711', 'container-engine', folder]).catch(() => undefined);
  const [socket, logFile] = [path.join(folder, 'docker.sock'), path.join(folder, 'log')];
  const log = openSync(logFile, 'w');
  const roots = ['--data-root', path.join(folder, 'data'), '--exec-root', path.join(folder, 'run')];
  const files = ['--pidfile', path.join(folder, 'pid'), '--host', `unix://${socket}`];
  // Not the machine's own.
  const config = path.join(folder, 'daemon.json');
  writeFileSync(config, '{}');
  // In a session of its own, so that Ctrl-C reaches it through its guard alone, after what runs in it.
  const daemon = spawn('dockerd', [...roots, ...files, '--config-file', config, '--bridge=none'], {
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const failed = once(daemon, 'error').then(([error]: unknown[]) => Promise.reject(error));
  failed.catch(() => undefined);
  writeFileSync(LOCK, String(process.pid));
  const guard = startGuard(daemon.pid ?? 0, folder);
  const engine: Engine = {
    host: `unix://${socket}`,
    docker: (...args) => runTool('docker', args, { DOCKER_HOST: `unix://${socket}`, DOCKER_BUILDKIT: '0' }),
    stop: async () => {
      guard.stdin?.end();
      if (guard.exitCode === null) await once(guard, 'exit');
      rmSync(LOCK, { force: true });
    },
  };
  try {
    await Promise.race([untilItAnswers(engine, daemon), failed]);
  } catch (error) {
    const words = readFileSync(logFile, 'utf8').trim().split('\n').at(-1);
    await engine.stop();
    throw new Error(`dockerd does not start here: ${words || (error as Error).message}`, { cause: error });
  }
  daemon.unref();
  return engine;
}

async function untilItAnswers(engine: Engine, daemon: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    try {
      await engine.docker('version');
      return;
    } catch (error) {
      if (daemon.exitCode !== null || Date.now() > deadline) throw error;
    }
    await sleep(100);
  }
}

/** Waits at the other end of a pipe that closes when this process ends, then ends the engine and removes its folder. */
function startGuard(pid: number, folder: string): ChildProcess {
  const script = `read -r _
DOCKER_HOST="unix://$2/docker.sock"; export DOCKER_HOST
docker ps --all --quiet | xargs --no-run-if-empty docker rm --force --volumes >/dev/null 2>&1
docker network prune --force >/dev/null 2>&1
kill "$1" 2>/dev/null
i=0; while kill -0 "$1" 2>/dev/null && [ $i -lt 150 ]; do sleep 0.1; i=$((i+1)); done
kill -KILL "$1" 2>/dev/null
umount --lazy "$2" 2>/dev/null
rm -rf "$2"`;
  return spawn('/bin/sh', ['-c', script, 'guard', String(pid), folder], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
}

/** Its process is there; what a killed run left behind does not count. */
function lockOwner(): number | undefined {
  try {
    const pid = Number(readFileSync(LOCK, 'utf8'));
    return spawnSync('kill', ['-0', String(pid)], { stdio: 'ignore' }).status === 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}
