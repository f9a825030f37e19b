/**
 * The benchmark: everything side by side in one run, on one machine, against a real Postgres and a real S3 server.
 * `npm run bench` writes its tables into docs/performance.md; `npm run bench -- --quick` is a small trial that writes
 * nothing; `--restore` measures restores alone, `--status` the status of many sets,
 * `--check` health checks.
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { formatBytes } from '../src/domain/words.ts';
import { makeToolCache } from '../test/support/client-shims.ts';
import { requireClientTools } from '../test/support/clients.ts';
import { loadBulk } from '../test/support/databases/index.ts';
import { startFaultProxy } from '../test/support/fault-proxy.ts';
import { type PostgresServer, startPostgres } from '../test/support/postgres-server.ts';
import { startVersitygw } from '../test/support/s3-servers.ts';
import { awsCommandLine } from './aws-cli.ts';
import { raceChecks, renderChecks } from './check.ts';
import {
  type Bench,
  type Contender,
  floor,
  proven,
  provenAndEncrypted,
  provenByMd5,
  provenTwice,
  recipe,
  type Source,
} from './contenders.ts';
import { type Measured, measure, median } from './measure.ts';
import { renderReport, renderRestores, type Section } from './report.ts';
import { raceRestores } from './restore.ts';
import { raceStatus, renderStatus } from './status.ts';

const ROOT = join(import.meta.dirname, '..');
const MAJOR = 17;
const ROUNDS = 3;
const LIMITED_BYTES_PER_SECOND = 60_000_000;
const quick = process.argv.includes('--quick');
const restoresAlone = process.argv.includes('--restore');
const statusAlone = process.argv.includes('--status');
const sets = quick ? 1_000 : 10_000;
const checksAlone = process.argv.includes('--check');
const largeBytes = quick ? 200_000_000 : 2_000_000_000;
const smallBytes = quick ? 50_000_000 : 200_000_000;

/** Contenders take turns within a round, so that a noisy minute strikes all of them. */
async function race(bench: Bench, source: Source, contenders: readonly Contender[]): Promise<Section['rows']> {
  const results = new Map<string, Measured[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const contender of contenders) {
      const measured = await contender.run(bench, source);
      results.get(contender.name)?.push(measured);
      console.log(
        `  ${round}/${ROUNDS} ${contender.name}: ${measured.seconds.toFixed(2)} s, peak RSS ${formatBytes(measured.peakRssBytes)}`,
      );
    }
  }
  return contenders.map(({ name }) => {
    const runs = results.get(name) ?? [];
    return {
      name,
      seconds: median(runs.map((run) => run.seconds)),
      joiningSeconds: median(runs.map(({ stdout }) => joiningSeconds(stdout))),
      peakRssBytes: Math.max(...runs.map((run) => run.peakRssBytes)),
    };
  });
}

/** What the S3 server needed to copy the parts of a finished upload together, as the action says it; 0 when it does not. */
function joiningSeconds(log: string): number {
  return Number(/The storage took ([\d.]+) s to join/.exec(log)?.[1] ?? 0);
}

/** From the start of the process to its first line of output, with inputs that are refused before any I/O. */
async function startUp(bench: Bench): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < 7; round += 1) {
    const script = `const { spawn } = require('node:child_process'); const t = performance.now();
      const c = spawn(process.execPath, [${JSON.stringify(bench.entry)}], { env: { INPUT_COMMAND: 'none' } });
      c.stdout.once('data', () => console.log(performance.now() - t));`;
    times.push(Number((await measure(bench.node, ['-e', script], { PATH: process.env.PATH ?? '' })).stdout));
  }
  return median(times);
}

async function main(): Promise<void> {
  await using resources = new AsyncDisposableStack();
  const server = await startPostgres({ major: MAJOR });
  resources.defer(() => server.stop());
  const s3 = await startVersitygw();
  resources.defer(() => s3.stop());
  await s3.createBucket('bench');
  for (const [database, bytes] of [
    ...(restoresAlone || checksAlone ? [] : [['small', smallBytes] as const]),
    ...(checksAlone ? [] : [['large', largeBytes] as const]),
  ]) {
    console.log(`Filling database ${database} with ${formatBytes(bytes)} of rows`);
    await loadBulk(server, database, bytes);
  }
  const aws = restoresAlone || checksAlone ? { skipped: 'not asked for' } : await awsCommandLine();
  if ('skipped' in aws) console.log(`Skipped: the recipe (${aws.skipped})`);
  const clients = await requireClientTools(MAJOR);
  const tools = await makeToolCache(clients);
  resources.defer(() => tools.remove());
  const bench: Bench = {
    clients,
    toolCache: tools.folder,
    s3,
    bucket: 'bench',
    entry: join(ROOT, 'dist', 'index.js'),
    node: process.execPath,
    recipient: await identityToRecipient(await generateIdentity()),
    ...('skipped' in aws ? {} : { aws: aws.path }),
  };
  const version = (await promisify(execFile)(clients.pgDump, ['--version'])).stdout.trim();
  const machine = `${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${formatBytes(totalmem())} memory, Node ${process.version}, Postgres ${version}`;
  if (!restoresAlone) {
    const checks = await raceChecks(bench, server, ROUNDS);
    await publish('bench-check', renderChecks(checks, { machine, rounds: ROUNDS }));
  }
  if (checksAlone) return;
  if (!restoresAlone) {
    const skipped = 'skipped' in aws ? [`recipe: ${aws.skipped}`] : [];
    const sections = await raceBackups(bench, server);
    const startUpMilliseconds = await startUp(bench);
    await publish('bench', renderReport({ sections, startUpMilliseconds, machine, rounds: ROUNDS, skipped }));
  }
  const title = `Restored on one machine, ${formatBytes(largeBytes)} of rows`;
  console.log(title);
  const restores = await raceRestores(bench, server, { source: sourceOf(server, 'large'), title, rounds: ROUNDS });
  await publish('bench-restore', renderRestores(restores, { machine, rounds: ROUNDS }));
}

function sourceOf({ host, port, superuser }: PostgresServer, database: string): Source {
  return { host, port, database, user: superuser };
}

async function raceBackups(bench: Bench, server: PostgresServer): Promise<Section[]> {
  await using resources = new AsyncDisposableStack();
  const direct = sourceOf(server, 'large');
  const proxy = await startFaultProxy(
    { host: server.host, port: server.port },
    { bytesPerSecond: LIMITED_BYTES_PER_SECOND },
  );
  resources.defer(() => proxy.close());
  const behind: Source = { ...direct, host: proxy.host, port: proxy.port };
  const local = [
    floor('zstd:1'),
    floor('zstd:3'),
    ...(bench.aws === undefined ? [] : [recipe]),
    proven,
    provenByMd5,
    provenAndEncrypted,
    provenTwice,
  ];
  const sections: Section[] = [];
  const add = async (title: string, source: Source, contenders: readonly Contender[]): Promise<void> => {
    console.log(title);
    sections.push({ title, rows: await race(bench, source, contenders) });
  };
  await add(`All on one machine, ${formatBytes(largeBytes)} of rows`, direct, local);
  await add(`Database behind ${LIMITED_BYTES_PER_SECOND / 1e6} MB/s, ${formatBytes(largeBytes)} of rows`, behind, [
    floor('zstd:1'),
    proven,
    provenAndEncrypted,
  ]);
  await add(`All on one machine, ${formatBytes(smallBytes)} of rows`, { ...direct, database: 'small' }, [
    floor('zstd:1'),
    proven,
    provenAndEncrypted,
  ]);
  return sections;
}

/** Prints a report and, unless this is a trial, writes it between its own markers of docs/performance.md. */
async function publish(marker: string, report: string): Promise<void> {
  console.log(`\n${report}`);
  if (quick) return;
  const file = join(ROOT, 'docs', 'performance.md');
  const text = await readFile(file, 'utf8');
  const marked = new RegExp(`(<!-- ${marker}:start -->\n)[\\s\\S]*(<!-- ${marker}:end -->)`);
  if (!marked.test(text)) throw new Error(`${file} has no markers ${marker}`);
  await writeFile(
    file,
    text.replace(marked, (_all, start: string, end: string) => `${start}${report}\n${end}`),
  );
}

/** Needs no Postgres. */
async function benchStatus(): Promise<void> {
  console.log(`Status of ${sets} sets`);
  const rows = await raceStatus(sets, join(ROOT, 'dist', 'index.js'));
  const machine = `${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${formatBytes(totalmem())} memory, Node ${process.version}`;
  await publish('bench-status', renderStatus(rows, { sets, machine }));
}

await (statusAlone ? benchStatus() : main());
