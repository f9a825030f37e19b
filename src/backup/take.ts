/** One snapshot, one dump, one proof: from an open database to an archive that is ready to be committed. */
import type { CommandContext } from '../command.ts';
import type { ArchiveReport } from '../domain/archive-report.ts';
import { chooseCompression, describeCompression } from '../domain/compression.ts';
import { messageOf } from '../domain/errors.ts';
import type { CatalogFacts, SourceDigests } from '../domain/facts.ts';
import type { Finding } from '../domain/findings.ts';
import type { BackupInputs } from '../inputs/types.ts';
import { startArchiveProof } from '../postgres/archive-proof.ts';
import { connect } from '../postgres/connect.ts';
import { dumpGlobals, startDump } from '../postgres/dump.ts';
import { askSession } from '../postgres/dump-session.ts';
import { ownSession } from '../postgres/session.ts';
import { openSnapshot, type Snapshot } from '../postgres/snapshot.ts';
import { digestSource } from '../postgres/source-digest.ts';
import type { Supervisor } from '../runner/supervisor.ts';
import { whileAlive } from './alive.ts';
import { streamArchive } from './archive.ts';
import type { Prepared } from './prepare.ts';
import type { SetWriter } from './set-writer.ts';

/** Tables up to this size are counted at the source; a larger one costs a full scan, so it must be asked for. */
const COUNTED_TABLE_BYTES = 64 * 1024 * 1024;
/** Text without compression has been seen at up to this multiple of the tables on disk. */
const PLAIN_GROWTH = 3;

export interface Taken {
  facts: CatalogFacts;
  report: ArchiveReport | Error;
  counting: 'done' | Error;
  source?: SourceDigests | Error;
  globals?: string | Error;
  compression: string;
  dumpSeconds: number;
  warnings: Finding[];
}

/** What a dump needs to know of the run that it belongs to. */
export interface TakeParts {
  inputs: BackupInputs;
  context: CommandContext;
  prepared: Prepared;
  supervisor: Supervisor;
  snapshot: Snapshot;
  set: SetWriter;
}

/** Opens the snapshot that everything of this backup is read in. The caller closes it. */
export async function takeSnapshot({
  inputs,
  context,
  prepared,
  supervisor,
}: Omit<TakeParts, 'snapshot' | 'set'>): Promise<Snapshot> {
  const { client } = await connect(prepared.connection, {
    ...context,
    signal: supervisor.signal,
    windowSeconds: inputs.connectWindowSeconds,
    applicationName: 'db-backup-action snapshot',
  });
  const snapshot = await openSnapshot(client, { ...inputs, signal: supervisor.signal, log: context.log });
  supervisor.watch(snapshot.lost);
  context.log.info(
    `Snapshot of ${snapshot.facts.snapshotAt}: ${snapshot.facts.tables.length} tables locked against change of shape, facts read`,
  );
  return snapshot;
}

/** Dumps, reads back and hands to storage. The set's archive is complete but not committed when this resolves. */
export async function takeArchive(parts: TakeParts): Promise<Taken> {
  const { inputs, context, prepared, supervisor, snapshot, set } = parts;
  const { facts } = snapshot;
  const compression = chooseCompression(facts.server.major, inputs.compression);
  const run = { env: prepared.childEnv, signal: supervisor.signal };
  const bytes = dataBytes(facts);
  const object = await set.openArchive(bytes * (compression.method === 'none' ? PLAIN_GROWTH : 1));
  const dumpName = `db-backup-action ${set.id.slice(-6)}`;
  const source = inputs.verifySource ? readSourceAgain(parts) : undefined;
  const counting = snapshot.countRows(COUNTED_TABLE_BYTES, supervisor.signal).then(() => 'done' as const, asError);
  const archive = await streamArchive({
    startDump: (onStderrLine) =>
      startDump(
        prepared.tools,
        {
          major: facts.server.major,
          snapshotId: snapshot.id,
          scope: inputs.scope,
          compression,
          encoding: facts.settings.client_encoding,
          lockTimeoutSeconds: inputs.lockTimeoutSeconds,
          unloggedData: !facts.server.isStandby,
        },
        { ...run, env: { ...run.env, PGAPPNAME: dumpName }, onStderrLine },
      ),
    proof: startArchiveProof({
      pgRestorePath: prepared.tools.pgRestore,
      env: run.env,
      signal: supervisor.signal,
      workerUrl: context.proofThread,
    }),
    object,
    askServer: () => askSession(prepared.connection, { applicationName: dumpName }, context, supervisor.signal),
    tablesInAll: facts.tables.filter((table) => table.hasData).length,
    stallSeconds: inputs.stallTimeoutSeconds,
    supervisor,
    clock: context.clock,
    log: context.log,
  });
  const alive = { context, prepared, supervisor, stallSeconds: inputs.stallTimeoutSeconds };
  const counted = await whileAlive('The count of rows', snapshot.session, counting, alive);
  await whileAlive('The reading of sequences', snapshot.session, snapshot.readSequencesAfter(), alive);
  const digests = source === undefined ? undefined : await supervisor.guard(source);
  // Nothing needs the snapshot any more: let go of its locks before the rest is stored.
  await snapshot.close();
  const globals = inputs.globals ? await readGlobals(parts) : undefined;
  supervisor.signal.throwIfAborted();
  return {
    facts,
    report: archive.report,
    counting: counted,
    ...(digests === undefined ? {} : { source: digests }),
    ...(globals === undefined ? {} : { globals }),
    compression: describeCompression(compression),
    dumpSeconds: archive.seconds,
    warnings: archive.warnings,
  };
}

/** Upper estimate of what is dumped, before text and compression. Large objects count only in the database's size. */
function dataBytes({ database, tables, largeObjects, largeObjectsSelected }: CatalogFacts): number {
  const inTables = tables.filter((table) => table.hasData).reduce((sum, table) => sum + table.sizeBytes, 0);
  return largeObjectsSelected && largeObjects > 0 ? Math.max(inTables, database.sizeBytes) : inTables;
}

async function readSourceAgain(parts: TakeParts): Promise<SourceDigests | Error> {
  const { inputs, context, prepared, supervisor, snapshot } = parts;
  try {
    const { client } = await connect(prepared.connection, {
      ...context,
      signal: supervisor.signal,
      windowSeconds: 0,
      applicationName: 'db-backup-action source',
    });
    try {
      const { facts } = snapshot;
      const { signal } = supervisor;
      const reading = digestSource(
        client,
        snapshot.id,
        facts.tables,
        facts.settings,
        signal,
        inputs.lockTimeoutSeconds,
      );
      const alive = { context, prepared, supervisor, stallSeconds: inputs.stallTimeoutSeconds };
      return await whileAlive('The second reading', ownSession(client), reading, alive);
    } finally {
      await client.end();
    }
  } catch (error) {
    return asError(error);
  }
}

async function readGlobals({ prepared, snapshot, supervisor }: TakeParts): Promise<string | Error> {
  const run = { env: prepared.childEnv, signal: supervisor.signal };
  return dumpGlobals(prepared.tools, snapshot.facts.database.name, run).then((sql) => sql.toString('utf8'), asError);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(messageOf(error));
}
