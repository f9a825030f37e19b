/** What a slow network costs in memory. */
import { randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { describeS3Faults } from '../support/s3-fault-bench.ts';
import { MIB } from '../support/storage-bench.ts';

describeS3Faults((bench) => {
  it('keeps memory bounded when the network is slower than the writer', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const chunk = randomBytes(MIB);
    bench.proxy.set({ bytesPerSecond: 60 * MIB });
    collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    let peak = 0;
    const writer = await bench.storage.create('archive');
    for (let written = 0; written < 200; written++) {
      await writer.write(chunk);
      if (written % 10 !== 0) continue;
      collectGarbage();
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
    }
    await writer.commit();
    // Five parts of 5 MiB, and what the proxy in this process holds.
    expect(peak).toBeLessThan(5 * 5 * MIB + 30 * MIB);
  });
});
