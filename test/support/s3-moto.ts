/** moto from PyPI: Amazon's S3 and STS in memory, strict about little but close to the form of Amazon's answers. */
import { spawn } from 'node:child_process';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../../src/domain/errors.ts';
import { runTool } from './run-tool.ts';
import { describeServer, ended, freePort, type S3Server, type S3ServerKind, waitForPort } from './s3-servers.ts';

const VERSION = '5.2.5';
const FOLDER = path.join(import.meta.dirname, '..', '..', '.cache', `moto-${VERSION}`);

/** Installs it once (half a minute) into `.cache`. */
export async function motoKind(): Promise<S3ServerKind> {
  try {
    await install();
    return { name: 'moto', available: true, start: startMoto };
  } catch (error) {
    return {
      name: 'moto',
      available: false,
      reason: `moto could not be installed: ${messageOf(error).split('\n')[0]}`,
    };
  }
}

async function install(): Promise<void> {
  const present = await access(FOLDER).then(
    () => true,
    () => false,
  );
  if (present) return;
  const scratch = `${FOLDER}.${process.pid}`;
  try {
    await mkdir(path.dirname(FOLDER), { recursive: true });
    await runTool('python3', ['-m', 'pip', 'install', '--quiet', '--target', scratch, `moto[server]==${VERSION}`]);
    await rename(scratch, FOLDER);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Takes any credentials until {@link enforceRights}. */
export async function startMoto(): Promise<S3Server> {
  await install();
  const port = await freePort();
  const child = spawn('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], {
    stdio: 'ignore',
    env: { PATH: process.env.PATH, PYTHONPATH: FOLDER },
  });
  const killWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  await waitForPort(port, child);
  const facts = { name: 'moto', port, accessKeyId: 'test', secretAccessKey: 'test-secret', region: 'us-east-1' };
  return describeServer(facts, async () => {
    process.off('exit', killWithUs);
    await ended(child);
  });
}

/** From now on signatures are checked, and IAM's users and roles may do what their policies say; nobody else anything. */
export async function enforceRights({ endpoint }: S3Server): Promise<void> {
  const answer = await fetch(`${endpoint}/moto-api/reset-auth`, { method: 'POST', body: '0' });
  if (!answer.ok) throw new Error(`moto answered ${answer.status}`);
}
