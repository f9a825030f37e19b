/** Two gigabytes to a real S3 server and back by RESTORE.md: for a quiet machine, some minutes and 10 GB of disk. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import { newBucket } from '../support/bucket.ts';
import { clientTools } from '../support/clients.ts';
import { loadBulk } from '../support/databases/index.ts';
import { peakMemory } from '../support/peak-memory.ts';
import { backUp, expectSameContent, expectSameSchema, restore, setRoundTripStage } from '../support/round-trip.ts';
import { startVersitygw } from '../support/s3-servers.ts';
import { stockTools } from '../support/stock-tools.ts';

const BYTES = 2_000_000_000;
const MOST_RSS_BYTES = 250_000_000;
const MINUTES = 60_000;

const wanted = process.env.SLOW === '1';

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

      const memory = peakMemory();
      const run = await backUp(stage, 'bulk', {
        inputs: { storage: server.storageUri('backups'), encryption: '', 'age-recipients': recipient },
        env: server.env,
        timeoutMs: 5 * MINUTES,
        onStart: memory.watch,
      });
      console.log(`backed up in ${run.seconds.toFixed(1)} s, peak RSS ${Math.round(memory.bytes() / 1e6)} MB`);
      expect(memory.bytes()).toBeGreaterThan(0);
      expect(memory.bytes()).toBeLessThanOrEqual(MOST_RSS_BYTES);

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

describeWith(wanted ? await clientTools(17) : { skipped: 'set SLOW=1' }, 'A database of 10,000 tables', (clients) => {
  test(
    'is backed up in the same memory',
    async () => {
      await using resources = new AsyncDisposableStack();
      const stage = await setRoundTripStage(clients, { settings: { max_locks_per_transaction: '256' } });
      resources.defer(() => stage.stop());
      await stage.source.createDatabase('many');
      for (let table = 0; table < 10_000; table += 500) {
        await stage.source.query(
          `DO $$ BEGIN FOR n IN ${table}..${table + 499} LOOP
             EXECUTE format('CREATE TABLE t_%s (id bigint PRIMARY KEY, name text NOT NULL, created_at timestamptz DEFAULT now(), note text)', n);
             EXECUTE format('INSERT INTO t_%s (id, name) VALUES (1, ''x'')', n);
           END LOOP; END $$`,
          'many',
        );
      }
      const memory = peakMemory();
      await backUp(stage, 'many', { timeoutMs: 5 * MINUTES, onStart: memory.watch });
      console.log(`peak RSS ${Math.round(memory.bytes() / 1e6)} MB`);
      expect(memory.bytes()).toBeGreaterThan(0);
      expect(memory.bytes()).toBeLessThanOrEqual(MOST_RSS_BYTES);
    },
    30 * MINUTES,
  );
});
