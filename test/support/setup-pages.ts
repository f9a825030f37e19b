/** The pages of docs/setup, done as they stand: their files saved, their commands typed. */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fences, namedFiles, readDocument, section } from './markdown.ts';

/** Saves every JSON block of a page under the name that the page gives it. */
export async function saveFiles(page: string, folder: string): Promise<void> {
  for (const [name, text] of namedFiles(readDocument(page))) await writeFile(path.join(folder, name), text);
}

export interface Typing {
  /** Where the commands run. */
  folder: string;
  /** All that they get besides the path to programs. */
  env?: Readonly<Record<string, string>>;
}

/** What the `sh` blocks below a heading print, or one of them. Rejects with all of their output when one fails. */
export async function typeCommands(page: string, heading: string, typing: Typing, index?: number): Promise<string> {
  const blocks = fences(section(readDocument(page), heading), 'sh');
  const script = index === undefined ? blocks.join('\n') : blocks.at(index);
  if (!script) throw new Error(`${page} has no commands below "${heading}"`);
  return await runScript(script, typing);
}

/** What it prints, in bash that stops at the first error. Rejects with all of its output. */
export function runScript(script: string, { folder, env = {} }: Typing): Promise<string> {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, LC_ALL: 'C', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = { out: '', all: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed.out += text;
    printed.all += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    printed.all += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(printed.out);
      else reject(new Error(`the commands ended with ${code}:\n${script}\n${printed.all}`));
    });
  });
}
