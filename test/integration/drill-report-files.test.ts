import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readAssertions } from '../../src/drill/assertions.ts';
import { writeDrillReport } from '../../src/drill/report-files.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'drill-'));
});
afterEach(() => rm(folder, { recursive: true }));

const texts = { markdown: '# x\n', junit: '<x/>\n' };

test('both files of a report are written, in a folder that is made', async () => {
  const { paths, findings } = await writeDrillReport(path.join(folder, 'a/b/drill.md'), texts);
  expect(findings).toEqual([]);
  expect(paths).toEqual([path.join(folder, 'a/b/drill.md'), path.join(folder, 'a/b/drill.xml')]);
  expect(await Promise.all(paths.map((file) => readFile(file, 'utf8')))).toEqual(['# x\n', '<x/>\n']);
});

test('a report that cannot be written is a warning', async () => {
  await writeFile(path.join(folder, 'file'), '');
  const { paths, findings } = await writeDrillReport(path.join(folder, 'file/drill.md'), texts);
  expect(paths).toEqual([]);
  expect(findings.map(({ code, severity }) => [code, severity])).toEqual(
    Array(2).fill(['report-unwritten', 'warning']),
  );
});

test('assertions come from a text or a file, and what is wrong with the file is told', async () => {
  const file = path.join(folder, 'checks.sql');
  await writeFile(file, '\uFEFF-- all\nSELECT true;\n');
  expect(await readAssertions({ file })).toMatchObject([{ line: 2, sql: 'SELECT true' }]);
  expect(await readAssertions({ text: 'SELECT 1 => 1' })).toHaveLength(1);
  await expect(readAssertions({ file: path.join(folder, 'missing.sql') })).rejects.toMatchObject({ code: 'ERR_INPUT' });
  await writeFile(file, 'x'.repeat(2_000_000));
  await expect(readAssertions({ file })).rejects.toThrow('larger than');
  await writeFile(file, 'DROP TABLE x;');
  await expect(readAssertions({ file })).rejects.toThrow('line 1');
});
