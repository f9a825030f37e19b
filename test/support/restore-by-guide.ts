/**
 * Does what RESTORE.md says, as printed: all its `sh` blocks in one `bash -euo pipefail`, with stock tools and nothing
 * of the action.
 */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Clients } from './clients.ts';
import type { PostgresServer } from './postgres-server.ts';

const DEFAULT_TIMEOUT_MS = 120_000;
const TYPING_MS = 200;

export interface GuideOptions {
  /** Exists and is empty: becomes BACKUP_DIR, and afterwards holds the decrypted files. */
  folder: string;
  /** To restore to. */
  server: PostgresServer;
  /** TARGET_DATABASE: made by the guide. */
  database: string;
  clients: Clients;
  /** More variables that the guide asks for: AGE_IDENTITY_FILE, AWS_ACCESS_KEY_ID… */
  env?: Readonly<Record<string, string>>;
  /** Programs that must be found by their own name, by path: `aws`, `age`. */
  programs?: readonly string[];
  /** Typed at a terminal, a line whenever `prompt` comes up: a passphrase. Needs `script` of util-linux. */
  typed?: { prompt: string; line: string };
  timeoutMs?: number;
}

/** The commands of all `sh` blocks, one after the other. Throws when there is none. */
export function guideScript(markdown: string): string {
  const blocks = [...markdown.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '');
  if (blocks.length === 0) throw new Error('the guide holds no block of shell commands');
  return blocks.join('\n');
}

/** What the commands printed, both streams. Rejects with it when they did not end well. */
export async function restoreByGuide(markdown: string, options: GuideOptions): Promise<string> {
  const script = path.join(options.folder, 'restore.sh');
  await writeFile(script, guideScript(markdown));
  const run = ['bash', '-euo', 'pipefail', script];
  const [file = '', ...args] =
    options.typed === undefined ? run : ['script', '--quiet', '--return', '--command', run.join(' '), '/dev/null'];
  const child = spawn(file, args, { env: environment(options), cwd: options.folder, detached: true });
  let output = '';
  let answered = 0;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const { typed } = options;
      const asked = typed === undefined ? 0 : output.split(typed.prompt).length - 1;
      // Not at once: a program shows its prompt before it turns the echo off.
      for (; answered < asked; answered += 1) setTimeout(() => child.stdin.write(`${typed?.line}\n`), TYPING_MS);
    });
  }
  // Where something is typed its end would end the terminal.
  if (options.typed === undefined) child.stdin.end();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }, options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => clearTimeout(timer));
  if (code === 0) return output;
  throw new Error(`RESTORE.md ${late ? 'did not end in time' : `ended with ${code}`}:\n${output}`);
}

/** Nothing of whoever runs this but the home folder, which version managers of the programs need. */
function environment(options: GuideOptions): Record<string, string> {
  const { clients, server, programs = [] } = options;
  const folders = [clients.bin, ...programs.filter(path.isAbsolute).map((program) => path.dirname(program))];
  return {
    PATH: [...folders, process.env.PATH ?? '/usr/bin:/bin'].join(path.delimiter),
    HOME: process.env.HOME ?? options.folder,
    LC_ALL: 'C.UTF-8',
    PGHOST: server.host,
    PGPORT: String(server.port),
    PGUSER: server.superuser,
    PGPASSFILE: path.join(options.folder, 'no-password-file'),
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    BACKUP_DIR: options.folder,
    TARGET_DATABASE: options.database,
    ...options.env,
  };
}
