/** Every document for users: its examples, inputs, links and policies are those that exist. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { INPUTS, type InputSpec } from '../../src/inputs/spec.ts';
import { describeWith } from '../support/availability.ts';
import { actionlint, zizmor } from '../support/linters.ts';
import { fences, readDocument } from '../support/markdown.ts';
import { declaredInputs } from '../support/run-action.ts';
import { asWorkflow, inputsOf, isWorkflow, lintAlone, USES } from '../support/workflow-examples.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DOCUMENTS = [
  'README.md',
  '.github/SECURITY.md',
  '.github/CONTRIBUTING.md',
  ...readdirSync(path.join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const known = declaredInputs(readDocument('action.yml'));
const blocks = DOCUMENTS.flatMap((name) => fences(readDocument(name), 'yaml'));

function anchors(name: string): string[] {
  return [...readDocument(name).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );
}

describe.each(DOCUMENTS)('%s', (name) => {
  test('links only to files and headings that are there', () => {
    const links = [...readDocument(name).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');
    for (const link of links.filter((each) => !each.startsWith('https:'))) {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? name : path.join(path.dirname(name), file);
      expect(existsSync(path.join(ROOT, target)), link).toBe(true);
      if (anchor !== undefined) expect(anchors(target), link).toContain(anchor);
    }
  });

  test('names only tests that are there', () => {
    for (const [file] of readDocument(name).matchAll(/test\/[\w/-]+\.test\.ts/g)) {
      expect(existsSync(path.join(ROOT, file)), file).toBe(true);
    }
  });
});

describe('The examples of all documents', () => {
  test('use no input that action.yml does not declare', () => {
    expect(blocks.length).toBeGreaterThan(5);
    for (const block of blocks) {
      const names = inputsOf(block).map(([input]) => input);
      expect(names, block).not.toEqual([]);
      expect(known, block).toEqual(expect.arrayContaining(names));
    }
  });

  test('give every input a value that the action accepts', () => {
    const literal = blocks.flatMap(inputsOf).filter(([, value]) => !/\$\{\{|…/.test(value));
    expect(literal.length).toBeGreaterThan(5);
    for (const [input, value] of literal) {
      const spec = (INPUTS as Record<string, InputSpec<unknown>>)[input];
      expect(() => spec?.parse(value, {}), `${input}: ${value}`).not.toThrow();
    }
  });

  test('would be caught with an input that does not exist, in a step and in a fragment', () => {
    const step = `- ${USES}\n  with:\n    storage: backups\n    bucket: acme\n`;
    expect(inputsOf(step).map(([input]) => input)).toEqual(['storage', 'bucket']);
    expect(inputsOf('          bucket: |\n            one\n            two\n')).toEqual([['bucket', 'one\ntwo']]);
    expect(known).not.toContain('bucket');
  });
});

describeWith(await actionlint(), 'actionlint on the examples of all documents', (linter) => {
  test('finds nothing in any of them', () => {
    for (const block of blocks) {
      const workflow = asWorkflow(block);
      expect(lintAlone(linter, workflow), workflow).toEqual({ code: 0, output: '' });
    }
  });

  test('finds an input and an output that do not exist', () => {
    const input = asWorkflow(`- ${USES}\n  with:\n    bucket: acme\n`);
    expect(lintAlone(linter, input).output).toContain('input "bucket" is not defined');
    const output = `- ${USES}\n  id: backup\n- run: echo "$SIZE"\n  env:\n    SIZE: \${{ steps.backup.outputs.size }}\n`;
    expect(lintAlone(linter, asWorkflow(output)).output).toContain('property "size" is not defined');
  });
});

describeWith(await zizmor(), 'zizmor on the whole workflows of all documents', (linter) => {
  /** Tags move, and SECURITY.md and README.md say how to pin them. */
  const pinned = (block: string) =>
    block
      .replaceAll(USES, `${USES.replace('v1', '1'.repeat(40))} # v1.0.0`)
      .replaceAll(/^( +image: \S+)$/gm, `$1@sha256:${'1'.repeat(64)}`);

  test('finds nothing in any of them', () => {
    const workflows = blocks.filter(isWorkflow);
    expect(workflows.length).toBeGreaterThan(1);
    for (const workflow of workflows) {
      const { code, output } = lintAlone(linter, pinned(workflow));
      expect(output, workflow).toContain('No findings to report');
      expect(code).toBe(0);
    }
  });

  test('finds secrets that are chosen by a computed name', () => {
    const [workflow = ''] = blocks.filter(isWorkflow);
    const computed = pinned(workflow).replace('secrets.RESTORE_DATABASE_URL', 'secrets[github.ref_name]');
    expect(lintAlone(linter, computed).output).toContain('overprovisioned-secrets');
  });
});
