/**
 * The linters of workflow files at pinned versions, fetched once into `.cache/linters/` through the ordinary clients
 * of Go and Python.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runTool } from './run-tool.ts';

const ACTIONLINT_VERSION = '1.7.12';
const ZIZMOR_VERSION = '1.32.0';
const LINTERS = fileURLToPath(new URL('../../.cache/linters', import.meta.url));

export interface Linter {
  /** Findings end it with a code other than 0. `folder` holds what is checked; `targets` are relative to it. */
  check(folder: string, targets: readonly string[]): { code: number | null; output: string };
}

/** Why a linter cannot be had on this machine. */
export interface Skipped {
  skipped: string;
}

/** Syntax, expressions, contexts and types of workflow files. */
export async function actionlint(): Promise<Linter | Skipped> {
  return linter(`actionlint-${ACTIONLINT_VERSION}`, 'actionlint', ['-no-color', '-shellcheck=', '-pyflakes='], (into) =>
    runTool('go', ['install', `github.com/rhysd/actionlint/cmd/actionlint@v${ACTIONLINT_VERSION}`], { GOBIN: into }),
  );
}

/** Security of workflow files, of action.yml and of Dependabot's configuration, by its strictest rules. */
export async function zizmor(): Promise<Linter | Skipped> {
  const args = ['--offline', '--persona=pedantic', '--no-progress', '--color=never'];
  return linter(`zizmor-${ZIZMOR_VERSION}`, 'bin/zizmor', args, (into) =>
    runTool('python3', ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', into, `zizmor==${ZIZMOR_VERSION}`]),
  );
}

async function linter(
  name: string,
  program: string,
  args: readonly string[],
  fetchInto: (folder: string) => Promise<unknown>,
): Promise<Linter | Skipped> {
  const home = path.join(LINTERS, name);
  const file = path.join(home, program);
  if (!existsSync(file)) {
    const building = `${home}.building-${process.pid}`;
    try {
      await mkdir(building, { recursive: true });
      await fetchInto(building);
      await rm(home, { recursive: true, force: true });
      await rename(building, home);
    } catch (error) {
      return { skipped: `${name} cannot be fetched: ${(error as Error).message}` };
    } finally {
      await rm(building, { recursive: true, force: true });
    }
  }
  return {
    check(folder, targets) {
      const { status, stdout, stderr } = spawnSync(file, [...args, ...targets], { cwd: folder, encoding: 'utf8' });
      return { code: status, output: `${stdout ?? ''}${stderr ?? ''}` };
    },
  };
}
