import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MessageSplitter } from '../../src/postgres/copy-out.ts';

function message(type: string, body: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.write(type, 0, 'latin1');
  header.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}

test('rows and other messages are told apart however the stream is cut, and nothing is lost', () => {
  const part = fc.record({
    type: fc.constantFrom('d', 'd', 'd', 'N', 'C', 'Z'),
    body: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  });
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (parts, cuts) => {
        const stream = Buffer.concat(parts.map(({ type, body }) => message(type, body)));
        const rows: Buffer[] = [];
        const others: Buffer[] = [];
        const splitter = new MessageSplitter(
          (block) => rows.push(Buffer.from(block)),
          (bytes) => others.push(Buffer.from(bytes)),
        );
        for (let at = 0, turn = 0; at < stream.length; turn += 1) {
          const size = cuts[turn % cuts.length] as number;
          splitter.push(stream.subarray(at, at + size));
          at += size;
        }
        splitter.flush();
        splitter.release();
        expect(Buffer.concat(rows)).toEqual(
          Buffer.concat(parts.filter(({ type }) => type === 'd').map(({ body }) => body)),
        );
        expect(Buffer.concat(others)).toEqual(
          Buffer.concat(parts.filter(({ type }) => type !== 'd').map(({ type, body }) => message(type, body))),
        );
      },
    ),
  );
});

test('the beginning of a message that was cut goes on to whoever reads next', () => {
  const others: string[] = [];
  const splitter = new MessageSplitter(
    () => undefined,
    (bytes) => others.push(bytes.toString('latin1')),
  );
  splitter.push(Buffer.concat([message('E', Buffer.from('error')), Buffer.from('Z\0\0')]));
  splitter.release();
  expect(others).toEqual([message('E', Buffer.from('error')).toString('latin1'), 'Z\0\0']);
});

test('a chunk is free to be given back unless a part of it went to the driver', () => {
  const splitter = new MessageSplitter(
    () => undefined,
    () => undefined,
  );
  const [row, other] = [message('d', Buffer.from('1\tone\n')), message('C', Buffer.from('COPY 1'))];
  expect(splitter.push(row)).toBe(false);
  expect(splitter.push(Buffer.concat([row, other]))).toBe(true);
  // Cut: what the driver gets is put together from copies.
  expect(splitter.push(other.subarray(0, 3))).toBe(false);
  expect(splitter.push(other.subarray(3))).toBe(false);
});
