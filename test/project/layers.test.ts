import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));

/** Folders and files right below src/, lowest first. A file imports from its own folder and from lower layers only. */
const LAYERS = [
  ['domain'],
  ['ports.ts', 'version.ts'],
  ['runner'],
  ['crypto', 'github', 'postgres', 'storage'],
  ['inputs'],
  ['state.ts'],
  ['command.ts'],
  ['report'],
  ['news.ts'],
  ['backup'],
  ['restore'],
  ['drill'],
  ['holdings'],
  ['check', 'prune', 'status'],
  ['alarm', 'channels', 'commands'],
  ['tell-everybody.ts'],
  ['main.ts', 'post.ts'],
  ['index.ts'],
];
/** The domain computes; hashing is computing, everything else of Node is the world. */
const DOMAIN_MAY_IMPORT = ['node:crypto'];
/** Where the environment of the process is read, once. */
const READS_ENVIRONMENT = /^(inputs\/|main\.ts$|index\.ts$|postgres\/client-cache-worker\.ts$)/;

/** What is wrong with the imports of `file`, a path relative to src/ with slashes. */
function violations(file: string, source: string): string[] {
  const found: string[] = [];
  const layer = layerOf(file);
  if (layer === -1) return [`${file} stands in no layer: give it a place in LAYERS`];
  for (const imported of importsOf(source)) {
    if (imported.startsWith('.')) {
      const target = path.posix.join(path.posix.dirname(file), imported);
      const sameFolder = topOf(target) === topOf(file);
      if (!sameFolder && layerOf(target) >= layer) found.push(`${file} imports upwards or sideways: ${target}`);
    } else if (topOf(file) === 'domain' && !DOMAIN_MAY_IMPORT.includes(imported)) {
      found.push(`${file} reaches out of the domain: ${imported}`);
    } else if (imported.startsWith('@aws-sdk/') && !file.startsWith('storage/s3/')) {
      found.push(`${file} imports ${imported}, which only storage/s3/ may`);
    }
  }
  if (/\bprocess\.env\b/.test(source) && !READS_ENVIRONMENT.test(file)) found.push(`${file} reads process.env`);
  return found;
}

/** Files that import each other, of `sources` by path; types count as well. One way round for each file that closes one. */
function circles(sources: ReadonlyMap<string, string>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): void => {
    if (way.includes(file)) found.push([...way.slice(way.indexOf(file)), file].join(' -> '));
    if (way.includes(file) || done.has(file)) return;
    for (const imported of importsOf(sources.get(file) ?? '')) {
      const target = path.posix.join(path.posix.dirname(file), imported);
      if (imported.startsWith('.') && sources.has(target)) visit(target, [...way, file]);
    }
    done.add(file);
  };
  for (const file of sources.keys()) visit(file, []);
  return found;
}

function importsOf(source: string): string[] {
  const forms = /(?:^|\n)(?:import|export)\b[^;'"]*?from '([^']+)'|(?:^|\n)import '([^']+)'|\bimport\('([^']+)'\)/g;
  return [...source.matchAll(forms)].flatMap((match) => match[1] ?? match[2] ?? match[3] ?? []);
}

function topOf(file: string): string {
  return file.split('/')[0] ?? '';
}

function layerOf(file: string): number {
  return LAYERS.findIndex((members) => members.includes(topOf(file)));
}

const FILES: ReadonlyMap<string, string> = new Map(
  readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .map((file) => file.split(path.sep).join('/'))
    .filter((file) => file.endsWith('.ts') && !file.startsWith('postgres/digest/assembly/'))
    .map((file) => [file, readFileSync(path.join(SRC, file), 'utf8')]),
);

test('imports point one way: index, main, commands, adapters, ports, domain', () => {
  expect(FILES.size).toBeGreaterThan(10);
  expect([...FILES].flatMap(([file, source]) => violations(file, source))).toEqual([]);
});

test('no files import each other', () => {
  expect(circles(FILES)).toEqual([]);
});

test('files that import each other would be noticed', () => {
  const sources = new Map([
    ['domain/a.ts', "import { b } from './deep/b.ts';"],
    ['domain/deep/b.ts', "import type { C } from '../c.ts';\nimport 'node:fs';"],
    ['domain/c.ts', "export { a } from './a.ts';"],
    ['domain/d.ts', "import { a } from './a.ts';\nimport { c } from './c.ts';"],
  ]);
  expect(circles(sources)).toEqual(['domain/a.ts -> domain/deep/b.ts -> domain/c.ts -> domain/a.ts']);
  sources.set('domain/c.ts', '');
  expect(circles(sources)).toEqual([]);
});

test('an import upwards, sideways or out of the domain would be noticed', () => {
  expect(violations('storage/keys.ts', "import { x } from '../commands/backup.ts';")).toHaveLength(1);
  expect(violations('storage/keys.ts', "import type {\n  X,\n} from '../postgres/dump.ts';")).toHaveLength(1);
  expect(violations('domain/proof/rows.ts', "export * from '../../ports.ts';")).toHaveLength(1);
  expect(violations('domain/scope.ts', "import { readFile } from 'node:fs/promises';")).toHaveLength(1);
  expect(violations('domain/scope.ts', 'const home = process.env.HOME;')).toHaveLength(1);
  expect(violations('backup/archive.ts', "import { S3Client } from '@aws-sdk/client-s3';")).toHaveLength(1);
  expect(violations('clouds/new.ts', '')).toHaveLength(1);
  expect(violations('commands/backup.ts', "import { x } from '../storage/open.ts';\nimport 'node:fs';")).toEqual([]);
});
