/** Restores side by side: bare `pg_restore`, and the built action from a directory and from S3, plain and encrypted. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { type AuditFinished, parseAuditKey } from '../src/domain/audit.ts';
import { formatBytes } from '../src/domain/words.ts';
import { openBucket } from '../test/support/bucket.ts';
import type { PostgresServer } from '../test/support/postgres-server.ts';
import { filesBelow } from '../test/support/workflow-commands.ts';
import { type Bench, databaseUrl, libpqEnv, runBuilt, type Source } from './contenders.ts';
import { type Measured, measure, median } from './measure.ts';

/** As many as the action takes by default. */
const JOBS = availableParallelism();
const FLOOR_DATABASE = 'restored_by_the_floor';
const BUCKET = 'restores';

/** Seconds. */
export interface RestoreTimes {
  name: string;
  /** Of the whole process. */
  total: number;
  /** Fetching, checking and decrypting. */
  fetch: number;
  /** `pg_restore`, indexes included. */
  restore: number;
  analyze: number;
  prove: number;
  peakRssBytes: number;
}

export interface RestoreSection {
  title: string;
  jobs: number;
  /** Bare `pg_restore` of the same archive. */
  floor: number;
  /** Plain COPY of every table by psql, as many at once as there are jobs: what any proof reads. */
  reading: number;
  rows: RestoreTimes[];
}

/** A backup that lies somewhere, and how it is found and opened. */
interface Place {
  name: string;
  inputs: Record<string, string>;
  /** The newest record of a restore. */
  audit(): Promise<AuditFinished>;
}

/** Backs `source` up into every place, then restores it from each of them in turn, into the server it came from. */
export async function raceRestores(
  bench: Bench,
  server: PostgresServer,
  { source, title, rounds }: { source: Source; title: string; rounds: number },
): Promise<RestoreSection> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-restore-'));
  try {
    const places = await backUpEverywhere(bench, folder, source);
    const archive = filesBelow(join(folder, 'plain')).find((file) => file.endsWith('database.backup'));
    if (archive === undefined) throw new Error('the plain backup has no archive');
    const floors: Measured[] = [];
    const readings: Measured[] = [];
    const runs = new Map<string, RestoreTimes[]>(places.map(({ name }) => [name, []]));
    for (let round = 1; round <= rounds; round += 1) {
      const { restoring, reading } = await bare(bench, server, source, join(folder, 'plain', archive));
      floors.push(restoring);
      readings.push(reading);
      tell(`${round}/${rounds} floor: pg_restore -j${JOBS}`, restoring);
      tell(`${round}/${rounds} floor: reading by psql`, reading);
      for (const place of places) {
        const times = await restore(bench, server, source, place);
        runs.get(place.name)?.push(times);
        console.log(`  ${round}/${rounds} ${inWords(times)}`);
      }
    }
    return {
      title,
      jobs: JOBS,
      floor: median(floors.map(({ seconds }) => seconds)),
      reading: median(readings.map(({ seconds }) => seconds)),
      rows: places.map(({ name }) => medians(name, runs.get(name) ?? [])),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function backUpEverywhere(bench: Bench, folder: string, source: Source): Promise<Place[]> {
  const identity = await generateIdentity();
  const recipient = await identityToRecipient(identity);
  await bench.s3.createBucket(BUCKET);
  const [plain, encrypted] = [join(folder, 'plain'), join(folder, 'encrypted')];
  const s3 = bench.s3.storageUri(BUCKET, 'ours');
  const places: (Place & { how: Record<string, string> })[] = [
    {
      name: 'ours: from a directory',
      inputs: { storage: plain },
      how: { encryption: 'none' },
      audit: () => newestAudit(filesBelow(plain), (key) => readFile(join(plain, key))),
    },
    {
      name: 'ours: from a directory, encrypted',
      inputs: { storage: encrypted, 'age-identity': identity },
      how: { 'age-recipients': recipient },
      audit: () => newestAudit(filesBelow(encrypted), (key) => readFile(join(encrypted, key))),
    },
    {
      name: 'ours: from S3, encrypted',
      inputs: { storage: s3, 'age-identity': identity },
      how: { 'age-recipients': recipient },
      audit: async () => {
        const bucket = openBucket(bench.s3, BUCKET);
        try {
          const keys = (await bucket.keys()).map((key) => key.replace(/^ours\//, ''));
          return await newestAudit(keys, (key) => bucket.read(`ours/${key}`));
        } finally {
          bucket.close();
        }
      },
    },
  ];
  const common = { 'database-url': databaseUrl(source), 'accept-new-source': 'true', globals: 'false' };
  for (const { name, inputs, how } of places) {
    tell(`backed up for ${name}`, await runBuilt(bench, { ...common, storage: inputs.storage ?? '', ...how }));
  }
  return places;
}

async function newestAudit(keys: readonly string[], read: (key: string) => Promise<Buffer>): Promise<AuditFinished> {
  const records = keys.filter((key) => parseAuditKey(key)?.part === 'finished');
  const documents = await Promise.all(
    records.map(async (key) => JSON.parse((await read(key)).toString('utf8')) as AuditFinished),
  );
  const newest = documents.sort((one, other) => one.finishedAt.localeCompare(other.finishedAt)).at(-1);
  if (newest === undefined) throw new Error('the restore left no audit record');
  return newest;
}

/** The floors, in a database that is made and dropped outside of the measured time. */
async function bare(bench: Bench, server: PostgresServer, source: Source, archive: string) {
  await server.createDatabase(FLOOR_DATABASE, 'TEMPLATE template0');
  try {
    const env = libpqEnv({ ...source, database: FLOOR_DATABASE });
    await server.query('CHECKPOINT');
    const args = [`--jobs=${JOBS}`, '--exit-on-error', `--dbname=${FLOOR_DATABASE}`, archive];
    const restoring = await measure(bench.clients.pgRestore, args, env);
    // Largest first, as the proof reads them.
    const tables = await server.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, relname) AS name FROM pg_stat_user_tables ORDER BY pg_table_size(relid) DESC`,
      FLOOR_DATABASE,
    );
    const script = `printf '%s\\n' "$@" | xargs -P ${JOBS} -I{} "$0" --no-psqlrc --quiet --command='COPY {} TO STDOUT' > /dev/null`;
    const reading = await measure('sh', ['-c', script, bench.clients.psql, ...tables.map(({ name }) => name)], env);
    return { restoring, reading };
  } finally {
    await server.query(`DROP DATABASE "${FLOOR_DATABASE}"`);
  }
}

async function restore(bench: Bench, server: PostgresServer, source: Source, place: Place): Promise<RestoreTimes> {
  await server.query('CHECKPOINT');
  const inputs = { command: 'restore', 'target-database-url': databaseUrl(source), ...place.inputs };
  const { seconds, peakRssBytes } = await runBuilt(bench, inputs);
  const { target, timings, verdict } = await place.audit();
  await server.query(`DROP DATABASE "${target.database}" WITH (FORCE)`);
  if (verdict !== 'passed') throw new Error(`${place.name}: the restore is ${verdict}`);
  const of = (...phases: string[]): number =>
    timings.phases.filter(({ phase }) => phases.includes(phase)).reduce((sum, phase) => sum + phase.seconds, 0);
  return {
    name: place.name,
    total: seconds,
    fetch: of('fetch', 'decrypt'),
    restore: of('restore', 'index'),
    analyze: of('analyze'),
    prove: of('prove'),
    peakRssBytes,
  };
}

function medians(name: string, runs: readonly RestoreTimes[]): RestoreTimes {
  const of = (what: (run: RestoreTimes) => number): number => median(runs.map(what));
  return {
    name,
    total: of(({ total }) => total),
    fetch: of(({ fetch }) => fetch),
    restore: of(({ restore }) => restore),
    analyze: of(({ analyze }) => analyze),
    prove: of(({ prove }) => prove),
    peakRssBytes: Math.max(...runs.map(({ peakRssBytes }) => peakRssBytes)),
  };
}

function tell(what: string, { seconds }: Measured): void {
  console.log(`  ${what}: ${seconds.toFixed(2)} s`);
}

function inWords({ name, total, fetch, restore, analyze, prove, peakRssBytes }: RestoreTimes): string {
  const phases = Object.entries({ fetch, restore, analyze, prove }).map(
    ([phase, each]) => `${phase} ${each.toFixed(2)}`,
  );
  return `${name}: ${total.toFixed(2)} s (${phases.join(', ')}), peak RSS ${formatBytes(peakRssBytes)}`;
}
