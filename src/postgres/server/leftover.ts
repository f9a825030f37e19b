/** What a run that was killed has left of its servers. */
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemExec } from '../short-command.ts';
import { dataFolder, notedServers, removeFolders, type ServerFolders } from './home.ts';

/** How long a server may take to end at once before it is killed. */
const END_GRACE_MS = 5_000;
const LOOK_EVERY_MS = 50;

/**
 * Ends the servers that a run with this work folder has left, and removes their folders: to be called before that
 * folder is removed, in a later process than the run's. Does nothing where nothing is left. Rejects with the first
 * thing that cannot be removed, after it tried the others.
 */
export async function removeLeftServers(workDir: string): Promise<void> {
  const outcomes = await Promise.allSettled(
    (await notedServers(workDir)).map(async ({ note, ...folders }) => {
      await endServer(folders);
      await removeFolders(folders);
      await rm(note, { force: true });
    }),
  );
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

/** The first line of postmaster.pid may outlive its process, whose number then is another's. */
async function endServer(folders: ServerFolders): Promise<void> {
  const data = dataFolder(folders);
  const file = path.join(data, 'postmaster.pid');
  const pid = existsSync(file) ? Number.parseInt(await readFile(file, 'utf8'), 10) : 0;
  const runs = async (): Promise<boolean> => pid > 1 && (await commandOf(pid)).includes(data);
  if (!(await runs())) return;
  send(pid, 'SIGQUIT');
  for (let waited = 0; (await runs()) && waited < END_GRACE_MS; waited += LOOK_EVERY_MS) await sleep(LOOK_EVERY_MS);
  if (await runs()) send(pid, 'SIGKILL');
}

/** Empty when there is no such process any more. */
async function commandOf(pid: number): Promise<string> {
  try {
    if (process.platform === 'linux') return await readFile(`/proc/${pid}/cmdline`, 'utf8');
    const context = { env: { PATH: '/usr/bin:/bin' }, signal: new AbortController().signal };
    return (await systemExec('ps', ['-ww', '-o', 'command=', '-p', String(pid)], context)).stdout;
  } catch {
    return '';
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
