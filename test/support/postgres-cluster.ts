/** The data folder of a throwaway Postgres server, and the account that owns it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Account } from './postgres-binaries.ts';
import { runTool } from './run-tool.ts';

export const SUPERUSER = 'postgres';

export interface ClusterOptions {
  /** Lines of postgresql.conf; they win over the rig's own. */
  settings?: Record<string, string>;
  /** pg_hba.conf for TCP. The Unix socket stays trusted, so that the rig itself can always get in. */
  hba?: string;
  /** PEM text or paths of PEM files. Turns `ssl` on. */
  ssl?: { cert: string; key: string };
  /** Given to initdb as `--locale`; without it `--no-locale`. The encoding is UTF8 either way. */
  locale?: string;
  /** Makes the data folder instead of initdb: a copy of another server's. */
  fill?: (data: string) => Promise<void>;
}

/** The folder `data` below `home`, ready for a server of `account`. */
export async function makeCluster(home: string, bin: string, account: Account, options: ClusterOptions): Promise<void> {
  const data = path.join(home, 'data');
  if (options.fill === undefined) {
    await run(path.join(bin, 'initdb'), initdbArgs(data, options.locale), home, account);
  } else {
    await options.fill(data);
    if (account !== undefined) await runTool('chown', ['-R', `${account.uid}:${account.gid}`, data]);
  }
  const settings = { ...rigSettings(home), ...(await sslSettings(home, account, options.ssl)), ...options.settings };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`);
  const conf = path.join(data, 'postgresql.conf');
  await writeFile(conf, `${await readFile(conf, 'utf8')}\n${lines.join('\n')}\n`);
  if (options.hba !== undefined) {
    await writeFile(path.join(data, 'pg_hba.conf'), `local all all trust\n${options.hba}\n`);
  }
}

function initdbArgs(data: string, locale: string | undefined): string[] {
  const localeArg = locale === undefined ? '--no-locale' : `--locale=${locale}`;
  return ['-D', data, '-U', SUPERUSER, '-A', 'trust', '-E', 'UTF8', localeArg, '--no-sync'];
}

function rigSettings(home: string): Record<string, string> {
  return {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: home,
    fsync: 'off',
    full_page_writes: 'off',
    synchronous_commit: 'off',
  };
}

async function sslSettings(
  home: string,
  account: Account,
  ssl: ClusterOptions['ssl'],
): Promise<Record<string, string>> {
  if (ssl === undefined) return {};
  const files = { ssl_cert_file: path.join(home, 'server.crt'), ssl_key_file: path.join(home, 'server.key') };
  await writeFile(files.ssl_cert_file, await pem(ssl.cert), { mode: 0o600 });
  await writeFile(files.ssl_key_file, await pem(ssl.key), { mode: 0o600 });
  for (const file of Object.values(files)) await own(file, account);
  return { ssl: 'on', ...files };
}

async function pem(textOrPath: string): Promise<string> {
  return textOrPath.includes('-----BEGIN') ? textOrPath : await readFile(textOrPath, 'utf8');
}

async function run(file: string, args: string[], home: string, account: Account): Promise<void> {
  const child = spawn(file, args, { ...spawnAs(account, home), stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${path.basename(file)} ended with ${code}:\n${output}`);
}

/** The working directory must be one that the account can enter, or the server refuses to start. */
export function spawnAs(account: Account, home: string) {
  const env = { PATH: '/usr/bin:/bin', HOME: home, TZ: 'UTC' };
  return { cwd: home, env, ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }) };
}

/** Hands a file to the account. */
export async function own(file: string, account: Account): Promise<void> {
  if (account !== undefined) await chown(file, account.uid, account.gid);
}
