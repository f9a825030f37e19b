import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { INPUTS, type InputSpec } from '../../src/inputs/spec.ts';
import { describeWith } from '../support/availability.ts';
import { actionlint } from '../support/linters.ts';
import { declaredInputs } from '../support/run-action.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const USES = 'uses: org/db-backup-action@v1';
const read = (name: string) => readFileSync(path.join(ROOT, name), 'utf8');
const readme = read('README.md');
const known = declaredInputs(read('action.yml'));
const blocks = fences(readme, 'yaml');

/** The texts of all fenced blocks of one language. */
function fences(markdown: string, language: string): string[] {
  return [...markdown.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    (match) => match[1] ?? '',
  );
}

/** A block whose outermost lines are inputs, as they stand below `with:`. */
function isFragment(block: string): boolean {
  return !block.includes(USES);
}

/** Inputs with their values: of a step those below `with:`, of a fragment all. */
function inputsOf(block: string): [name: string, value: string][] {
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
function asWorkflow(block: string): string {
  const local = block.replaceAll(USES, 'uses: ./');
  if (/^on:/m.test(block)) return local;
  const base = /^ */.exec(local)?.[0].length ?? 0;
  const at = (indent: number) =>
    local.replaceAll(/^(?=.)/gm, ' '.repeat(indent)).replaceAll(new RegExp(`^ {${base}}`, 'gm'), '');
  const head = 'on: push\npermissions: {}\njobs:\n  job:\n    runs-on: ubuntu-latest\n    steps:\n';
  return isFragment(block) ? `${head}      - uses: ./\n        with:\n${at(10)}` : `${head}${at(6)}`;
}

function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, '')
    .replaceAll(' ', '-');
}

describe('README.md', () => {
  test('begins with an example of at most ten lines', () => {
    expect(blocks[0]).toContain(USES);
    expect((blocks[0] ?? '').trim().split('\n').length).toBeLessThanOrEqual(10);
  });

  test('has a demo as its first command and the tests as its second one', () => {
    expect(fences(readme, 'sh').slice(0, 2)).toEqual(['npm ci && npm run demo\n', 'npm ci && npm test\n']);
  });

  test('uses no input that action.yml does not declare, in any example', () => {
    expect(blocks.length).toBeGreaterThan(5);
    for (const block of blocks) {
      const names = inputsOf(block).map(([name]) => name);
      expect(names, block).not.toEqual([]);
      expect(known, block).toEqual(expect.arrayContaining(names));
    }
  });

  test('gives every input a value that the action accepts', () => {
    const literal = blocks.flatMap(inputsOf).filter(([, value]) => !/\$\{\{|…/.test(value));
    expect(literal.length).toBeGreaterThan(5);
    for (const [name, value] of literal) {
      const spec = (INPUTS as Record<string, InputSpec<unknown>>)[name];
      expect(() => spec?.parse(value, {}), `${name}: ${value}`).not.toThrow();
    }
  });

  test('names in its prose only options that the action, a check or a destination has', () => {
    const options = [...readme.matchAll(/`&?([a-z]+(?:-[a-z]+)+)(?:[:=][^`]*)?`/g)].map((match) => match[1] ?? '');
    const words = [read('action.yml'), read('src/domain/checks.ts'), read('src/domain/destination.ts')].join('\n');
    for (const option of new Set(options)) expect(words, option).toContain(option);
  });

  test('explains every check', () => {
    const ids = [...(/type CheckId =([^;]*);/.exec(read('src/domain/checks.ts'))?.[1] ?? '').matchAll(/'([\w-]+)'/g)];
    expect(ids.length).toBeGreaterThan(5);
    for (const [, id] of ids) expect(readme).toContain(`\n| \`${id}\` |`);
  });

  test('links only to files and headings that are there', () => {
    const targets = [...readme.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');
    const headings = [...readme.matchAll(/^#+ (.+)$/gm)].map((match) => `#${slug(match[1] ?? '')}`);
    const relative = targets.filter((target) => !/^https:/.test(target));
    expect(relative.length).toBeGreaterThan(5);
    for (const target of relative) {
      const [file = '', anchor] = target.split('#');
      if (file === '') expect(headings, target).toContain(`#${anchor}`);
      else expect(existsSync(path.join(ROOT, file)), target).toBe(true);
    }
  });

  test('names only scripts that package.json has', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const texts = [fences(readme, 'sh').join('\n'), read('docs/performance.md'), read('.github/CONTRIBUTING.md')];
    const named = [...texts.join('\n').matchAll(/npm run ([\w:]+)/g)].map((match) => match[1] ?? '');
    for (const name of named) expect(Object.keys(scripts)).toContain(name);
  });
});

describe('an input that does not exist', () => {
  const step = `- ${USES}\n  with:\n    storage: backups\n    bucket: acme\n`;

  test('would be found in a step, and in a fragment', () => {
    expect(inputsOf(step).map(([name]) => name)).toEqual(['storage', 'bucket']);
    expect(inputsOf('          bucket: |\n            one\n            two\n')).toEqual([['bucket', 'one\ntwo']]);
    expect(known).not.toContain('bucket');
  });
});

describeWith(await actionlint(), 'actionlint on the examples of README.md', (linter) => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'readme-'));
    // It looks for local actions only inside of what it takes for a repository.
    for (const name of ['.git', '.github/workflows', 'dist']) mkdirSync(path.join(folder, name), { recursive: true });
    writeFileSync(path.join(folder, 'dist/index.js'), '');
    writeFileSync(path.join(folder, 'action.yml'), read('action.yml'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function check(block: string) {
    writeFileSync(path.join(folder, '.github/workflows/example.yml'), asWorkflow(block));
    return linter.check(folder, ['.github/workflows/example.yml']);
  }

  test('finds nothing in any of them', () => {
    for (const block of blocks) expect(check(block), asWorkflow(block)).toEqual({ code: 0, output: '' });
  });

  test('finds an input and an output that do not exist', () => {
    expect(check(`- ${USES}\n  with:\n    bucket: acme\n`).output).toContain('input "bucket" is not defined');
    const output = `- ${USES}\n  id: backup\n- run: echo "$SIZE"\n  env:\n    SIZE: \${{ steps.backup.outputs.size }}\n`;
    expect(check(output).output).toContain('property "size" is not defined');
  });
});
