/** Rows of critical tables against those that the last proven backup recorded, without a key: by salted hashes of names. */
import type { Manifest } from '../manifest.ts';
import { tableHash } from '../previous-backup.ts';
import { relationKey } from '../relations.ts';
import type { CriticalFacts, RowDropFacts } from './facts.ts';
import type { Seen } from './model.ts';

/**
 * The newest proven backup of the whole database that holds any of the counted tables. A table that it does not hold is
 * new, or a partition, which counts under its parent.
 * @param manifests of one series, newest first
 */
export function rowDropOf(manifests: readonly Manifest[], counted: readonly CriticalFacts[]): Seen<RowDropFacts> {
  const backup = manifests.find(({ verdict, scope }) => verdict === 'proven' && scope.content !== 'schema');
  if (backup === undefined) {
    return {
      hidden: 'There is no proven backup to compare with',
      action: 'Take a backup of this series, or look why none is proven.',
    };
  }
  const tables = new Map(
    counted
      .flatMap((rule) => rule.tables.filter(({ hidden }) => hidden === undefined))
      .map((table) => [relationKey(table), table]),
  );
  const known = [...tables.values()].flatMap(({ schema, name, rows }) => {
    const before = backup.tableStats.tables[tableHash(backup.tableStats.salt, { schema, name })];
    return before === undefined ? [] : [{ schema, name, before: before.rows, now: rows }];
  });
  if (known.length === 0) {
    return {
      hidden: `The backup ${backup.id} holds none of the critical tables that could be counted`,
      action: 'Look whether `name` and `critical-tables` are those of this database.',
    };
  }
  return { seen: { backupId: backup.id, backupAt: new Date(backup.snapshotAt), tables: known } };
}
