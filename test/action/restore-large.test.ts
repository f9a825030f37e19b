/** Two gigabytes brought back by each strategy and drilled: for a quiet machine, some minutes and 20 GB of disk. */
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import { type Bucket, newBucket } from '../support/bucket.ts';
import { clientTools } from '../support/clients.ts';
import { loadBulk } from '../support/databases/index.ts';
import { peakMemory } from '../support/peak-memory.ts';
import { backUp, type RoundTripStage, setRoundTripStage } from '../support/round-trip.ts';
import { type ActionResult, runAction } from '../support/run-action.ts';
import { availableS3Servers, type S3Server, startVersitygw } from '../support/s3-servers.ts';

/** Smaller only to try the test itself. */
const BYTES = Number(process.env.RESTORE_BYTES ?? 2_000_000_000);
const MOST_RSS_BYTES = 250_000_000;
const MINUTES = 60_000;
const ROWS = 'SELECT count(*) AS rows, sum(hashtext(body)::bigint) AS hash FROM messages WHERE id % 97 = 0';

async function needs() {
  if (process.env.SLOW !== '1') return { skipped: 'set SLOW=1' };
  const [clients, [versitygw]] = [await clientTools(17), await availableS3Servers()];
  if ('skipped' in clients) return clients;
  if (versitygw?.available !== true) return { skipped: versitygw?.reason ?? 'no versitygw' };
  return { clients };
}

describeWith(await needs(), 'An encrypted backup of 2 GB', ({ clients }) => {
  let stage: RoundTripStage;
  let s3: S3Server;
  let bucket: Bucket;
  let identity: string;
  let content: unknown;

  beforeAll(async () => {
    [stage, s3, identity] = await Promise.all([setRoundTripStage(clients), startVersitygw(), generateIdentity()]);
    bucket = await newBucket(s3, 'backups');
    await loadBulk(stage.source, 'bulk', BYTES);
    content = await stage.source.query(ROWS, 'bulk');
    const inputs = { encryption: '', 'age-recipients': await identityToRecipient(identity) };
    for (const storage of places()) {
      await backUp(stage, 'bulk', { inputs: { ...inputs, storage }, env: s3.env, timeoutMs: 10 * MINUTES });
    }
  }, 30 * MINUTES);

  afterAll(async () => {
    bucket?.close();
    await Promise.all([stage?.stop(), s3?.stop()]);
  });

  const places = (): [string, string] => [stage.storage, s3.storageUri('backups')];

  /** Runs in the memory that it may take. */
  async function run(storage: string, inputs: Record<string, string>): Promise<ActionResult> {
    const memory = peakMemory();
    const result = await runAction({
      // The safety backups are a series of their own beside it.
      inputs: { storage, name: 'bulk', 'age-identity': identity, ...inputs },
      env: { ...s3.env, HOME: stage.folder, RUNNER_TOOL_CACHE: stage.tools.folder },
      runner: 'self-hosted',
      timeoutMs: 15 * MINUTES,
      onStart: memory.watch,
    });
    const peak = memory.bytes();
    const what = `${inputs.command} ${inputs.strategy ?? ''} from ${storage.split(':')[0]}`;
    console.log(`${what}: ${result.seconds.toFixed(1)} s, peak RSS ${Math.round(peak / 1e6)} MB`);
    expect(result.exitCode, result.maskedLog).toBe(0);
    expect(result.outputs.verdict).toBe('passed');
    expect(peak).toBeGreaterThan(0);
    expect(peak).toBeLessThanOrEqual(MOST_RSS_BYTES);
    expect(result.filesLeftBehind).toEqual([]);
    return result;
  }

  /** A database whose content is another one, so that a restore that did nothing would be seen. */
  async function emptied(name: string): Promise<void> {
    await stage.target.createDatabase(name);
    await stage.target.query(
      "CREATE TABLE messages (id bigint, body text); INSERT INTO messages VALUES (97, 'old')",
      name,
    );
  }

  const databases = async (): Promise<string[]> => {
    const sql =
      "SELECT datname FROM pg_database WHERE datname NOT LIKE 'template%' AND datname <> 'postgres' ORDER BY 1";
    return (await stage.target.query<{ datname: string }>(sql)).map(({ datname }) => datname);
  };

  test.each([
    ['a directory', 0],
    ['S3', 1],
  ] as const)(
    'is restored from %s by each strategy and drilled, proven and in constant memory',
    async (_place, at) => {
      const storage = places()[at];
      const { target } = stage;
      const drop = (name: string) => target.query(`DROP DATABASE "${name}" WITH (FORCE)`);

      await emptied('live');
      const to = { 'target-database-url': target.uri('live') };
      const beside = await run(storage, { command: 'restore', ...to });
      const restored = beside.outputs['restored-database'] ?? '';
      expect(await target.query(ROWS, restored)).toEqual(content);
      expect(await databases()).toEqual(['live', restored]);
      await drop(restored);

      const swapped = await run(storage, { command: 'restore', strategy: 'swap', ...to });
      expect(swapped.outputs['restored-database']).toBe('live');
      expect(await target.query(ROWS, 'live')).toEqual(content);
      const [former = '', ...others] = (await databases()).filter((name) => name !== 'live');
      expect(others).toEqual([]);
      expect(await target.query('SELECT body FROM messages', former)).toEqual([{ body: 'old' }]);
      await drop(former);

      // Another content of the same size: the safety backup is one of 2 GB, too.
      await target.query('DELETE FROM messages WHERE id % 97 = 0', 'live');
      const confirm = `${target.host}:${target.port}/live`;
      await run(storage, { command: 'restore', strategy: 'in-place', confirm, reason: 'a test', ...to });
      expect(await target.query(ROWS, 'live')).toEqual(content);
      expect(await databases()).toEqual(['live']);
      await drop('live');

      await target.createDatabase('drill');
      await run(storage, { command: 'drill', 'target-database-url': target.uri('drill') });
      for (const name of await databases()) await drop(name);
    },
    60 * MINUTES,
  );
});
