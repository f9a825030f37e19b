import { expect, it } from 'vitest';
import { judgeAnswer, type Sent } from '../../../src/storage/s3/verify.ts';

const listed = (etag?: string, sizeBytes = 5) => ({
  key: 'a',
  sizeBytes,
  modifiedAt: new Date(0),
  ...(etag === undefined ? {} : { etag }),
});
const sent: Sent = { key: 'a', sizeBytes: 5, sha256: 'x' };
const none = { composite: false };

it('believes a checksum of the whole object, either way', () => {
  const withCrc = { ...sent, crc32: 'AAAA', etag: () => 'aa' };
  expect(judgeAnswer(withCrc, { crc32: 'AAAA', composite: false }, listed('other'))).toBe('provider-checksum');
  expect(judgeAnswer(withCrc, { crc32: 'BBBB', composite: false }, listed('aa'))).toBe('differs');
});

it('does not take a checksum of checksums for one of the whole object', () => {
  expect(judgeAnswer({ ...sent, crc32: 'AAAA' }, { crc32: 'AAAA', composite: true }, listed())).toBe('unclear');
});

it('believes size and an ETag that follows from our own MD5s', () => {
  expect(judgeAnswer({ ...sent, etag: () => 'ab-2' }, none, listed('AB-2'))).toBe('size-and-etag');
});

it('calls another ETag unclear, because encryption at the provider changes it', () => {
  expect(judgeAnswer({ ...sent, etag: () => 'ab-2' }, none, listed('cd-2'))).toBe('unclear');
  expect(judgeAnswer({ ...sent, etag: () => undefined }, none, listed('cd-2'))).toBe('unclear');
  expect(judgeAnswer({ ...sent, etag: () => 'ab-2' }, none, listed())).toBe('unclear');
});

it('calls another size different, whatever the checksums say', () => {
  const answer = { crc32: 'AAAA', composite: false };
  expect(judgeAnswer({ ...sent, crc32: 'AAAA', etag: () => 'ab' }, answer, listed('ab', 4))).toBe('differs');
});

it('believes the answer to the upload of a role that may not list', () => {
  const judge = (known: Partial<Sent>, answer: object) =>
    judgeAnswer({ ...sent, ...known }, { ...none, ...answer }, 'not-allowed');
  expect(judge({ crc32: 'AAAA' }, { crc32: 'AAAA' })).toBe('provider-checksum');
  expect(judge({ crc32: 'AAAA' }, { crc32: 'BBBB' })).toBe('differs');
  expect(judge({ etag: () => 'ab-2' }, { etag: 'AB-2' })).toBe('size-and-etag');
  expect(judge({ etag: () => 'ab-2' }, { etag: 'cd-2' })).toBe('unclear');
  expect(judge({ etag: () => 'ab-2' }, {})).toBe('unclear');
});
