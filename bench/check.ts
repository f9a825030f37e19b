/** A health check of a database with many tables, by the built action: how long it takes, and in how much memory. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatBytes } from '../src/domain/words.ts';
import type { PostgresServer } from '../test/support/postgres-server.ts';
import { type Bench, databaseUrl, runBuilt } from './contenders.ts';
import { median } from './measure.ts';

const TABLES = 2_000;
/** What the project promises. */
const MOST_SECONDS = 10;
const MOST_BYTES = 150_000_000;

export interface CheckTimes {
  tables: number;
  rows: { name: string; seconds: number; peakRssBytes: number }[];
}

/** Each table with a sequence, two indexes and a foreign key to the one before it. */
export async function raceChecks(bench: Bench, server: PostgresServer, rounds: number): Promise<CheckTimes> {
  await server.createDatabase('many');
  for (let from = 0; from < TABLES; from += 100) {
    const tables = Array.from({ length: 100 }, (_, index) => tableSql(from + index));
    await server.query(tables.join('\n'), 'many');
  }
  const url = databaseUrl({ host: server.host, port: server.port, user: server.superuser, database: 'many' });
  const folder = await mkdtemp(join(tmpdir(), 'bench-check-'));
  const common = { command: 'check', 'database-url': url, checks: 'durability=off, checksums=off' };
  const kinds: [name: string, inputs: Record<string, string>][] = [
    ['ours: check', common],
    [
      'ours: check, with every table counted, orphans looked for and objects listed',
      {
        ...common,
        'critical-tables': 'public.t*',
        'orphan-checks': 'auto',
        'report-path': '/tmp/bench-check/check.md',
      },
    ],
  ];
  const rows: CheckTimes['rows'] = [];
  for (const [name, inputs] of kinds) {
    const runs = [];
    for (let round = 1; round <= rounds; round += 1) {
      const measured = await runBuilt(bench, inputs);
      runs.push(measured);
      console.log(
        `  ${round}/${rounds} ${name}: ${measured.seconds.toFixed(2)} s, peak RSS ${formatBytes(measured.peakRssBytes)}`,
      );
    }
    rows.push({
      name,
      seconds: median(runs.map((run) => run.seconds)),
      peakRssBytes: Math.max(...runs.map((run) => run.peakRssBytes)),
    });
  }
  await rm(folder, { recursive: true, force: true });
  return { tables: TABLES, rows };
}

function tableSql(number: number): string {
  const parent = number === 0 ? '' : `, parent bigint REFERENCES t${number - 1}`;
  return `CREATE TABLE t${number} (id bigserial PRIMARY KEY, name text, at timestamptz DEFAULT now()${parent}); CREATE INDEX ON t${number} (name); INSERT INTO t${number} (name) VALUES ('a');`;
}

export function renderChecks(
  { tables, rows }: CheckTimes,
  { machine, rounds }: { machine: string; rounds: number },
): string {
  const promised = ({ seconds, peakRssBytes }: CheckTimes['rows'][number]): string =>
    seconds <= MOST_SECONDS && peakRssBytes <= MOST_BYTES ? 'yes' : '**no**';
  return [
    `Medians of ${rounds} rounds. ${machine}.`,
    '',
    `### A check of ${tables.toLocaleString('en-US')} tables on one machine`,
    '',
    `| | median | peak RSS of the Node process | within ${MOST_SECONDS} s and ${formatBytes(MOST_BYTES)} |`,
    '|---|---|---|---|',
    ...rows.map(
      (row) => `| ${row.name} | ${row.seconds.toFixed(2)} s | ${formatBytes(row.peakRssBytes)} | ${promised(row)} |`,
    ),
  ].join('\n');
}
