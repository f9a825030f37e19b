/** Definitions of the restored database, and the reference restore that settles what is only worded otherwise. */
import type { ArchivedObject } from '../../domain/archive-report.ts';
import { BackupError, messageOf } from '../../domain/errors.ts';
import { quoteIdentifier } from '../../domain/relations.ts';
import {
  compareDefinitions,
  definesLargeObjects,
  type ExpectedObject,
  expectedObjects,
  isEmpty,
} from '../../domain/restored-proof/definitions.ts';
import { referencePart } from '../../domain/restored-proof/reference-part.ts';
import { type DatabaseState, differentFacts } from '../../domain/restored-proof/state.ts';
import type { RestoredStructure } from '../../domain/restored-proof.ts';
import type { TocEntry } from '../../domain/toc.ts';
import { shareOf } from '../../domain/words.ts';
import { readServer } from '../../postgres/catalog/database.ts';
import { loadingSession } from '../../postgres/dump-session.ts';
import { digestLargeObjectRights } from '../../postgres/large-object-digest.ts';
import { printArchive, printDatabase } from '../../postgres/printed-definitions.ts';
import { runRestore } from '../../postgres/restore.ts';
import { RESTORE_SESSION, type RestoreContext } from '../../postgres/restore-process.ts';
import type { RestoreSource } from '../../postgres/restore-source.ts';
import { readState } from '../../postgres/restored-state.ts';
import type { ReferencePlace, RestoredProofParts, SharedSnapshot } from './parts.ts';

/** Entries that bring rows or values, and no definition. */
const DATA_TYPES = new Set(['TABLE DATA', 'SEQUENCE SET', 'BLOBS', 'MATERIALIZED VIEW DATA', 'STATISTICS DATA']);
const NO_RIGHT = 'The role may not create databases here, so there is no reference restore to compare with';

/** As read in the restored database. */
export interface SeenDatabase {
  state: DatabaseState;
  /** Digest of owners, rights and comments. */
  largeObjectRights: string;
}

/**
 * Compares every definition. Makes a reference only when something is worded otherwise than recorded, or for the
 * owners and rights of large objects: first of no more than that takes, then, unless all is alike, of everything. An
 * `Error` says why the definitions could not be read. Throws the signal's reason.
 */
export async function readStructure(
  parts: RestoredProofParts,
  snapshot: SharedSnapshot,
  { state, largeObjectRights }: SeenDatabase,
): Promise<RestoredStructure | Error> {
  const { contents, plan, alone, tools, toc } = parts;
  const sameMajor = tools.major === contents.server.major;
  if (contents.scope.content === 'data') {
    const differences = { expected: 0, missing: [], extra: [], differing: [], keys: new Set<string>() };
    return { differences, reference: 'not-needed', sameMajor };
  }
  try {
    const [restored, expected] = await Promise.all([printTarget(parts, parts.database, snapshot), expectedIn(parts)]);
    const differences = compareDefinitions(expected, restored, alone);
    const withLargeObjects = definesLargeObjects(contents, plan);
    if (isEmpty(differences) && !withLargeObjects) return { differences, reference: 'not-needed', sameMajor };
    const undecided = withLargeObjects ? { largeObjectsAlike: false } : {};
    const compareWith = async (entries: readonly TocEntry[]) => {
      const made = parts.reference === undefined ? NO_RIGHT : await makeReference(parts, parts.reference, entries);
      if (typeof made === 'string') return made;
      return {
        differences: compareDefinitions(expected, restored, alone, made.objects),
        reference: 'compared' as const,
        referenceState: made.state,
        sameMajor,
        ...(withLargeObjects ? { largeObjectsAlike: made.largeObjectRights === largeObjectRights } : {}),
      };
    };
    const part = referencePart(toc, plan, differences, withLargeObjects);
    if (part !== undefined) {
      const compared = await compareWith(part);
      if (typeof compared !== 'string' && isAlike(compared, state)) return { ...compared, referenceIsPart: true };
      // A part may acquit; only the whole condemns.
    }
    const compared = await compareWith(plan.restored);
    if (typeof compared !== 'string') return compared;
    return { differences, reference: { unavailable: compared }, sameMajor, ...undecided };
  } catch (error) {
    parts.signal.throwIfAborted();
    if (error instanceof BackupError) return error;
    throw error;
  }
}

/** Everything in a reference is in the restored database, in the same words and the same state. */
function isAlike(structure: RestoredStructure, restored: DatabaseState): boolean {
  const { differences, referenceState, largeObjectsAlike = true } = structure;
  const facts = differentFacts(false, restored.facts, referenceState?.facts ?? []);
  return isEmpty(differences) && largeObjectsAlike && facts.length === 0;
}

async function printTarget(
  parts: RestoredProofParts,
  database: string,
  snapshot?: SharedSnapshot,
): Promise<ArchivedObject[]> {
  const options = {
    owner: parts.owner,
    privileges: parts.privileges,
    encoding: parts.contents.settings.client_encoding,
    lockTimeoutSeconds: parts.lockTimeoutSeconds,
    ...(snapshot === undefined ? {} : { snapshotId: snapshot.id }),
  };
  return await printDatabase(parts.tools, options, await childContext(parts, database));
}

/** Of a program that works on `database`. */
async function childContext(parts: RestoredProofParts, database: string): Promise<RestoreContext> {
  const { access, tools, signal, clock, log } = parts;
  const env = await access.childEnv(tools, database);
  const key = { applicationName: RESTORE_SESSION };
  const askServer = loadingSession(access.connection(database), key, { clock, log }, signal);
  return { env, signal, clock, log, stallSeconds: access.stallSeconds, askServer };
}

/** As recorded; without owners or rights as the archive itself is printed without them. */
async function expectedIn(parts: RestoredProofParts): Promise<ExpectedObject[]> {
  const { contents, plan, archive, owner, privileges, tools, access } = parts;
  const recorded = expectedObjects(contents.objects, plan, privileges);
  if ((owner === 'keep' && privileges === 'keep') || archive.kind !== 'file') return recorded;
  const context = { ...parts, stallSeconds: access.stallSeconds };
  const printed = await printArchive(tools, archive.path, { owner, privileges }, context);
  const digests = new Map(printed.map((object) => [keyOf(object), object.digests]));
  return recorded.map((object) => ({ ...object, digests: digests.get(keyOf(object)) ?? object.digests }));
}

function keyOf({ type, schema, name }: Pick<ArchivedObject, 'type' | 'schema' | 'name'>): string {
  return `${type}\0${schema}\0${name}`;
}

interface Reference {
  objects: ArchivedObject[];
  state: DatabaseState;
  largeObjectRights: string;
}

/** The reference as it is printed, or why there is none. It is dropped again. */
async function makeReference(
  parts: RestoredProofParts,
  place: ReferencePlace,
  entries: readonly TocEntry[],
): Promise<Reference | string> {
  const { access, log, signal } = parts;
  const { database } = place;
  const count = shareOf(entries.length, parts.plan.restored.length, 'entry', 'entries');
  log.info(
    `Some definitions may be worded otherwise than recorded; comparing with a restore of ${count}, without rows.`,
  );
  try {
    await place.create();
    await withoutFlushes(parts, database);
    const problem = await restoreDefinitions(parts, database, entries);
    if (problem !== undefined) return problem;
    const objects = await printTarget(parts, database);
    return await access.attempt('reference', database, async ({ client }) => {
      await client.query("SELECT pg_catalog.set_config('search_path', '', false)");
      return { objects, state: await readState(client), largeObjectRights: await digestLargeObjectRights(client) };
    });
  } catch (error) {
    signal.throwIfAborted();
    return `The reference restore could not be made: ${messageOf(error)}`;
  } finally {
    await place.drop().catch((error: unknown) => {
      log.warning(`The database ${database} could not be dropped: ${messageOf(error)}. Drop it by hand.`);
    });
  }
}

/** All of `entries` but rows and values. Returns why the result is no reference. */
async function restoreDefinitions(
  parts: RestoredProofParts,
  database: string,
  entries: readonly TocEntry[],
): Promise<string | undefined> {
  const { access, archive } = parts;
  if (archive.format !== 'custom' && archive.format !== 'directory') {
    return `A dump of the format ${archive.format} has no definitions that can be restored without its rows`;
  }
  const { major } = await access.attempt('reference', database, ({ client }) => readServer(client));
  const { messages } = await runRestore({
    ...parts,
    ...(await childContext(parts, database)),
    archive: archive as RestoreSource,
    plan: { restored: entries.filter(({ type }) => !DATA_TYPES.has(type)), whole: false },
    targetMajor: major,
    criticalTables: [],
  });
  const wrong = messages.find(({ kind }) => kind !== 'harmless');
  return wrong === undefined ? undefined : `The reference restore met errors: ${wrong.text}`;
}

/** Thousands of small statements would each wait for the disk, for a database that does not outlive them. */
async function withoutFlushes(parts: RestoredProofParts, database: string): Promise<void> {
  await parts.access.use('reference', database, async ({ client }) => {
    const statement = `ALTER DATABASE ${quoteIdentifier(database)} SET synchronous_commit = off`;
    // Only faster; where it is refused the reference is the same.
    await client.query(statement).catch((error: unknown) => parts.log.debug(messageOf(error)));
  });
}
