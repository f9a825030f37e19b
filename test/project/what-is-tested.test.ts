/** docs/what-is-tested.md: every test that it names is there, under that title. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readDocument, section, tableRows } from '../support/markdown.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TABLES = [
  'What people have met with other tools',
  'Faults on the way of one backup',
  'Faults in the wild',
  'Faults of a restore, and of a drill',
  'Faults of a prune',
  'Faults that a status notices',
] as const;
const document = readDocument('docs/what-is-tested.md');

interface NamedTest {
  file: string;
  title: string;
}

function namedTests(markdown: string): NamedTest[] {
  return [...markdown.matchAll(/`([\w/-]+\.test\.ts) › ([^`]+)`/g)].map(([, file = '', title = '']) => ({
    file: `test/${file}`,
    title,
  }));
}

/** Titles of tests and suites: strings that a function follows. Their values become `…`, as in the document. */
function titlesIn(source: string): Set<string> {
  const titled = /[(,]\s*(['"`])((?:\\.|(?!\1)[^\\\n])*)\1,\s*(?:async\s*)?(?:\(|\w+\s*=>)/g;
  const titles = [...source.matchAll(titled)].map(([, , text = '']) => text.replaceAll(/\\(.)/g, '$1'));
  return new Set(titles.map((title) => title.replaceAll(/%(?:[sdifjo#]|\$\w+)|\$\{[^}]*\}/g, '…')));
}

function missing(named: readonly NamedTest[]): string[] {
  const gone = named.filter(
    ({ file, title }) => !existsSync(path.join(ROOT, file)) || !titlesIn(readDocument(file)).has(title),
  );
  return gone.map(({ file, title }) => `${file} › ${title}`);
}

describe('docs/what-is-tested.md', () => {
  test('names only tests that are there', () => {
    const named = namedTests(document);
    expect(named.length).toBeGreaterThan(100);
    expect(missing(named)).toEqual([]);
  });

  test.each(TABLES)('has a test in every row of "%s", and nothing else in that column', (heading) => {
    const rows = tableRows(section(document, heading));
    expect(rows.length).toBeGreaterThan(20);
    for (const row of rows) {
      const tests = row.at(-1)?.split('<br>') ?? [];
      expect(tests.flatMap(namedTests), row[0]).toHaveLength(tests.length);
    }
  });

  test('would be caught with a file or a title that is not there any more', () => {
    const [first] = namedTests(document);
    const file = first?.file ?? '';
    expect(missing([{ file, title: 'a title of yesterday' }])).toEqual([`${file} › a title of yesterday`]);
    expect(missing([{ file: 'test/gone.test.ts', title: '' }])).toHaveLength(1);
  });

  test('is read beside titles of every kind', () => {
    const source = `
      test('plain', () => {});
      test.each([1, 'no title', 2])("it's %s of %d", async (n) => {});
      testIf(here, 'in second place', async () => {});
      test(\`of a \${kind}\`, each => {});`;
    expect([...titlesIn(source)]).toEqual(['plain', "it's … of …", 'in second place', 'of a …']);
  });
});
