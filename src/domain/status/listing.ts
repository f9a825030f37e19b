/** Which series a whole storage holds, by its listing alone. */
import { parseAuditKey } from '../audit.ts';
import { isSeriesName, parseBackupId } from '../backup-id.ts';
import type { ListedObject } from '../retention/inventory.ts';
import { isRecordName } from '../set-layout.ts';

export interface ListedSeries {
  /** Each with all that lies in its folder, in key order. */
  series: ReadonlyMap<string, readonly ListedObject[]>;
  /** Keys in no series that this action did not write. */
  stray: readonly string[];
}

/** A folder is a series when its name is one and something in it is named like a set, or like the record of a health check. */
export function seriesIn(objects: Iterable<ListedObject>): ListedSeries {
  const folders = new Map<string, ListedObject[]>();
  const own = new Set<string>();
  const stray: string[] = [];
  for (const object of objects) {
    const [name = '', folder = '', ...rest] = object.key.split('/');
    if (rest.length === 0 && folder === '') {
      stray.push(object.key);
      continue;
    }
    const known = folders.get(name);
    if (known === undefined) folders.set(name, [object]);
    else known.push(object);
    if (isSeriesName(name) && isOfSeries(folder, rest)) own.add(name);
  }
  const others = [...folders].filter(([name]) => !own.has(name)).flatMap(([, listed]) => listed);
  return {
    series: new Map([...folders].filter(([name]) => own.has(name))),
    stray: [...stray, ...others.map(({ key }) => key).filter((key) => parseAuditKey(key) === undefined)],
  };
}

function isOfSeries(folder: string, [name = '', ...more]: readonly string[]): boolean {
  if (name === '') return false;
  return parseBackupId(folder) !== undefined || (folder === '_checks' && more.length === 0 && isRecordName(name));
}
