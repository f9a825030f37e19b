import { describe, expect, test } from 'vitest';
import { fences, readDocument } from '../support/markdown.ts';
import { USES } from '../support/workflow-examples.ts';

const readme = readDocument('README.md');

describe('README.md', () => {
  test('begins with an example of at most ten lines', () => {
    const [first = ''] = fences(readme, 'yaml');
    expect(first).toContain(USES);
    expect(first.trim().split('\n').length).toBeLessThanOrEqual(10);
  });

  test('has a demo as its first command and the tests as its second one', () => {
    expect(fences(readme, 'sh').slice(0, 2)).toEqual(['npm ci && npm run demo\n', 'npm ci && npm test\n']);
  });

  test('names in its prose only options that the action, a check or a destination has', () => {
    const options = [...readme.matchAll(/`&?([a-z]+(?:-[a-z]+)+)(?:[:=][^`]*)?`/g)].map((match) => match[1] ?? '');
    const sources = ['action.yml', 'src/domain/checks.ts', 'src/domain/destination.ts'];
    const words = sources.map(readDocument).join('\n');
    for (const option of new Set(options)) expect(words, option).toContain(option);
  });

  test('explains every check', () => {
    const checks = readDocument('src/domain/checks.ts');
    const ids = [...(/type CheckId =([^;]*);/.exec(checks)?.[1] ?? '').matchAll(/'([\w-]+)'/g)];
    expect(ids.length).toBeGreaterThan(5);
    for (const [, id] of ids) expect(readme).toContain(`\n| \`${id}\` |`);
  });

  test('links to every document for users', () => {
    for (const name of [
      'permissions',
      'recipients',
      'several-databases',
      'outgrowing',
      'retention',
      'threat-model',
      'format',
      'what-is-tested',
      'secrets-and-variables',
      'organisation',
      'runbook-template',
      'review-form',
    ]) {
      expect(readme).toContain(`](docs/${name}.md`);
    }
  });

  test('names only scripts that package.json has', () => {
    const { scripts } = JSON.parse(readDocument('package.json')) as { scripts: Record<string, string> };
    const texts = [
      fences(readme, 'sh').join('\n'),
      readDocument('docs/performance.md'),
      readDocument('.github/CONTRIBUTING.md'),
    ];
    const named = [...texts.join('\n').matchAll(/npm run ([\w:]+)/g)].map((match) => match[1] ?? '');
    for (const name of named) expect(Object.keys(scripts)).toContain(name);
  });
});
