/** Definitions of the restored database, and the reference restore that settles what is only worded otherwise. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
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
import type { DatabaseState } from '../../domain/restored-proof/state.ts';
import type { RestoredStructure } from '../../domain/restored-proof.ts';
import { digestLargeObjectRights } from '../../postgres/large-object-digest.ts';
import { printArchive, printDatabase, restoreReference, type ToolRun } from '../../postgres/printed-definitions.ts';
import { readState } from '../../postgres/restored-state.ts';
import type { ReferencePlace, RestoredProofParts, SharedSnapshot } from './parts.ts';

/** Entries that bring rows or values, and no definition. */
const DATA_TYPES = new Set(['TABLE DATA', 'SEQUENCE SET', 'BLOBS', 'MATERIALIZED VIEW DATA', 'STATISTICS DATA']);
const NO_RIGHT = 'The role may not create databases here, so there is no reference restore to compare with';

/**
 * Compares every definition. Makes the reference only when something is worded otherwise than recorded, or for the
 * owners and rights of large objects, of which `largeObjectRights` is the digest in the restored database. An `Error`
 * says why the definitions could not be read. Throws the signal's reason.
 */
export async function readStructure(
  parts: RestoredProofParts,
  snapshot: SharedSnapshot,
  largeObjectRights: string,
): Promise<RestoredStructure | Error> {
  const { contents, plan, alone, tools } = parts;
  const sameMajor = tools.major === contents.server.major;
  if (contents.scope.content === 'data') {
    const differences = { expected: 0, missing: [], extra: [], differing: [] };
    return { differences, reference: 'not-needed', sameMajor };
  }
  try {
    const [restored, expected] = await Promise.all([printTarget(parts, parts.database, snapshot), expectedIn(parts)]);
    const differences = compareDefinitions(expected, restored, alone);
    const withLargeObjects = definesLargeObjects(contents, plan);
    if (isEmpty(differences) && !withLargeObjects) return { differences, reference: 'not-needed', sameMajor };
    const undecided = withLargeObjects ? { largeObjectsAlike: false } : {};
    const made = parts.reference === undefined ? NO_RIGHT : await makeReference(parts, parts.reference);
    if (typeof made === 'string') {
      return { differences, reference: { unavailable: made }, sameMajor, ...undecided };
    }
    return {
      differences: compareDefinitions(expected, restored, alone, made.objects),
      reference: 'compared',
      referenceState: made.state,
      sameMajor,
      ...(withLargeObjects ? { largeObjectsAlike: made.largeObjectRights === largeObjectRights } : {}),
    };
  } catch (error) {
    parts.signal.throwIfAborted();
    if (error instanceof BackupError && error.code === 'ERR_NOT_PROVEN') return error;
    throw error;
  }
}

async function printTarget(
  parts: RestoredProofParts,
  database: string,
  snapshot?: SharedSnapshot,
): Promise<ArchivedObject[]> {
  return await printDatabase(await toolRun(parts, database), {
    owner: parts.owner,
    privileges: parts.privileges,
    encoding: parts.contents.settings.client_encoding,
    lockTimeoutSeconds: parts.lockTimeoutSeconds,
    ...(snapshot === undefined ? {} : { snapshotId: snapshot.id }),
  });
}

async function toolRun({ access, tools, signal }: RestoredProofParts, database: string): Promise<ToolRun> {
  return { tools, env: await access.childEnv(tools, database), signal };
}

/** As recorded; without owners or rights as the archive itself is printed without them. */
async function expectedIn(parts: RestoredProofParts): Promise<ExpectedObject[]> {
  const { contents, plan, archive, owner, privileges, tools, signal } = parts;
  const recorded = expectedObjects(contents.objects, plan, privileges);
  if ((owner === 'keep' && privileges === 'keep') || archive.kind !== 'file') return recorded;
  const printed = await printArchive({ tools, env: { ...tools.env }, signal }, archive.path, { owner, privileges });
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
async function makeReference(parts: RestoredProofParts, place: ReferencePlace): Promise<Reference | string> {
  const { archive, plan, owner, privileges, log, signal } = parts;
  if (archive.format === 'sql') return 'A plain dump has no definitions that can be restored without its rows';
  const listFile = path.join(parts.workDir, 'reference.list');
  const lines = plan.restored.filter(({ type }) => !DATA_TYPES.has(type)).map(({ line }) => line);
  await writeFile(listFile, `${lines.join('\n')}\n`);
  log.info('Some definitions are worded otherwise than recorded; comparing with a reference restore without rows.');
  try {
    await place.create();
    await withoutFlushes(parts, place.database);
    const run = await toolRun(parts, place.database);
    const source = archive.kind === 'file' ? { path: archive.path } : { open: () => archive.open() };
    const options = { database: place.database, listFile, owner, privileges };
    const problem = await restoreReference(run, source, options);
    if (problem !== undefined) return problem;
    const objects = await printTarget(parts, place.database);
    return await parts.access.use('reference', place.database, async ({ client }) => {
      await client.query("SELECT pg_catalog.set_config('search_path', '', false)");
      return { objects, state: await readState(client), largeObjectRights: await digestLargeObjectRights(client) };
    });
  } catch (error) {
    signal.throwIfAborted();
    return `The reference restore could not be made: ${messageOf(error)}`;
  } finally {
    await place.drop().catch((error: unknown) => {
      log.warning(`The database ${place.database} could not be dropped: ${messageOf(error)}. Drop it by hand.`);
    });
  }
}

/** Thousands of small statements would each wait for the disk, for a database that does not outlive them. */
async function withoutFlushes(parts: RestoredProofParts, database: string): Promise<void> {
  await parts.access.use('reference', database, async ({ client }) => {
    const statement = `ALTER DATABASE ${quoteIdentifier(database)} SET synchronous_commit = off`;
    // Only faster; where it is refused the reference is the same.
    await client.query(statement).catch((error: unknown) => parts.log.debug(messageOf(error)));
  });
}
