/** `pg_dump` and `pg_dumpall` as streams: arguments are pure, processes are tied to a signal. */
import { type Compression, compressArgument } from '../domain/compression.ts';
import { dumpFailure } from '../domain/dump-messages.ts';
import { BackupError } from '../domain/errors.ts';
import type { Scope } from '../domain/scope.ts';
import { type RunningProcess, startProcess } from '../runner/process.ts';
import type { ClientTools } from './client-tools.ts';

export interface DumpOptions {
  major: number;
  /** From `pg_export_snapshot()`. */
  snapshotId: string;
  scope: Scope;
  compression: Required<Compression>;
  /** Of the archive's text: the database's own, whatever PGCLIENTENCODING says. */
  encoding: string;
  lockTimeoutSeconds: number;
  /** False on a standby, where unlogged tables cannot be read. */
  unloggedData: boolean;
}

/** Arguments of `pg_dump`. Nothing secret: host, user and password come through service and password files. */
export function dumpArgs(options: DumpOptions): string[] {
  const { scope } = options;
  const each = (flag: string, patterns: readonly string[]): string[] => patterns.map((pattern) => `${flag}=${pattern}`);
  return [
    '--format=custom',
    '--no-password',
    '--verbose',
    `--snapshot=${options.snapshotId}`,
    `--compress=${compressArgument(options.major, options.compression)}`,
    `--encoding=${options.encoding}`,
    `--lock-wait-timeout=${options.lockTimeoutSeconds * 1000}`,
    ...(options.unloggedData ? [] : ['--no-unlogged-table-data']),
    ...(scope.content === 'schema' ? ['--schema-only'] : []),
    ...(scope.content === 'data' ? ['--data-only'] : []),
    ...each('--schema', scope.schemas),
    ...each('--exclude-schema', scope.excludeSchemas),
    ...each('--table', scope.tables),
    ...each('--exclude-table', scope.excludeTables),
    ...each('--exclude-table-data', scope.excludeTableData),
  ];
}

export interface RunningDump {
  readonly process: RunningProcess;
  /** Resolves when pg_dump ended with exit code 0; rejects with the reason otherwise. */
  readonly succeeded: Promise<void>;
}

/** Starts `pg_dump` with its archive on standard output. */
export function startDump(
  tools: ClientTools,
  options: DumpOptions,
  run: { env: Record<string, string>; signal: AbortSignal; onStderrLine: (line: string) => void },
): RunningDump {
  const child = startProcess(tools.pgDump, dumpArgs(options), { ...run, stdout: 'pipe', bulkOutput: true });
  const succeeded = child.ended.then((end) => {
    if (end.code !== 0) throw dumpFailure(end);
  });
  succeeded.catch(() => undefined);
  return { process: child, succeeded };
}

/**
 * Roles and tablespaces without passwords, as SQL. Bounded: a cluster with ten thousand roles is a few MiB.
 * Throws `ERR_DUMP_FAILED`.
 */
export async function dumpGlobals(
  tools: ClientTools,
  database: string,
  run: { env: Record<string, string>; signal: AbortSignal },
): Promise<Buffer> {
  // A connection string, so that no database name can be taken for one.
  const connection = `dbname='${database.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const args = ['--globals-only', '--no-role-passwords', '--no-password', `--database=${connection}`];
  const child = startProcess(tools.pgDumpall, args, { ...run, stdout: 'pipe' });
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) chunks.push(chunk);
  const end = await child.ended;
  const sql = Buffer.concat(chunks);
  if (end.code === 0 && sql.includes('database cluster dump complete')) return sql;
  throw new BackupError(
    'ERR_DUMP_FAILED',
    `pg_dumpall could not read the roles: ${end.stderr || `it ended with ${end.signal ?? `exit code ${end.code}`}`}`,
    {
      op: 'dump globals',
      hint: 'Grant the role of `database-url` the right to read roles and tablespaces, or write `globals: false` to leave them out.',
    },
  );
}
