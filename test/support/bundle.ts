/** What must hold for dist/, the only thing of this repository that a runner executes. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runTool } from './run-tool.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Builds the bundles as `npm run build:dist` does, but into `folder`. */
export async function buildBundle(folder: string): Promise<void> {
  await runTool(process.execPath, [path.join(ROOT, '.ci/build-dist.ts'), folder], {}, ROOT);
}

/** The names of files that only one of two folders has, or whose bytes differ; sorted. */
export function differingFiles(left: string, right: string): string[] {
  const [one, other] = [digests(left), digests(right)];
  const names = new Set([...one.keys(), ...other.keys()]);
  return [...names].filter((name) => one.get(name) !== other.get(name)).sort();
}

function digests(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map((entry) => {
      const file = path.join(entry.parentPath, entry.name);
      return [path.relative(folder, file), createHash('sha256').update(readFileSync(file)).digest('hex')];
    }),
  );
}

/**
 * The modules that a bundle made by ncc would look for outside of itself and of Node: ncc turns a `require` that it
 * cannot resolve into `eval("require")("name")`, which throws only when that line is reached.
 */
export function foreignModules(bundle: string): string[] {
  const forms = [
    /eval\("require"\)\("([^"]+)"\)/g,
    /createRequire\(import\.meta\.url\)\("([^"]+)"\)/g,
    /^import .*?from "([^"]+)";$/gm,
    /Cannot find module '([^']+)'/g,
  ];
  const names = forms.flatMap((form) => [...bundle.matchAll(form)].map((match) => match[1] ?? ''));
  return [...new Set(names)].filter((name) => !isBuiltin(name)).sort();
}
