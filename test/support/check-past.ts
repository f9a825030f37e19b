/** A proven backup in a directory, as far as a check reads it: its manifest, with the salted counts of tables. */
import { serializeManifest } from '../../src/domain/manifest.ts';
import { tableStats } from '../../src/domain/previous-backup.ts';
import { put } from './made-up-sets.ts';
import { manifest } from './set-documents.ts';

export interface PastBackup {
  daysAgo: number;
  databaseBytes: number;
  /** Rows of tables in `public`. */
  tables: Readonly<Record<string, number>>;
}

/** Gives its id. */
export async function makeUpBackup(root: string, series: string, past: PastBackup): Promise<string> {
  const at = new Date(Date.now() - past.daysAgo * 86_400_000).toISOString();
  const id = `${at.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '_')}_nightly_k3v9qa`;
  const good = manifest();
  const { salt } = good.tableStats;
  const counted = Object.entries(past.tables).map(([name, rows]) => ({
    schema: 'public',
    name,
    rows,
    bytes: rows * 10,
  }));
  const document = {
    ...good,
    ...{ id, name: series, label: 'nightly', snapshotAt: at },
    totals: { ...good.totals, databaseBytes: past.databaseBytes },
    tableStats: { salt, tables: tableStats(salt, counted) },
  };
  await put(root, id, { series, metadata: serializeManifest(document) });
  return id;
}
