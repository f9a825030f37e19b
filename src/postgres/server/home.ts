/**
 * The folders of a server of this run. They lie beside the work folder and not in it, because a server of a run of
 * root belongs to another account, which cannot enter there; a note in the work folder says where they are.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, lchown, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Account, lentAccount, serverError, socketFits } from '../../domain/ephemeral-server.ts';
import { messageOf } from '../../domain/errors.ts';

const PREFIX = 'db-backup-action-server-';
const NOTE = /^server-[0-9a-f]{12}\.json$/;
/** Short, there on every Unix, and free for all to enter. */
const SHORT_FOLDER = '/tmp';

/** What is removed with a server. */
export interface ServerFolders {
  /** Everything of the server, for its account alone. */
  home: string;
  /** In `home`, or a folder of its own where the path of a socket in there would be too long. */
  socket: string;
}

export interface ServerHome extends ServerFolders {
  data: string;
  /** Whom the server runs as; absent: whoever runs this. */
  account?: Account;
  /** Gives all that lies in `home` to the server's account. */
  handOver(): Promise<void>;
  /** Removes the folders and the note. Idempotent; rejects when something cannot be removed. */
  remove(): Promise<void>;
}

/** Where the data of the cluster lies. */
export function dataFolder({ home }: ServerFolders): string {
  return path.join(home, 'data');
}

/**
 * Makes the folders for one server, after they were noted in `workDir`. Throws `ERR_DRILL_SERVER`; nothing is left then.
 * @param machine whose run it is; parts of it are replaced in tests
 */
export async function makeServerHome(
  major: number,
  workDir: string,
  machine: { platform: NodeJS.Platform; uid: number | undefined; passwdFile: string } = thisMachine(),
): Promise<ServerHome> {
  const account = await accountFor(major, machine);
  const id = randomBytes(6).toString('hex');
  const home = path.join(await parentFor(account, path.dirname(workDir)), PREFIX + id);
  const socket = socketFits(home, machine.platform) ? home : path.join(SHORT_FOLDER, PREFIX + id);
  const note = path.join(workDir, `server-${id}.json`);
  const remove = async (): Promise<void> => {
    await removeFolders({ home, socket });
    await rm(note, { force: true });
  };
  try {
    await writeFile(note, JSON.stringify({ home, socket } satisfies ServerFolders), { mode: 0o600 });
    for (const folder of new Set([home, socket])) {
      await mkdir(folder, { mode: 0o700 });
      if (account !== undefined) await chown(folder, account.uid, account.gid);
    }
  } catch (error) {
    await remove().catch(() => undefined);
    throw serverError(major, `No folder can be made for a local server: ${messageOf(error)}`);
  }
  return {
    home,
    socket,
    data: dataFolder({ home, socket }),
    ...(account === undefined ? {} : { account }),
    handOver: () => giveAway(home, account),
    remove,
  };
}

/** All servers that a run with this work folder noted; notes that it cannot have written are passed over. */
export async function notedServers(workDir: string): Promise<(ServerFolders & { note: string })[]> {
  const names = existsSync(workDir) ? (await readdir(workDir)).filter((name) => NOTE.test(name)) : [];
  const notes = await Promise.all(
    names.map(async (name) => {
      const note = path.join(workDir, name);
      return { note, ...readFolders(await readFile(note, 'utf8')) };
    }),
  );
  return notes.flatMap(({ note, home, socket }) => {
    return home !== undefined && socket !== undefined ? [{ note, home, socket }] : [];
  });
}

/** Idempotent. A server that is just ending may still write, so it is tried again for a second or two. */
export async function removeFolders(folders: ServerFolders): Promise<void> {
  for (const folder of new Set([folders.socket, folders.home])) {
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

function readFolders(text: string): Partial<ServerFolders> {
  try {
    const { home, socket } = JSON.parse(text) as Partial<Record<keyof ServerFolders, unknown>>;
    return isOurs(home) && isOurs(socket) ? { home, socket } : {};
  } catch {
    // Cut short: the run ended while it wrote the note, before it made a folder.
    return {};
  }
}

function isOurs(folder: unknown): folder is string {
  return (
    typeof folder === 'string' &&
    path.isAbsolute(folder) &&
    path.normalize(folder) === folder &&
    path.basename(folder).startsWith(PREFIX)
  );
}

function thisMachine() {
  return { platform: process.platform, uid: process.getuid?.(), passwdFile: '/etc/passwd' };
}

async function accountFor(
  major: number,
  { uid, passwdFile }: { uid: number | undefined; passwdFile: string },
): Promise<Account | undefined> {
  if (uid !== 0) return undefined;
  const account = lentAccount(existsSync(passwdFile) ? await readFile(passwdFile, 'utf8') : '');
  if (account !== undefined) return account;
  throw serverError(
    major,
    'A local server does not run as root, and this machine has no account postgres, nobody or daemon that it could run as',
  );
}

/** Beside the work folder, which is where the runner has room, unless the server's account cannot get there. */
async function parentFor(account: Account | undefined, wished: string): Promise<string> {
  return account === undefined || (await isReachable(wished)) ? wished : SHORT_FOLDER;
}

/** Whether every folder on the way may be entered by anyone; one that is not there may not. */
export async function isReachable(folder: string): Promise<boolean> {
  const { mode } = await stat(folder).catch(() => ({ mode: 0 }));
  const parent = path.dirname(folder);
  return (mode & 0o001) !== 0 && (parent === folder || (await isReachable(parent)));
}

async function giveAway(folder: string, account: Account | undefined): Promise<void> {
  if (account === undefined) return;
  const { uid, gid } = account;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    await lchown(path.join(entry.parentPath, entry.name), uid, gid);
  }
}
