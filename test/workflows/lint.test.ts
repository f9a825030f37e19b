import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import { actionlint, zizmor } from '../support/linters.ts';
import { readDocument } from '../support/markdown.ts';
import { asWorkflow, lintAlone, USES } from '../support/workflow-examples.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BROKEN = fileURLToPath(new URL('broken', import.meta.url));
const WORKFLOWS = yamlFiles('.github/workflows');
const TEMPLATES = yamlFiles('.github/workflow-templates');
const PINNED = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;

function yamlFiles(folder: string): string[] {
  const names = readdirSync(path.join(ROOT, folder)).filter((name) => name.endsWith('.yml'));
  return names.map((name) => `${folder}/${name}`);
}

describeWith(await actionlint(), 'actionlint', (linter) => {
  test('finds nothing in the workflows of this repository, and nothing in the templates', () => {
    expect(linter.check(ROOT, [...WORKFLOWS, ...TEMPLATES])).toEqual({ code: 0, output: '' });
  });

  test('finds a context that does not exist where it is used', () => {
    const { code, output } = linter.check(BROKEN, ['unknown-step.yml']);
    expect(code).toBe(1);
    expect(output).toContain('property "nobody" is not defined');
  });

  test.each(TEMPLATES)('finds no input and no output in %s that the action does not have', (file) => {
    expect(lintAlone(linter, asWorkflow(readDocument(file)))).toEqual({ code: 0, output: '' });
  });

  test('finds an input in a template that the action does not have', () => {
    const [file = ''] = TEMPLATES;
    const wrong = readDocument(file).replace(/^( +)command: .*$/m, '$&\n$1bucket: acme');
    expect(lintAlone(linter, asWorkflow(wrong)).output).toContain('input "bucket" is not defined');
  });
});

describeWith(await actionlint(), 'actionlint on action.yml', (linter) => {
  const workflow = asWorkflow(`- ${USES}\n  with:\n    storage: backups\n`);
  const actionYml = readDocument('action.yml');

  test('finds metadata that GitHub takes', () => {
    expect(lintAlone(linter, workflow, actionYml)).toEqual({ code: 0, output: '' });
  });

  test.each([
    ['a runtime that is gone', 'using: node24', 'using: node16'],
    ['a script that is not there', 'main: dist/index.js', 'main: dist/gone.js'],
    ['a colour that the Marketplace does not have', 'color: green', 'color: turquoise'],
    ['an icon that it does not have', 'icon: database', 'icon: elephant'],
    ['an input with a key that is none', '    required: false', '    requird: false'],
    ['an input that is there twice', '  storage:', '  command:'],
  ])('finds %s', (_what, right, wrong) => {
    expect(actionYml).toContain(right);
    expect(lintAlone(linter, workflow, actionYml.replace(right, wrong)).code).toBe(1);
  });
});

describeWith(await zizmor(), 'zizmor', (linter) => {
  const config = ['--config', '.github/zizmor.yml'];

  test('finds nothing in the workflows, in action.yml and in the configuration of Dependabot', () => {
    const { code, output } = linter.check(ROOT, [...config, '.github', 'action.yml']);
    expect(output).toContain('No findings to report');
    expect(code).toBe(0);
  });

  test.each(TEMPLATES)('finds nothing in %s', (file) => {
    const { code, output } = linter.check(ROOT, [...config, file]);
    expect(output).toContain('No findings to report');
    expect(code).toBe(0);
  });

  test('finds an action that is not pinned, a token with more rights than needed and an injection', () => {
    const { code, output } = linter.check(ROOT, [...config, 'test/workflows/broken/insecure.yml']);
    expect(code).toBeGreaterThan(10);
    for (const audit of ['unpinned-uses', 'excessive-permissions', 'template-injection'])
      expect(output).toContain(audit);
  });
});

describe('the workflows and templates', () => {
  const linesOf = (files: readonly string[]) =>
    files.flatMap((file) => readFileSync(path.join(ROOT, file), 'utf8').split('\n'));
  const usedIn = (files: readonly string[]) =>
    linesOf(files).flatMap((line) => /^[\s#]*(?:- )?uses: (.+)$/.exec(line)?.[1] ?? []);
  const foreign = usedIn([...WORKFLOWS, ...TEMPLATES]).filter(
    (action) => !action.startsWith('./') && `uses: ${action}` !== USES,
  );

  test('name every foreign action by commit and say which version that is, the same everywhere', () => {
    expect(foreign.length).toBeGreaterThan(0);
    for (const action of foreign) expect(action).toMatch(PINNED);
    const versions = new Map(foreign.map((action) => [action.split('@')[0], action]));
    expect(new Set(foreign)).toEqual(new Set(versions.values()));
  });

  test('name every image of our own workflows by digest, the same for each version', () => {
    const images = linesOf(WORKFLOWS).flatMap((line) => /^\s*(?:- )?image: ([^$\s]+)$/.exec(line)?.[1] ?? []);
    expect(images.length).toBeGreaterThan(0);
    for (const image of images) expect(image).toMatch(/^[\w./-]+:v?\d+(?:\.\d+)+@sha256:[0-9a-f]{64}$/);
    const digests = new Map(images.map((image) => [/^[^@]+?:v?\d+/.exec(image)?.[0], image]));
    expect(new Set(images)).toEqual(new Set(digests.values()));
  });

  test('name this action in every template, and in no workflow but by its folder', () => {
    for (const file of TEMPLATES) expect(readDocument(file), file).toContain(`${USES}\n`);
    expect(linesOf(WORKFLOWS).join('\n')).not.toContain(USES);
  });

  test('silence no rule of zizmor but those on how to name this action, and on an image that users choose', () => {
    const silenced = linesOf([...WORKFLOWS, ...TEMPLATES]).flatMap(
      (line) => /zizmor: ignore\[(.*)\]/.exec(line)?.[1] ?? [],
    );
    expect(new Set(silenced)).toEqual(new Set(['self-repository']));
    const configured = [...readDocument('.github/zizmor.yml').matchAll(/^ {2}([\w-]+):$/gm)].map((match) => match[1]);
    expect(configured).toEqual(['unpinned-uses', 'unpinned-images']);
  });
});
