/** What breaks between a bucket and here during a read. The server is real; a proxy in front of it breaks the way. */
import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { readBytes } from '../../src/storage/write-object.ts';
import { describeS3Faults, failure } from '../support/s3-fault-bench.ts';
import { MIB, quickRetry, sha256, writeChunked } from '../support/storage-bench.ts';

describeS3Faults((bench) => {
  describe('reading', () => {
    const bytes = randomBytes(9 * MIB);
    beforeEach(async () => {
      await writeChunked(bench.storage, 'archive', bytes);
      await bench.storage.close();
      bench.storage = bench.open({}, { s3: { ...quickRetry, stallTimeoutMs: 400 } });
    });

    it.each([
      ['a reset', { resetAfter: 3 * MIB }],
      ['an early end', { finAfter: 3 * MIB }],
      ['a stalled socket', { blackholeAfter: 3 * MIB }],
    ])('goes on where it was after %s', async (_what, fault) => {
      bench.proxy.set({ direction: 'to-client', strikes: 2, ...fault });
      expect(sha256(await readBytes(bench.storage, 'archive'))).toBe(sha256(bytes));
      expect(bench.proxy.counts.struck).toBe(2);
    });

    it('gives up with a code when nothing more comes', async () => {
      bench.proxy.set({ direction: 'to-client', blackholeAfter: 0 });
      expect(await failure(readBytes(bench.storage, 'archive'))).toMatchObject({ code: 'ERR_STORAGE_STALLED' });
    });

    it('waits for a slow reader', async () => {
      let read = 0;
      for await (const chunk of await bench.storage.get('archive')) {
        if (read === 0) await new Promise((resolve) => setTimeout(resolve, 1_500));
        read += (chunk as Buffer).byteLength;
      }
      expect(read).toBe(bytes.byteLength);
    });
  });
});
