import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { Restrict } from '../../src/postgres/restrict.ts';

/** What comes out of a script that comes in pieces of that many bytes, without the first line. */
async function restricted(script: string, size: number): Promise<string> {
  const bytes = Buffer.from(script);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  const output = (await buffer(Readable.from(pieces).pipe(new Restrict()))).toString();
  expect(output).toMatch(/^\\restrict [0-9a-f]{48}\n/);
  return output.slice(output.indexOf('\n') + 1);
}

const HEADER = '--\n-- PostgreSQL database dump\n--\n\n';
const BODY = `SET a = 1;\nCOPY t FROM stdin;\n\\restrict KEY\nx\\unrestrict KEY\n\\.\n${'-- filler\n'.repeat(4000)}`;

test.each([1, 7, 64, 1 << 20])('the own pair of a dump goes, in pieces of %i bytes, and nothing else', async (size) => {
  const script = `${HEADER}\\restrict KEY\n\n${BODY}\n\\unrestrict KEY\n\n`;
  expect(await restricted(script, size)).toBe(`\n${BODY}\n\n`);
});

test.each([1, 1 << 20])('a dump without such a pair stays as it is, in pieces of %i bytes', async (size) => {
  for (const script of ['', 'SELECT 1;\n', `${HEADER}${BODY}`, `SELECT 1;\n\\restrict KEY\n\\unrestrict KEY\n`]) {
    expect(await restricted(script, size)).toBe(script);
  }
});
