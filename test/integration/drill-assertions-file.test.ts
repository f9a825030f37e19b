import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readAssertions } from '../../src/drill/assertions.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'drill-'));
});
afterEach(() => rm(folder, { recursive: true }));

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
