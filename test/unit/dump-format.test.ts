import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { lacksItsEnd, recogniseDump } from '../../src/domain/dump-format.ts';

const archive = (format: number): Buffer => Buffer.from([...Buffer.from('PGDMP'), 1, 15, 0, 4, 8, format]);
const tar = (name: string, content: Buffer): Buffer => {
  const header = Buffer.alloc(512);
  header.write(name, 0, 'latin1');
  header.write('ustar', 257, 'latin1');
  return Buffer.concat([header, content]);
};
const sql = (text: string): Buffer => Buffer.from(text);

test.each([
  ['custom', archive(1)],
  ['tar', tar('toc.dat', archive(3))],
  ['sql', sql('--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n')],
  ['sql', sql('\n  SET statement_timeout = 0;\n')],
  ['sql', sql('\ufeffCREATE TABLE t (id int);')],
  ['sql', sql('copy t from stdin;\n1\n\\.\n')],
  ['sql', sql('/* by hand */ insert into t values (1);')],
])('%s is known by its content', (format, head) => {
  expect(recogniseDump(head)).toEqual({ kind: 'dump', format });
});

test.each([
  ['gzip', gzipSync('x')],
  ['zstd', zstdCompressSync('x')],
  ['zstd', Buffer.from('502a4d180400000039422d0028b52ffd', 'hex')],
  ['age', sql('age-encryption.org/v1\n-> X25519 abc')],
  ['age', sql('-----BEGIN AGE ENCRYPTED FILE-----\n')],
  ['gpg', sql('-----BEGIN PGP MESSAGE-----\n')],
  ['gpg', Buffer.from([0x85, 0x01, 0x0c])],
  ['gpg', Buffer.from([0xc1, 0xc0, 0x4c])],
  ['gpg', Buffer.from([0x8c, 0x0d, 0x04])],
  ['gpg', Buffer.from([0xc3, 0x0d, 0x04])],
])('%s around it is known by its first bytes', (layer, head) => {
  expect(recogniseDump(head)).toEqual({ kind: 'layer', layer });
});

test.each([
  ['nothing', Buffer.alloc(0), /empty/],
  ['zeros', Buffer.alloc(1024), /no dump/],
  ['an error page', sql('<html><body>403</body></html>'), /no dump/],
  ['JSON', sql('{"schemaVersion": 1}'), /no dump/],
  ['prose', sql('Dear colleague, the dump is attached.'), /no dump/],
  ['a lone toc.dat', archive(5), /Give the folder/],
  ['an archive of the future', archive(9), /not known here/],
  ['a tar of a folder', tar('shop/toc.dat', archive(5)), /tar -x/],
  ['a tar with toc.dat of a folder', tar('toc.dat', archive(5)), /tar -x/],
  ['a dump of a server', sql('--\n-- PostgreSQL database cluster dump\n--\n'), /pg_dumpall/],
  ['a dump of MySQL', sql('-- MySQL dump 10.13\n'), /MySQL/],
  ['UTF-16', Buffer.from('\ufeffSET x;', 'utf16le'), /PowerShell/],
  ['bzip2', sql('BZh91AY'), /bunzip2/],
  ['xz', Buffer.from('fd377a585a000004', 'hex'), /unxz/],
  ['lz4', Buffer.from('04224d186440', 'hex'), /lz4/],
  ['zip', sql('PK\u0003\u0004'), /unzip/],
])('%s is refused with what to do', (_what, head, words) => {
  const found = recogniseDump(head);
  expect(found.kind).toBe('other');
  expect(found.kind === 'other' && found.why).toMatch(words);
});

describe('a plain dump', () => {
  const head = sql('--\n-- PostgreSQL database dump\n--\n\nSET x;');

  test('of pg_dump that lacks its last line was cut', () => {
    expect(lacksItsEnd(head, sql('COPY t FROM stdin;\n1\n'))).toBe(true);
    expect(lacksItsEnd(head, sql('-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc\n'))).toBe(false);
  });

  test('of somebody else has no such line', () => {
    expect(lacksItsEnd(sql('CREATE TABLE t ();'), sql('CREATE TABLE t ();'))).toBe(false);
  });
});

test('what random bytes are is never SQL', () => {
  for (let turn = 0; turn < 200; turn += 1) {
    const found = recogniseDump(Buffer.concat([Buffer.from([0]), randomBytes(1000)]));
    expect(found).not.toMatchObject({ kind: 'dump', format: 'sql' });
  }
});

test('the machine’s own gzip is known', () => {
  expect(recogniseDump(execFileSync('gzip', ['-c'], { input: 'SELECT 1;' }))).toMatchObject({ layer: 'gzip' });
});
