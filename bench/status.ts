/** How long a status of many sets takes, what it asks the storage, and what it holds in memory. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { formatBytes, formatCount } from '../src/domain/words.ts';
import { inParallel } from '../src/runner/in-parallel.ts';
import { startActionsCache } from '../test/support/actions-cache.ts';
import { setObjects } from '../test/support/made-up-sets.ts';
import { idOf } from '../test/support/prune-bench.ts';
import { clientOf } from '../test/support/s3-client.ts';
import { startGateway } from '../test/support/s3-gateway.ts';
import { type S3Server, startVersitygw } from '../test/support/s3-servers.ts';
import { measure } from './measure.ts';

const HOUR_MS = 3_600_000;
const BUCKET = 'status';
const LANES = 16;

export interface StatusRow {
  name: string;
  seconds: number;
  /** Of the storage. */
  requests: number;
  peakRssBytes: number;
}

/** Hourly sets, looked at by the built action: for the first time, and again with what its cache has kept. */
export async function raceStatus(sets: number, entry: string): Promise<StatusRow[]> {
  await using resources = new AsyncDisposableStack();
  const server = await startVersitygw();
  resources.defer(() => server.stop());
  await server.createBucket(BUCKET);
  const root = join(server.dataFolder, BUCKET, 'team');
  await fill(root, server, sets);
  const gateway = await startGateway(server);
  resources.defer(() => gateway.close());
  const cache = await startActionsCache();
  resources.defer(() => cache.stop());
  const temp = await mkdtemp(join(tmpdir(), 'bench-status-'));
  resources.defer(() => rm(temp, { recursive: true, force: true }));
  const env = {
    ...{ ...server.env, ...cache.env, PATH: process.env.PATH ?? '', RUNNER_TEMP: temp },
    ...{ INPUT_COMMAND: 'status', 'INPUT_ISSUE-ON-FAILURE': 'false', 'INPUT_FAIL-ON': 'never' },
    INPUT_STORAGE: server.storageUri(BUCKET, 'team', { endpoint: gateway.endpoint }),
  };
  const rows: StatusRow[] = [];
  for (const name of ['cold: nothing is kept yet', 'warm: manifests come from the cache']) {
    gateway.requests.length = 0;
    const { seconds, peakRssBytes } = await measure(process.execPath, [entry], env);
    rows.push({ name, seconds, peakRssBytes, requests: gateway.requests.length });
    console.log(
      `  ${name}: ${seconds.toFixed(2)} s, ${gateway.requests.length} requests, ${formatBytes(peakRssBytes)}`,
    );
  }
  return rows;
}

/** Straight into the server's folder, but for manifests: what did not come through the server has no ETag. */
async function fill(root: string, server: S3Server, sets: number): Promise<void> {
  const client = clientOf(server);
  const ids = Array.from({ length: sets }, (_, hours) =>
    idOf({ at: new Date(Date.now() - (hours + 1) * HOUR_MS).toISOString() }),
  );
  await inParallel(ids, LANES, async (id) => {
    mkdirSync(join(root, 'shop', id), { recursive: true });
    for (const [key, text] of setObjects(id, {})) {
      if (!key.endsWith('/metadata.json')) writeFileSync(join(root, key), text);
      else await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: `team/${key}`, Body: text }));
    }
  });
  client.destroy();
}

export function renderStatus(rows: readonly StatusRow[], { sets, machine }: { sets: number; machine: string }): string {
  return [
    `${formatCount(sets)} sets of five objects in one bucket of versitygw, one run each. ${machine}.`,
    '',
    '| | time | requests | requests per 1,000 sets | peak RSS of the Node process |',
    '|---|---|---|---|---|',
    ...rows.map(
      ({ name, seconds, requests, peakRssBytes }) =>
        `| ${name} | ${seconds.toFixed(2)} s | ${formatCount(requests)} | ${((requests / sets) * 1000).toFixed(1)} | ${formatBytes(peakRssBytes)} |`,
    ),
  ].join('\n');
}
