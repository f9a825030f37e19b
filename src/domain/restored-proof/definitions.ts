/**
 * Definitions of a restored database against those that were recorded. A faithful restore prints some definitions in
 * other words (`varchar IN (…)`, nested ANDs; another major more), so what differs is held against a reference: the
 * same entries restored without rows into an empty database of the same server, printed by the same client.
 */
import type { ArchivedObject } from '../archive-report.ts';
import type { Check } from '../checks.ts';
import type { Contents } from '../contents.ts';
import type { EntryPlan } from '../entry-plan.ts';
import type { TocEntry } from '../toc.ts';
import { countOf, shareOf } from '../words.ts';
import { keyOfEntry, partWords, tocKey } from './part.ts';

/** Printed with a definition's header, but proven elsewhere: rows, populated views, statistics. */
const NO_DEFINITIONS = new Set(['MATERIALIZED VIEW DATA', 'STATISTICS DATA']);
/** Under which the reader puts definitions of large objects, which a dump of definitions alone lacks. */
const LARGE_OBJECTS = 'LARGE OBJECTS';
const PRIVILEGES = new Set(['ACL', 'DEFAULT ACL']);

export interface ExpectedObject {
  type: string;
  schema: string;
  name: string;
  /** How many definitions share type, schema and name. */
  count: number;
  /** As recorded; may be more than `count` when only some were restored. */
  digests: readonly string[];
}

/** Definitions that the plan brings back, by the names under which the archive has them. */
export function expectedObjects(
  recorded: readonly ArchivedObject[],
  plan: EntryPlan,
  privileges: 'keep' | 'drop',
): ExpectedObject[] {
  const counts = new Map<string, number>();
  for (const entry of plan.restored) {
    const key = entryKey(entry);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return recorded.filter(isDefinition).flatMap((object) => {
    if (privileges === 'drop' && PRIVILEGES.has(object.type)) return [];
    const planned = plan.whole ? object.digests.length : (counts.get(objectKey(object)) ?? 0);
    return planned === 0 ? [] : [{ ...object, count: Math.min(planned, object.digests.length) }];
  });
}

/** The archive defines large objects, and the plan brings some of them back. */
export function definesLargeObjects(contents: Contents, plan: EntryPlan): boolean {
  return (
    contents.objects.some(({ name }) => name === LARGE_OBJECTS) &&
    (plan.whole || plan.restored.some(({ type }) => type === 'BLOB' || type === 'BLOB METADATA'))
  );
}

function isDefinition({ type, name }: ArchivedObject): boolean {
  return !NO_DEFINITIONS.has(type) && name !== LARGE_OBJECTS;
}

/** Of all definitions that share type, schema and name, as {@link DefinitionDifferences.keys} has it. */
export function entryKey(entry: TocEntry): string {
  return `${entry.type}\0${keyOfEntry(entry)}`;
}

function objectKey({ type, schema, name }: Pick<ArchivedObject, 'type' | 'schema' | 'name'>): string {
  return `${type}\0${tocKey({ schema, name })}`;
}

export interface DefinitionDifferences {
  expected: number;
  /** Type, schema and name of what is not there, is there too much, or is there in other words. */
  missing: readonly string[];
  extra: readonly string[];
  differing: readonly string[];
  /** Of all of them, for those who look for their entries. */
  keys: ReadonlySet<string>;
}

/** What a look at the reference is needed for. */
export function isEmpty({ missing, extra, differing }: DefinitionDifferences): boolean {
  return missing.length + extra.length + differing.length === 0;
}

/**
 * Compares a restored database with what was recorded. What is there besides counts when the database holds nothing
 * but this restore (`alone`). With a `reference`, what it prints in the same words as the restored database is no difference.
 */
export function compareDefinitions(
  expected: readonly ExpectedObject[],
  restored: readonly ArchivedObject[],
  alone: boolean,
  reference?: readonly ArchivedObject[],
): DefinitionDifferences {
  const found = new Map(restored.filter(isDefinition).map((object) => [objectKey(object), object]));
  const alike = likeReference(found, reference);
  const differences = { missing: [] as string[], extra: [] as string[], differing: [] as string[] };
  const keys = new Set<string>();
  const note = (kind: keyof typeof differences, object: ArchivedObject | ExpectedObject): void => {
    differences[kind].push(label(object));
    keys.add(objectKey(object));
  };
  for (const object of expected) {
    const key = objectKey(object);
    const digests = found.get(key)?.digests ?? [];
    if (alike(key)) continue;
    if (digests.length < object.count) note('missing', object);
    else if (digests.length > object.count && alone) note('extra', object);
    else if (common(object.digests, digests) < object.count) note('differing', object);
  }
  if (alone) {
    const known = new Set(expected.map(objectKey));
    for (const [key, object] of found) {
      if (!known.has(key) && !alike(key)) note('extra', object);
    }
  }
  const count = expected.reduce((sum, object) => sum + object.count, 0);
  return { expected: count, ...differences, keys };
}

function likeReference(
  found: ReadonlyMap<string, ArchivedObject>,
  reference: readonly ArchivedObject[] | undefined,
): (key: string) => boolean {
  if (reference === undefined) return () => false;
  const there = new Map(reference.filter(isDefinition).map((object) => [objectKey(object), object.digests]));
  return (key) => (found.get(key)?.digests ?? []).join() === (there.get(key) ?? []).join();
}

/** How many digests two sorted or unsorted lists share, each counted as often as it occurs in both. */
function common(one: readonly string[], other: readonly string[]): number {
  const left = [...other];
  return one.filter((digest) => {
    const at = left.indexOf(digest);
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  }).length;
}

function label({ type, schema, name }: Pick<ArchivedObject, 'type' | 'schema' | 'name'>): string {
  return `${type} ${schema === '-' ? '' : `${schema}.`}${name}`;
}

/** How differences were looked into: not at all, by a reference, or why there is none. */
export type ReferenceState = 'not-needed' | 'compared' | { unavailable: string };

export interface StructureEvidence {
  contents: Contents;
  plan: EntryPlan;
  /** The database holds nothing but this restore. */
  alone: boolean;
  /** After the comparison with the reference, where there was one. */
  differences: DefinitionDifferences;
  reference: ReferenceState;
  /** The client prints definitions as the recording one did. */
  sameMajor: boolean;
  /** Owners, rights and comments of large objects are those of the reference; absent where there are none. */
  largeObjectsAlike?: boolean;
}

/** `objects`: everything that the plan brings back is there, and nothing else. */
export function checkRestoredObjects(evidence: StructureEvidence): Check {
  const { contents, plan, alone, differences, reference, sameMajor } = evidence;
  if (contents.scope.content === 'data') return noDefinitions('objects');
  const missing = differences.missing.map((name) => `${name}: is missing from the restored database`);
  const extra = differences.extra.map((name) => `${name}: is in the restored database and not in the backup`);
  const details = [...missing, ...extra];
  if (details.length === 0) {
    const { expected } = differences;
    const part = partWords(plan);
    const rest = alone ? ', and nothing else is' : '';
    const reason = `${shareOf(expected, expected, `object${part} is`, `objects${part} are`)} there by type, schema and name${rest}`;
    return { id: 'objects', status: 'passed', reason, details };
  }
  // Another major may print as objects of their own what was part of others; only a reference can tell.
  const certain = missing.length > 0 || sameMajor || reference === 'compared';
  return {
    id: 'objects',
    status: certain ? 'failed' : 'partial',
    reason: certain
      ? `${countOf(details.length, 'object is', 'objects are')} missing from the restored database or should not be there`
      : `${countOf(details.length, 'object')} more than recorded, which may only be printed apart by this major; no reference could tell`,
    details,
  };
}

/** `definitions`: each is worded as recorded, or as a reference restore of the same archive words it. */
export function checkRestoredDefinitions(evidence: StructureEvidence): Check {
  const { contents, differences, reference, largeObjectsAlike, plan } = evidence;
  if (contents.scope.content === 'data') return noDefinitions('definitions');
  const alike = largeObjectsAlike ?? true;
  const unknown = typeof reference === 'object' ? reference.unavailable : undefined;
  const details = [
    ...differences.differing.map((name) =>
      unknown === undefined
        ? `${name}: is defined otherwise than in the backup`
        : `${name}: is worded otherwise than in the backup, which may or may not mean the same`,
    ),
    ...(alike ? [] : ['large objects: owners, rights or comments differ or could not be compared']),
    ...(unknown === undefined ? [] : [unknown]),
  ];
  const open = differences.differing.length + (alike ? 0 : 1);
  if (open === 0) {
    const how = reference === 'compared' ? ', or as in a reference restore on the same server' : '';
    const reason = `Definitions of the objects${partWords(plan)} are worded as recorded${how}`;
    return { id: 'definitions', status: 'passed', reason, details: [] };
  }
  return unknown === undefined
    ? {
        id: 'definitions',
        status: 'failed',
        reason: `${countOf(open, 'definition differs', 'definitions differ')} from the backup`,
        details,
      }
    : {
        id: 'definitions',
        status: 'partial',
        reason: `${countOf(open, 'definition is', 'definitions are')} worded otherwise than recorded, and no reference restore could tell whether they mean the same`,
        details,
      };
}

function noDefinitions(id: 'objects' | 'definitions'): Check {
  return { id, status: 'passed', reason: 'The backup holds rows alone; no definitions to compare', details: [] };
}
