import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseAudit, serializeAudit } from '../../src/domain/audit.ts';
import { parseCheckRecord, serializeCheckRecord } from '../../src/domain/check/record.ts';
import { parseContents, serializeContents } from '../../src/domain/contents.ts';
import { parseDrillRecord, serializeDrillRecord } from '../../src/domain/drill-record.ts';
import { parseManifest, serializeManifest } from '../../src/domain/manifest.ts';
import { tableStats } from '../../src/domain/previous-backup.ts';
import { formerName } from '../../src/domain/restore-names.ts';
import { RowsDigester } from '../../src/postgres/digest/rows-digester.ts';
import { programAvailable, testIf } from '../support/availability.ts';

const page = readFileSync(new URL('../../docs/format.md', import.meta.url), 'utf8');

function blocks(language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    (match) => match[1] ?? '',
  );
}

/** Rows of the tables whose first cell is one row of COPY text. */
function vectors(pattern: RegExp): string[][] {
  return [...page.matchAll(pattern)].map(([, row = '', ...digests]) => [row.replaceAll('␉', '\t'), ...digests]);
}

const worked = vectors(/^\| `(\d␉[^|]*)` \| `([0-9a-f]{16})` \| `([0-9a-f]{16})` \|$/gm);
const single = vectors(/^\| (?:`([a-z]+)`|\(empty\)) \| `([0-9a-f]{32})` \|$/gm);
const WHOLE = 'c810caa85773708c0cfebfb0463a178d';

function digest(rows: readonly string[]): { rows: number; digest: string; bytes: number } {
  const digester = new RowsDigester();
  digester.feedRows(Buffer.from(rows.map((row) => `${row}\n`).join('')));
  return digester.finish();
}

describe('docs/format.md', () => {
  test('shows examples that are read and written as they stand there', () => {
    const [metadata = '', contents = '', audit = '', drill = '', check = ''] = blocks('json');
    expect(serializeManifest(parseManifest(metadata))).toBe(metadata);
    expect(serializeContents(parseContents(contents))).toBe(contents);
    expect(serializeAudit(parseAudit('finished', audit))).toBe(audit);
    expect(serializeDrillRecord(parseDrillRecord(drill))).toBe(drill);
    expect(serializeCheckRecord(parseCheckRecord(check))).toBe(check);
    expect(contents).toContain(WHOLE);
  });

  test('names the former database in its example as a swap would', () => {
    const { backup, target, formerDatabase } = JSON.parse(blocks('json')[2] ?? '');
    expect(formerDatabase).toBe(formerName(target.database, backup.id, []));
  });

  test('names every field of all documents', () => {
    for (const example of blocks('json')) {
      for (const field of Object.keys(JSON.parse(example)))
        expect(page).toMatch(new RegExp(`^\\|.*\`${field}[\`.]`, 'm'));
    }
  });

  test('names every field of audit records, also those that the example does not have', () => {
    const { properties } = JSON.parse(readFileSync(new URL('../../docs/audit.schema.json', import.meta.url), 'utf8'));
    const [, rows = ''] = page.split('## Audit records');
    for (const field of Object.keys(properties)) expect(rows).toMatch(new RegExp(`^\\|.*\`${field}[\`.]`, 'm'));
  });

  test('names every field of records of drills, also those that the example does not have', () => {
    const { properties } = JSON.parse(readFileSync(new URL('../../docs/drill.schema.json', import.meta.url), 'utf8'));
    const [, rows = ''] = page.split('## Records of drills');
    for (const field of Object.keys(properties)) expect(rows).toMatch(new RegExp(`^\\|.*\`${field}[\`.]`, 'm'));
  });

  test('names every field of records of checks, also those that the example does not have', () => {
    const { properties } = JSON.parse(readFileSync(new URL('../../docs/check.schema.json', import.meta.url), 'utf8'));
    const [, rows = ''] = page.split('## Records of checks');
    for (const field of Object.keys(properties).filter((each) => each !== 'schemaVersion'))
      expect(rows).toMatch(new RegExp(`^\\|.*\`${field}[\`.]`, 'm'));
  });

  test('has test vectors of the content digest that are true', () => {
    expect(worked).toHaveLength(3);
    for (const [row = '', first = '', second = ''] of worked) expect(digest([row]).digest).toBe(`${first}${second}`);
    const rows = worked.map(([row = '']) => row);
    expect(digest(rows)).toEqual({ rows: 3, bytes: 94, digest: WHOLE });
    expect(digest([...rows].reverse()).digest).toBe(WHOLE);
    expect(page).toContain(`the digest is \`${WHOLE}\``);
    expect(single).toHaveLength(3);
    for (const [row = '', whole] of single) expect(digest([row]).digest).toBe(whole);
  });

  test('has an example of a salted hash that is true', () => {
    const example = /With the salt `([0-9a-f]+)` the table\s+`public\.orders` has the entry `([0-9a-f]{64})`/.exec(
      page,
    );
    const table = { schema: 'public', name: 'orders', rows: 0, bytes: 0 };
    expect(Object.keys(tableStats(example?.[1] ?? '', [table]))).toEqual([example?.[2]]);
    expect(createHash('sha256').update(`${example?.[1]}public\0orders`).digest('hex')).toBe(example?.[2]);
  });

  const python = programAvailable('python3', ['--version'], 'install Python 3');

  testIf(python, 'has a program that computes the digest, also of long rows', () => {
    const [program = ''] = blocks('python');
    const rows = [...worked.map(([row = '']) => row), '', 'x'.repeat(1_000), ...'abcdefgh'.split('')];
    const input = rows.map((row) => `${row}\n`).join('');
    const { stdout, stderr } = spawnSync('python3', ['-c', program], { input, encoding: 'utf8' });
    const expected = digest(rows);
    expect(stderr).toBe('');
    expect(stdout).toBe(`rows ${expected.rows} bytes ${expected.bytes} digest ${expected.digest}\n`);
  });
});
