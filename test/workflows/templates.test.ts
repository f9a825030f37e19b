/** The templates as files: what GitHub shows of them, what they need, and what all of them have. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { fences, readDocument, section, tableRows } from '../support/markdown.ts';
import { parseFileCommand } from '../support/workflow-commands.ts';

const FOLDER = '.github/workflow-templates';
const FILES = readdirSync(fileURLToPath(new URL(`../../${FOLDER}`, import.meta.url)));
const NAMES = FILES.filter((file) => file.endsWith('.yml'))
  .map((file) => file.replace(/\.yml$/, ''))
  .toSorted();

/**
 * What GitHub knows: docs.github.com, "Creating workflow templates for your organization"; the general categories are
 * those of the README of actions/starter-workflows.
 */
const isProperties = new Ajv2020({ allErrors: true }).compile({
  type: 'object',
  required: ['name', 'description', 'iconName', 'categories'],
  additionalProperties: false,
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 60 },
    description: { type: 'string', minLength: 1, maxLength: 160 },
    iconName: { type: 'string', pattern: '^octicon [a-z]+(-[a-z]+)*$' },
    categories: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: { enum: ['Automation', 'deployment', 'monitoring', 'testing', 'utilities'] },
    },
    filePatterns: { type: 'array', minItems: 1, uniqueItems: true, items: { type: 'string', minLength: 1 } },
  },
});

const template = (name: string) => readDocument(`${FOLDER}/${name}.yml`);
/** Names of secrets and variables, those in comments included. */
const named = (text: string) =>
  new Set([...text.matchAll(/\b(?:secrets|vars)\.(\w+)/g)].map((match) => match[1] ?? ''));
const firstComment = (text: string) => /^(?:#.*\n)+/.exec(text)?.[0] ?? '';
const withoutComments = (text: string) => text.replaceAll(/(?:^|\s)#.*$/gm, '');

/** The text of each job, by its id. */
function jobs(text: string): Map<string, string> {
  const [, body = ''] = text.split(/^jobs:\n/m);
  const parts = body.split(/^ {2}([\w-]+):\n/m).slice(1);
  return new Map(parts.flatMap((part, at) => (at % 2 === 0 ? [[part, parts[at + 1] ?? '']] : [])));
}

describe('The properties of the templates', () => {
  test('are there for each, and for nothing else', () => {
    const expected = NAMES.flatMap((name) => [`${name}.yml`, `${name}.properties.json`]);
    expect(NAMES.length).toBeGreaterThan(0);
    expect(FILES.toSorted()).toEqual(expected.toSorted());
  });

  test.each(NAMES)('of %s are what GitHub reads', (name) => {
    const properties = JSON.parse(readDocument(`${FOLDER}/${name}.properties.json`)) as { filePatterns?: string[] };
    expect(isProperties(properties), JSON.stringify(isProperties.errors)).toBe(true);
    for (const pattern of properties.filePatterns ?? []) expect(() => new RegExp(pattern)).not.toThrow();
  });

  test('would be caught without a description, with a key that is none and a category that is none', () => {
    expect(isProperties(JSON.parse(readDocument('test/workflows/broken/nameless.properties.json')))).toBe(false);
    const paths = (isProperties.errors ?? []).map((error) => `${error.instancePath} ${error.keyword}`);
    expect(paths).toEqual([' required', ' additionalProperties', '/iconName pattern', '/categories/0 enum']);
  });

  test('have a name each', () => {
    const names = NAMES.map(
      (name) => (JSON.parse(readDocument(`${FOLDER}/${name}.properties.json`)) as { name: string }).name,
    );
    expect(new Set(names).size).toBe(NAMES.length);
  });
});

describe.each(NAMES)('%s.yml', (name) => {
  const text = template(name);

  test('says in its first comment which secrets and variables it needs', () => {
    for (const each of named(withoutComments(text))) expect(firstComment(text)).toContain(each);
  });

  test('gives its jobs no right that it does not name and explain, and a time limit each', () => {
    expect(text).toMatch(/^permissions: \{\}$/m);
    for (const [id, job] of jobs(text)) {
      expect(job, id).toMatch(/^ {4}timeout-minutes: \d+$/m);
      expect(job, id).toMatch(/^ {4}permissions:/m);
      for (const [right] of job.matchAll(/^ {6}[a-z-]+: (?:read|write).*$/gm)) expect(right, id).toMatch(/ # \w+/);
    }
  });

  test('waits for other runs and never cancels one', () => {
    expect(text).toMatch(/^concurrency:\n {2}group: .+\n {2}cancel-in-progress: false$/m);
  });

  test('is not scheduled for the full hour', () => {
    const minutes = [...text.matchAll(/^ +- cron: "(\S+) /gm)].map((match) => match[1]);
    expect(minutes.length > 0).toBe(/^ {2}schedule:$/m.test(text));
    for (const minute of minutes) expect(Number(minute)).toBeGreaterThan(0);
  });

  test('when a schedule starts it, tells of each step where people hear of it', () => {
    if (!/^ {2}schedule:$/m.test(text)) return;
    const steps = text.split(/^ {6}- name: /m).filter((step) => step.includes('uses: org/db-backup-action@'));
    expect(steps.length).toBeGreaterThan(0);
    for (const step of steps) {
      expect(step).toMatch(/^ {10}slack-webhook-url: \$\{\{ secrets\.ALARM_SLACK_WEBHOOK_URL \}\}$/m);
      expect(step).toMatch(/^ {10}webhook-url: \$\{\{ secrets\.ALARM_WEBHOOK_URL \}\}$/m);
    }
    // Of several plans in turn no service could tell which one is silent.
    if (name !== 'table-plans') expect(text).toMatch(/^ {10}heartbeat-url: \$\{\{ secrets\.\w+_HEARTBEAT_URL \}\}$/m);
  });

  test('takes every secret that it uses when another workflow calls it', () => {
    const [, called] = /^ {2}workflow_call:\n((?: {4}.*\n)+)/m.exec(text) ?? [];
    if (called === undefined) return;
    const secrets = new Set([...withoutComments(text).matchAll(/\bsecrets\.(\w+)/g)].map(([, each = '']) => each));
    for (const secret of secrets) expect(called).toMatch(new RegExp(`^ {6}${secret}:$`, 'm'));
  });

  test('shows a role beside stored keys, and keys where only the step sees them', () => {
    expect(text).toMatch(/# aws-role-to-assume: \$\{\{ vars\.\w+_AWS_ROLE \}\}/);
    expect(text).toMatch(/^ {10}AWS_SECRET_ACCESS_KEY: /m);
    expect(text).not.toMatch(/^ {0,4}env:/m);
  });
});

describe('docs/secrets-and-variables.md', () => {
  const page = readDocument('docs/secrets-and-variables.md');
  const kinds = ['For a backup', 'For the alarm', 'To prune', 'For a drill', 'For the status', 'For a restore'];
  const rows = kinds.flatMap((heading) => tableRows(section(page, heading)));
  const listed = rows.flatMap(([names = '', kind = '', , usedBy = '']) =>
    [...names.matchAll(/`(\w+)`/g)].map(([, each = '']) => [each, kind, usedBy] as const),
  );

  test('lists every name that a template uses, and no other', () => {
    const used = new Set(NAMES.flatMap((name) => [...named(template(name))]));
    expect(new Set(listed.map(([name]) => name))).toEqual(used);
  });

  test.each(listed)(
    'says of %s which templates use it, of what kind it is, and how it is set',
    (name, kind, usedBy) => {
      const users = NAMES.filter((each) => named(template(each)).has(name));
      expect(usedBy === 'all' ? NAMES : usedBy.split(', ').toSorted()).toEqual(users);
      const [word = ''] = kind.split(',');
      expect(NAMES.map(template).join('')).toContain(`${word === 'secret' ? 'secrets' : 'vars'}.${name}`);
      expect(fences(page, 'sh').join('\n')).toMatch(new RegExp(`gh ${word} set ${name}\\b`));
    },
  );
});

describe('The commands of the documents', () => {
  const documents = ['README.md', 'docs/runbook-template.md', 'docs/review-form.md'].map(readDocument).join('\n');
  const started = [...documents.matchAll(/gh workflow run ([\w-]+)\.yml((?:\\\n|[^`\n])*)/g)];

  test('start workflows that are templates, with inputs that they have', () => {
    expect(started.length).toBeGreaterThan(3);
    for (const [command, name = '', options = ''] of started) {
      expect(NAMES, command).toContain(name);
      for (const [, input] of options.matchAll(/-f ([\w-]+)=/g)) {
        expect(template(name), command).toMatch(new RegExp(`^ {6}${input}:\n {8}description: `, 'm'));
      }
    }
  });

  test('give what must be given', () => {
    const required = [...template('restore').matchAll(/^ {6}([\w-]+):\n(?: {8}.*\n)*? {8}required: true$/gm)];
    expect(required.map((match) => match[1])).toEqual(['reason']);
    for (const [command, name] of started) if (name === 'restore') expect(command).toContain('-f reason=');
  });
});

describe('table-plans.yml', () => {
  const text = template('table-plans');
  const script = (/^ {8}run: \|\n((?: {10}.*\n|\n)+)/m.exec(text)?.[1] ?? '').replaceAll(/^ {10}/gm, '');
  const crons = [...text.matchAll(/cron: "(.+)" #/g)].map((match) => match[1] ?? '');
  const choices = (/options: \[(.*)\]/.exec(text)?.[1] ?? '').split(', ');

  function pick(plan: string) {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'table-plans-'));
    try {
      const file = path.join(folder, 'output');
      writeFileSync(file, '');
      const env = { PATH: process.env.PATH ?? '', GITHUB_OUTPUT: file, PLAN: plan };
      const { status, stdout } = spawnSync('bash', ['-e', '-c', script], { encoding: 'utf8', env });
      return { status, stdout, outputs: parseFileCommand(readFileSync(file, 'utf8')) };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  test('has one plan for each schedule and for each choice', () => {
    expect(crons.length).toBe(choices.length);
    for (const [at, cron] of crons.entries()) {
      const { status, outputs } = pick(cron);
      expect(status, cron).toBe(0);
      expect(pick(choices[at] ?? '').outputs).toEqual(outputs);
      expect(Object.keys(outputs)).toEqual(['name', 'label', 'keep-forever', 'keep-within-days', 'tables']);
      expect(Number(outputs['keep-within-days'])).toBeGreaterThan(0);
      expect(outputs.tables).toMatch(/^public\.\S+(\npublic\.\S+)*$/);
    }
  });

  test('takes a pattern as it stands, and keeps the yearly plan for ever in the same series', () => {
    expect(pick('messages').outputs.tables).toBe('public.messages*');
    expect(pick('subscriptions-yearly').outputs).toEqual({
      ...pick('subscriptions').outputs,
      label: 'yearly',
      'keep-forever': 'true',
    });
  });

  test('refuses a schedule that no plan names', () => {
    expect(pick('0 0 * * *')).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('::error::There is no plan for'),
    });
  });
});
