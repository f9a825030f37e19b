import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import { actionlint, zizmor } from '../support/linters.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BROKEN = fileURLToPath(new URL('broken', import.meta.url));
const WORKFLOWS = readdirSync(path.join(ROOT, '.github/workflows')).map((name) => `.github/workflows/${name}`);
const PINNED = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;

describeWith(await actionlint(), 'actionlint', (linter) => {
  test('finds nothing in the workflows of this repository', () => {
    expect(linter.check(ROOT, WORKFLOWS)).toEqual({ code: 0, output: '' });
  });

  test('finds a context that does not exist where it is used', () => {
    const { code, output } = linter.check(BROKEN, ['unknown-step.yml']);
    expect(code).toBe(1);
    expect(output).toContain('property "nobody" is not defined');
  });
});

describeWith(await zizmor(), 'zizmor', (linter) => {
  test('finds nothing in the workflows, in action.yml and in the configuration of Dependabot', () => {
    const targets = ['.github', ...(existsSync(path.join(ROOT, 'action.yml')) ? ['action.yml'] : [])];
    const { code, output } = linter.check(ROOT, targets);
    expect(output).toContain('No findings to report');
    expect(code).toBe(0);
  });

  test('finds an action that is not pinned, a token with more rights than needed and an injection', () => {
    const { code, output } = linter.check(BROKEN, ['insecure.yml']);
    expect(code).toBeGreaterThan(10);
    for (const audit of ['unpinned-uses', 'excessive-permissions', 'template-injection'])
      expect(output).toContain(audit);
  });
});

describe('the workflows', () => {
  const lines = WORKFLOWS.flatMap((file) => readFileSync(path.join(ROOT, file), 'utf8').split('\n'));
  const uses = lines.flatMap((line) => /^\s*(?:- )?uses: (.+)$/.exec(line)?.[1] ?? []);
  const foreign = uses.filter((action) => !action.startsWith('./'));

  test('name every foreign action by commit and say which version that is, the same everywhere', () => {
    expect(foreign.length).toBeGreaterThan(0);
    for (const action of foreign) expect(action).toMatch(PINNED);
    const versions = new Map(foreign.map((action) => [action.split('@')[0], action]));
    expect(new Set(foreign)).toEqual(new Set(versions.values()));
  });

  test('silence no rule of zizmor but the one on how to name an action of this very repository', () => {
    const silenced = lines.flatMap((line) => /zizmor: ignore\[(.*)\]/.exec(line)?.[1] ?? []);
    expect(new Set(silenced)).toEqual(new Set(['self-repository']));
  });
});
