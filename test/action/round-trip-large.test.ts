/** Two gigabytes to a real S3 server and back by RESTORE.md: for a quiet machine, some minutes and 10 GB of disk. */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import { newBucket } from '../support/bucket.ts';
import { loadBulk } from '../support/databases/index.ts';
import { backUp, expectSameContent, expectSameSchema, restore, setRoundTripStage } from '../support/round-trip.ts';
import { startVersitygw } from '../support/s3-servers.ts';
import { stockTools } from '../support/stock-tools.ts';

const BYTES = 2_000_000_000;
const MOST_RSS_BYTES = 250_000_000;
const MINUTES = 60_000;
const SAMPLE_MS = 50;

const wanted = process.env.SLOW === '1';

/** The kernel's high-water mark of a living process. */
function peakRss(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

describeWith(wanted ? await stockTools() : { skipped: 'set SLOW=1' }, 'A database of 2 GB', ({ clients, age, aws }) => {
  test(
    'goes to S3 encrypted in constant memory, and comes back equal with stock tools alone',
    async () => {
      await using resources = new AsyncDisposableStack();
      const stage = await setRoundTripStage(clients);
      resources.defer(() => stage.stop());
      await loadBulk(stage.source, 'bulk', BYTES);
      const server = await startVersitygw();
      resources.defer(() => server.stop());
      const bucket = await newBucket(server, 'backups');
      resources.defer(() => bucket.close());
      const identity = await generateIdentity();
      const recipient = await identityToRecipient(identity);

      let peak = 0;
      const run = await backUp(stage, 'bulk', {
        inputs: { storage: server.storageUri('backups'), encryption: '', 'age-recipients': recipient },
        env: server.env,
        timeoutMs: 5 * MINUTES,
        onStart: ({ pid }) => {
          const timer = setInterval(() => {
            try {
              peak = Math.max(peak, peakRss(pid));
            } catch {
              clearInterval(timer);
            }
          }, SAMPLE_MS);
        },
      });
      console.log(`backed up in ${run.seconds.toFixed(1)} s, peak RSS ${Math.round(peak / 1e6)} MB`);
      expect(peak).toBeGreaterThan(0);
      expect(peak).toBeLessThanOrEqual(MOST_RSS_BYTES);

      const guide = await bucket.read(`bulk/${run.outputs['backup-id']}/RESTORE.md`);
      const keyFile = path.join(stage.folder, 'identity.txt');
      await writeFile(keyFile, `${identity}\n`, { mode: 0o600 });
      const restored = await restore(stage, guide.toString('utf8'), 'bulk', {
        programs: [aws.path, age.age],
        env: { ...server.env, AGE_IDENTITY_FILE: keyFile },
        timeoutMs: 10 * MINUTES,
      });
      expect(restored.contents.tables.reduce((sum, { bytes }) => sum + bytes, 0)).toBeGreaterThan(0.9 * BYTES);
      await expectSameContent({ server: stage.source, database: 'bulk', clients }, restored);
      await expectSameSchema(restored);
    },
    30 * MINUTES,
  );
});
