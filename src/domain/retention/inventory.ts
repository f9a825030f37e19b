/** What lies in the folder of a series, told apart by keys alone. Whatever does not parse strictly is not ours. */
import { parseAuditKey } from '../audit.ts';
import { parseBackupId } from '../backup-id.ts';
import { drillsPrefix, isRecordName, OBJECT_NAMES, seriesPrefix, setPrefix } from '../set-layout.ts';
import { DAY_MS } from '../time.ts';

export interface ListedObject {
  /** Relative to the destination's root. */
  key: string;
  sizeBytes: number;
  modifiedAt: Date;
  etag?: string;
}

/** A folder that is named like a set, with what lies in it. */
export interface ListedSet {
  id: string;
  at: Date;
  /** By the name in the folder; `metadata.json` among them when the set is finished. */
  objects: ReadonlyMap<string, ListedObject>;
}

export interface RecordKey {
  key: string;
  at: Date;
  sizeBytes: number;
  etag?: string;
}

export interface Inventory {
  /** With a `metadata.json`. */
  finished: readonly ListedSet[];
  /** Without one: being written, broken off, or half deleted. */
  unfinished: readonly ListedSet[];
  /** Verdicts of drills, by the set that they are about. */
  drills: ReadonlyMap<string, readonly RecordKey[]>;
  audits: readonly RecordKey[];
  /** Verdicts of health checks. */
  checks: readonly RecordKey[];
  /** Keys that are not ours. */
  unknown: readonly string[];
}

/** Folders of a series besides those of sets. */
const CHECKS = '_checks/';
const AUDIT = '_audit/';

export function takeStock(objects: Iterable<ListedObject>, series: string): Inventory {
  const folders = new Map<string, ListedSet & { objects: Map<string, ListedObject> }>();
  const drills = new Map<string, RecordKey[]>();
  const audits: RecordKey[] = [];
  const checks: RecordKey[] = [];
  const unknown: string[] = [];
  for (const object of objects) {
    const { key } = object;
    const inSeries = key.startsWith(seriesPrefix(series)) ? key.slice(seriesPrefix(series).length) : '';
    const [folder = '', ...rest] = inSeries.split('/');
    const set = rest.length === 0 ? undefined : parseBackupId(folder);
    if (set !== undefined) {
      const found = folders.get(folder) ?? { id: set.id, at: set.at, objects: new Map() };
      found.objects.set(key.slice(setPrefix(series, folder).length), object);
      folders.set(folder, found);
      continue;
    }
    const drill = drillOf(object, series);
    const audit = inSeries.startsWith(AUDIT) ? parseAuditKey(key) : undefined;
    const check = inSeries.startsWith(CHECKS) ? recordOf(object, inSeries.slice(CHECKS.length)) : undefined;
    if (drill !== undefined) drills.set(drill.id, [...(drills.get(drill.id) ?? []), drill]);
    else if (audit !== undefined) audits.push({ key, at: audit.at, sizeBytes: object.sizeBytes });
    else if (check !== undefined) checks.push(check);
    else unknown.push(key);
  }
  const all = [...folders.values()];
  const isFinished = ({ objects }: ListedSet): boolean => objects.has(OBJECT_NAMES.manifest);
  return {
    finished: all.filter(isFinished),
    unfinished: all.filter((each) => !isFinished(each)),
    drills,
    audits,
    checks,
    unknown,
  };
}

/** When the drill began whose record lies there; `undefined` for whatever is none. */
export function drillTime(key: string, series: string): Date | undefined {
  return drillOf({ key, sizeBytes: 0, modifiedAt: new Date(0) }, series)?.at;
}

function drillOf(object: ListedObject, series: string): (RecordKey & { id: string }) | undefined {
  const prefix = drillsPrefix(series);
  if (!object.key.startsWith(prefix)) return undefined;
  const [id = '', name = '', ...more] = object.key.slice(prefix.length).split('/');
  if (more.length > 0 || parseBackupId(id) === undefined) return undefined;
  const record = recordOf(object, name);
  return record === undefined ? undefined : { ...record, id };
}

/** The name of a record is a time and a random part, as in an id. */
function recordOf({ key, sizeBytes, etag }: ListedObject, name: string): RecordKey | undefined {
  if (!isRecordName(name)) return undefined;
  const at = parseBackupId(`${name.slice(0, 15)}_x_${name.slice(16, 22)}`)?.at;
  return at === undefined ? undefined : { key, at, sizeBytes, ...(etag === undefined ? {} : { etag }) };
}

/** What lies in the folder of an unfinished set and was not written by this action. */
export function strangeIn({ unfinished }: Inventory): string[] {
  return unfinished.flatMap(({ objects }) =>
    [...objects].filter(([name]) => !isNameOfOurs(name)).map(([, { key }]) => key),
  );
}

/** Whether an object of this name in the folder of a set was written by this action, as far as the name tells. */
export function isNameOfOurs(name: string): boolean {
  const { manifest, 'restore-guide': guide, archive, globals, contents } = OBJECT_NAMES;
  if (name === manifest || name === guide) return true;
  const plain = name.replace(/\.age$/, '');
  return plain === archive || plain === globals || plain === contents || PART_OF_DIRECTORY.test(name);
}

/** Of a dump in the directory format, one object a file: `database.dir/3071.dat.zst.age`. */
const PART_OF_DIRECTORY = /^database\.dir\/[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/;

/** A run of more than a day between two objects of one set would be needed for a younger one to be given up wrongly. */
export const UNFINISHED_FOR_MS = DAY_MS;
/** How long records of drills, audits and health checks are kept, those of removed sets too. */
export const RECORDS_KEPT_DAYS = 730;

/** Whether nobody can be writing it any more: its id and its newest object of ours are both older than a day. */
export function isGivenUp({ at, objects }: ListedSet, now: Date): boolean {
  const ours = [...objects].filter(([name]) => isNameOfOurs(name));
  const newest = Math.max(at.getTime(), ...ours.map(([, { modifiedAt }]) => modifiedAt.getTime()));
  return now.getTime() - newest > UNFINISHED_FOR_MS;
}

/** Records that are old enough to go. Those of drills stay as long as the set does. */
export function oldRecords({ drills, audits, checks, finished }: Inventory, now: Date): string[] {
  const before = now.getTime() - RECORDS_KEPT_DAYS * DAY_MS;
  const present = new Set(finished.map(({ id }) => id));
  const ofRemoved = [...drills].flatMap(([id, records]) => (present.has(id) ? [] : records));
  return [...ofRemoved, ...audits, ...checks].filter(({ at }) => at.getTime() < before).map(({ key }) => key);
}
