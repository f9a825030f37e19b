/** Examples of workflows in the documents, taken apart and made whole, so that linters can look at what users copy. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Linter } from './linters.ts';
import { readDocument } from './markdown.ts';

/** How the examples name this action. */
export const USES = 'uses: org/db-backup-action@v1';

/** A whole file, from its triggers on. */
export function isWorkflow(block: string): boolean {
  return /^on:/m.test(block);
}

/** A block whose outermost lines are inputs, as they stand below `with:`. */
function isFragment(block: string): boolean {
  return !block.includes(USES);
}

/** Inputs with their values: of a step those below `with:`, of a fragment all. */
export function inputsOf(block: string): [name: string, value: string][] {
  const lines = isFragment(block) ? block : (/^ +with:\n((?:(?: {4,}.*)?\n)*)/m.exec(block)?.[1] ?? '');
  const indent = /^ */.exec(lines)?.[0].length ?? 0;
  const values: [string, string[]][] = [];
  for (const line of lines.split('\n').filter((each) => each.trim() !== '')) {
    const own = /^ */.exec(line)?.[0].length ?? 0;
    if (own < indent) break;
    const [, name = '', value = ''] = /^([\w-]+):(?: (.*))?$/.exec(line.trim()) ?? [];
    if (own === indent) values.push([name, value === '|' ? [] : [value]]);
    else values.at(-1)?.[1].push(line.trim());
  }
  return values.map(([name, words]) => [name, words.join('\n')]);
}

/** A whole workflow around a block, with the action as one of this repository, so that its metadata is looked at. */
export function asWorkflow(block: string): string {
  const local = block.replaceAll(USES, 'uses: ./');
  if (isWorkflow(block)) return local;
  const base = /^ */.exec(local)?.[0].length ?? 0;
  const at = (indent: number) =>
    local.replaceAll(/^(?=.)/gm, ' '.repeat(indent)).replaceAll(new RegExp(`^ {${base}}`, 'gm'), '');
  const head = 'on: push\npermissions: {}\njobs:\n  job:\n    runs-on: ubuntu-latest\n    steps:\n';
  return isFragment(block) ? `${head}      - uses: ./\n        with:\n${at(10)}` : `${head}${at(6)}`;
}

/** Lints one workflow as the only one of a repository that holds this action, or one with other metadata. */
export function lintAlone(
  linter: Linter,
  workflow: string,
  actionYml = readDocument('action.yml'),
): { code: number | null; output: string } {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'example-'));
  try {
    // actionlint looks for local actions only inside of what it takes for a repository.
    for (const name of ['.git', '.github/workflows', 'dist']) mkdirSync(path.join(folder, name), { recursive: true });
    for (const name of ['index.js', 'post.js']) writeFileSync(path.join(folder, 'dist', name), '');
    writeFileSync(path.join(folder, 'action.yml'), actionYml);
    writeFileSync(path.join(folder, '.github/workflows/example.yml'), workflow);
    return linter.check(folder, ['.github/workflows/example.yml']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
