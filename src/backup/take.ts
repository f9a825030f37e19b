/** One snapshot, one dump, one proof: from an open database to an archive that is ready to be committed. */
import type { CommandContext } from '../command.ts';
import type { ArchiveReport } from '../domain/archive-report.ts';
import { type Compression, chooseCompression, describeCompression } from '../domain/compression.ts';
import { messageOf } from '../domain/errors.ts';
import type { CatalogFacts, SourceDigests } from '../domain/facts.ts';
import type { Finding } from '../domain/findings.ts';
import { countOf } from '../domain/words.ts';
import type { BackupInputs } from '../inputs/types.ts';
import { startArchiveProof } from '../postgres/archive-proof.ts';
import { changedDefinitions, type Definitions, readDefinitions } from '../postgres/definitions.ts';
import { dumpGlobals, startDump } from '../postgres/dump.ts';
import { askSession } from '../postgres/dump-session.ts';
import { openSnapshot, type Snapshot } from '../postgres/snapshot.ts';
import { digestSource } from '../postgres/source-digest.ts';
import type { Supervisor } from '../runner/supervisor.ts';
import { type AliveParts, openSession, type WatchedSession, whileAlive } from './alive.ts';
import { type ArchiveParts, streamArchive } from './archive.ts';
import type { Prepared } from './prepare.ts';
import type { SetWriter } from './set-writer.ts';
import type { Trial } from './trial.ts';

/** Tables up to this size are counted at the source; a larger one costs a full scan, so it must be asked for. */
const COUNTED_TABLE_BYTES = 64 * 1024 * 1024;
/** Text without compression has been seen at up to this multiple of the tables on disk. */
const PLAIN_GROWTH = 3;

export interface Taken {
  facts: CatalogFacts;
  report: ArchiveReport | Error;
  counting: 'done' | Error;
  changedDefinitions: string[] | Error;
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
  held: HeldSnapshot;
  set: SetWriter;
  /** Of `verify: restore`. */
  trial?: Trial;
}

/** The snapshot and the session that holds it. */
export interface HeldSnapshot {
  snapshot: Snapshot;
  session: WatchedSession;
}

function aliveParts({ inputs, context, prepared, supervisor }: Omit<TakeParts, 'held' | 'set'>): AliveParts {
  const { connectWindowSeconds, stallTimeoutSeconds } = inputs;
  const { connection } = prepared;
  return { connection, context, supervisor, stallSeconds: stallTimeoutSeconds, connectWindowSeconds };
}

/** Opens the snapshot that everything of this backup is read in. The caller closes it. */
export async function takeSnapshot(parts: Omit<TakeParts, 'held' | 'set'>): Promise<HeldSnapshot> {
  const { inputs, context, supervisor } = parts;
  const alive = aliveParts(parts);
  const session = await openSession('snapshot', alive);
  const opening = openSnapshot(session.client, { ...inputs, signal: supervisor.signal, log: context.log });
  const snapshot = await whileAlive(session, opening, alive);
  supervisor.watch(snapshot.lost);
  context.log.info(
    `Snapshot of ${snapshot.facts.snapshotAt}: ${countOf(snapshot.facts.tables.length, 'table')} locked against change of shape, facts read`,
  );
  return { snapshot, session };
}

/** Dumps, reads back and stores the archive, with all that is to be read in the same snapshot or right after it. */
export async function takeArchive(parts: TakeParts): Promise<Taken> {
  const { inputs, supervisor, held, set } = parts;
  const { snapshot, session } = held;
  const { facts } = snapshot;
  const alive = aliveParts(parts);
  await parts.trial?.begin(facts);
  const compression = chooseCompression(facts.server.major, inputs.compression);
  const object = await set.openArchive(dataBytes(facts) * (compression.method === 'none' ? PLAIN_GROWTH : 1));
  const definitions = await whileAlive(session, snapshot.readDefinitions(), alive);
  let changed: Promise<string[] | Error> | undefined;
  const onDefinitionsRead = (): void => {
    changed = readChanges(definitions, alive);
  };
  const source = inputs.verifySource ? readSourceAgain(parts, alive) : undefined;
  const counting = snapshot.countRows(COUNTED_TABLE_BYTES, supervisor.signal).then(() => 'done' as const, asError);
  const globals = inputs.globals ? readGlobals(parts) : undefined;
  const archive = await streamArchive(archiveParts(parts, { compression, object, onDefinitionsRead }));
  // Putting the parts together takes a provider a while, which the rest of the reading hides.
  const stored = set.commitArchive();
  supervisor.watch(stored);
  const counted = await whileAlive(session, counting, alive);
  await whileAlive(session, snapshot.readSequencesAfter(), alive);
  const digests = source === undefined ? undefined : await supervisor.guard(source);
  // Nothing needs the snapshot any more: let go of its locks before the rest is stored.
  await snapshot.close();
  const changedDefinitions = await supervisor.guard(changed ?? readChanges(definitions, alive));
  const roles = globals === undefined ? undefined : await supervisor.guard(globals);
  await supervisor.guard(stored);
  supervisor.signal.throwIfAborted();
  return {
    facts,
    report: archive.report,
    counting: counted,
    changedDefinitions,
    ...(digests === undefined ? {} : { source: digests }),
    ...(roles === undefined ? {} : { globals: roles }),
    compression: describeCompression(compression),
    dumpSeconds: archive.seconds,
    warnings: archive.warnings,
  };
}

function archiveParts(
  parts: TakeParts,
  chosen: Pick<ArchiveParts, 'object' | 'onDefinitionsRead'> & { compression: Required<Compression> },
): ArchiveParts {
  const { inputs, context, prepared, supervisor, held, set } = parts;
  const { facts, id } = held.snapshot;
  const { compression, ...rest } = chosen;
  const { signal } = supervisor;
  const dumpName = `db-backup-action ${set.id.slice(-6)}`;
  const env = { ...prepared.childEnv, PGAPPNAME: dumpName };
  const options = {
    major: facts.server.major,
    snapshotId: id,
    scope: inputs.scope,
    compression,
    encoding: facts.settings.client_encoding,
    lockTimeoutSeconds: inputs.lockTimeoutSeconds,
    unloggedData: !facts.server.isStandby,
  };
  return {
    ...rest,
    ...(parts.trial === undefined ? {} : { trial: parts.trial }),
    startDump: (onStderrLine) => startDump(prepared.tools, options, { env, signal, onStderrLine }),
    proof: startArchiveProof({
      pgRestorePath: prepared.tools.pgRestore,
      env: withoutConnection(prepared.childEnv),
      signal,
      workerUrl: context.threads.proof,
      stallSeconds: inputs.stallTimeoutSeconds,
    }),
    askServer: () => askSession(prepared.connection, { applicationName: dumpName }, context, signal),
    tablesInAll: facts.tables.filter((table) => table.hasData).length,
    stallSeconds: inputs.stallTimeoutSeconds,
    supervisor,
    clock: context.clock,
    log: context.log,
  };
}

/** pg_restore writes to a pipe and connects to nothing. */
function withoutConnection(env: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('PG')));
}

/** Upper estimate of what is dumped, before text and compression. Large objects count only in the database's size. */
function dataBytes({ database, tables, largeObjects, largeObjectsSelected }: CatalogFacts): number {
  const inTables = tables.filter((table) => table.hasData).reduce((sum, table) => sum + table.sizeBytes, 0);
  return largeObjectsSelected && largeObjects > 0 ? Math.max(inTables, database.sizeBytes) : inTables;
}

/** What changed since `before`, as a new session sees it now. */
async function readChanges(before: Definitions, alive: AliveParts): Promise<string[] | Error> {
  try {
    const session = await openSession('definitions', alive);
    try {
      await session.client.query('SET statement_timeout = 0');
      return changedDefinitions(before, await whileAlive(session, readDefinitions(session.client), alive));
    } finally {
      await session.end();
    }
  } catch (error) {
    return asError(error);
  }
}

async function readSourceAgain(parts: TakeParts, alive: AliveParts): Promise<SourceDigests | Error> {
  const { snapshot } = parts.held;
  const { tables, settings } = snapshot.facts;
  const { signal } = parts.supervisor;
  try {
    const session = await openSession('source', alive);
    try {
      const reading = digestSource(
        session.client,
        snapshot.id,
        tables,
        settings,
        signal,
        parts.inputs.lockTimeoutSeconds,
      );
      return await whileAlive(session, reading, alive);
    } finally {
      await session.end();
    }
  } catch (error) {
    return asError(error);
  }
}

async function readGlobals({ prepared, held, supervisor }: TakeParts): Promise<string | Error> {
  const run = { env: prepared.childEnv, signal: supervisor.signal };
  return dumpGlobals(prepared.tools, held.snapshot.facts.database.name, run).then(
    (sql) => sql.toString('utf8'),
    asError,
  );
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(messageOf(error));
}
