/** What breaks between here and a bucket during a write. The server is real; a proxy in front of it breaks the way. */
import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Storage } from '../../src/ports.ts';
import { readBytes, writeBytes } from '../../src/storage/write-object.ts';
import { describeS3Faults, failure, pausing } from '../support/s3-fault-bench.ts';
import { keysOf, MIB, quickRetry, sha256, writeChunked } from '../support/storage-bench.ts';

describeS3Faults((bench) => {
  describe.each(['md5', 'crc32'])('checked by %s', (checksum) => {
    const big = randomBytes(17 * MIB + 5);
    beforeEach(() => {
      bench.storage = bench.open({ checksum });
    });

    it('recovers from a reset in mid-part', async () => {
      bench.proxy.set({ direction: 'to-server', resetAfter: 3 * MIB, strikes: 3 });
      const stored = await writeChunked(bench.storage, 'archive', big, { onlyIfAbsent: true });
      expect(bench.proxy.counts.struck).toBe(3);
      expect(stored.sha256).toBe(sha256(await readBytes(bench.storage, 'archive')));
    });

    it('recovers from an orderly end in mid-part and from refused connections', async () => {
      bench.proxy.set({ direction: 'to-server', finAfter: 2 * MIB, strikes: 1, failFirst: 2 });
      await writeChunked(bench.storage, 'archive', big);
      expect(bench.proxy.counts.struck).toBe(3);
      expect(sha256(await readBytes(bench.storage, 'archive'))).toBe(sha256(big));
    });

    it('recovers from a byte that is flipped on the way', async () => {
      bench.proxy.set({ direction: 'to-server', flipAt: 3 * MIB, strikes: 1 });
      await writeChunked(bench.storage, 'archive', big);
      expect(bench.proxy.counts.struck).toBe(1);
      expect(sha256(await readBytes(bench.storage, 'archive'))).toBe(sha256(big));
    });

    it('fails cleanly when bytes are flipped at every try', async () => {
      bench.proxy.set({ direction: 'to-server', flipAt: 3 * MIB });
      const error = await bench.failsCleanly(async (writing) => {
        const writer = await writing.create('archive');
        await writer.write(big);
        await writer.commit();
      });
      expect(error).toMatchObject({
        code: 'ERR_STORAGE',
        message: expect.stringContaining('the bytes arrived damaged'),
      });
    });

    it('recovers from 503 and 500 answers', async () => {
      const response = 'HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
      bench.proxy.set({ answerTo: { request: (head) => /^(PUT|POST) /.test(head), times: 3, response } });
      await writeChunked(bench.storage, 'archive', big, { onlyIfAbsent: true });
      bench.proxy.set({
        answerTo: {
          request: (head) => /^PUT /.test(head),
          times: 2,
          response: response.replace('503 Slow Down', '500 Oops'),
        },
      });
      await writeBytes(bench.storage, 'marker', Buffer.from('1'), { onlyIfAbsent: true });
      expect(bench.proxy.counts.struck).toBe(5);
      expect(await keysOf(bench.storage)).toEqual(['archive', 'marker']);
    });

    it('recognises its own object when the answer to the completion was lost', async () => {
      bench.proxy.set({ loseAnswerTo: { request: (head) => /^POST \S*uploadId=/.test(head), times: 1 } });
      const stored = await writeChunked(bench.storage, 'archive', big, { onlyIfAbsent: true });
      expect(bench.proxy.counts.struck).toBe(1);
      expect(stored.evidence).toBe(checksum === 'md5' ? 'size-and-etag' : 'provider-checksum');
      expect(sha256(await readBytes(bench.storage, 'archive'))).toBe(sha256(big));
      expect(await bench.unfinishedUploads()).toBe(0);
    });

    it('recognises its own object when the answer to a single put was lost', async () => {
      bench.proxy.set({ loseAnswerTo: { request: (head) => /^PUT /.test(head), times: 1 } });
      const stored = await writeBytes(bench.storage, 'marker', Buffer.from('mine'), { onlyIfAbsent: true });
      expect(bench.proxy.counts.struck).toBe(1);
      expect(stored.evidence).toBe('size-and-etag');
    });

    it('does not take another writer’s object for its own', async () => {
      await bench.storage.close();
      bench.storage = bench.open({ checksum }, { s3: pausing });
      const writer = await bench.storage.create('marker', { onlyIfAbsent: true });
      await writer.write(Buffer.from('mine'));
      // The first try fails; before the second one somebody else takes the name.
      const finished = bench.interfere((head) => head.startsWith('PUT '), 'theirs');
      expect(await failure(writer.commit())).toMatchObject({ code: 'ERR_STORAGE_EXISTS' });
      await writer.abort();
      await finished();
      expect((await readBytes(bench.storage, 'marker')).toString()).toBe('theirs');
    });

    it('lets exactly one of two simultaneous writers win', async () => {
      const contents = ['one', 'two'].map((name) => Buffer.concat([Buffer.from(name), big]));
      const results = await Promise.allSettled(contents.map((bytes) => writeWhole(bench.storage, bytes)));
      const losers = results.filter((result) => result.status === 'rejected');
      expect(losers).toEqual([
        expect.objectContaining({ reason: expect.objectContaining({ code: 'ERR_STORAGE_EXISTS' }) }),
      ]);
      const winner = contents[results.findIndex((result) => result.status === 'fulfilled')] as Buffer;
      expect(sha256(await readBytes(bench.storage, 'archive'))).toBe(sha256(winner));
      expect(await bench.unfinishedUploads()).toBe(0);
    });

    it('goes on without If-None-Match on a store that does not know it', async () => {
      const response = 'HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
      bench.proxy.set({ answerTo: { request: (head) => /if-none-match: \*/i.test(head), times: 1, response } });
      await writeBytes(bench.storage, 'marker', Buffer.from('1'), { onlyIfAbsent: true });
      expect(bench.proxy.counts.struck).toBe(1);
      expect(await keysOf(bench.storage)).toEqual(['marker']);
    });

    it('ends with an error, not with waiting, when the socket stalls', async () => {
      await bench.storage.close();
      bench.storage = bench.open(
        { checksum },
        { s3: { ...quickRetry, stallTimeoutMs: 400, completeTimeoutMs: 400, abortTimeoutMs: 500 } },
      );
      const started = Date.now();
      const writer = await bench.storage.create('archive');
      bench.proxy.set({ direction: 'to-server', blackholeAfter: 2 * MIB });
      const error = await failure(writer.write(big).then(() => writer.commit()));
      expect(error).toMatchObject({ code: 'ERR_STORAGE_STALLED', message: expect.stringContaining('stood still') });
      bench.proxy.set({});
      await writer.abort();
      expect(Date.now() - started).toBeLessThan(10_000);
      expect(await bench.unfinishedUploads()).toBe(0);
    });

    it('recovers from one stalled socket', async () => {
      await bench.storage.close();
      bench.storage = bench.open({ checksum }, { s3: { ...quickRetry, stallTimeoutMs: 400 } });
      bench.proxy.set({ direction: 'to-server', blackholeAfter: 2 * MIB, strikes: 1 });
      await writeChunked(bench.storage, 'archive', big);
      expect(sha256(await readBytes(bench.storage, 'archive'))).toBe(sha256(big));
    });
  });

  async function writeWhole(writing: Storage, bytes: Buffer): Promise<void> {
    const writer = await writing.create('archive', { onlyIfAbsent: true });
    await writer.write(bytes);
    await writer.commit().catch(async (error: unknown) => {
      await writer.abort();
      throw error;
    });
  }
});
