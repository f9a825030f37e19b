/** A proven backup in a directory, as far as a check reads it: its manifest, with the salted counts of tables. */
import { type SourceFingerprint, sourceFingerprint } from '../../src/domain/fingerprint.ts';
import { serializeManifest } from '../../src/domain/manifest.ts';
import { tableStats } from '../../src/domain/previous-backup.ts';
import { put } from './made-up-sets.ts';
import type { PostgresServer } from './postgres-server.ts';
import { manifest } from './set-documents.ts';

export interface PastBackup {
  daysAgo: number;
  databaseBytes: number;
  /** Rows of tables in `public`. */
  tables: Readonly<Record<string, number>>;
  /** Of the database that it was taken of; absent: of one that is none of these. */
  source?: SourceFingerprint;
}

export async function sourceOf(server: PostgresServer, database: string): Promise<SourceFingerprint> {
  const [row] = await server.query<{ id: string }>('SELECT system_identifier::text AS id FROM pg_control_system()');
  const where = { host: '127.0.0.1', port: server.port, user: 'postgres' };
  return sourceFingerprint({ ...where, database, systemIdentifier: row?.id ?? '' });
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
  const { fingerprint, kind: fingerprintKind } = past.source ?? {
    fingerprint: good.source.fingerprint,
    kind: good.source.fingerprintKind,
  };
  const document = {
    ...good,
    source: { fingerprint, fingerprintKind },
    ...{ id, name: series, label: 'nightly', snapshotAt: at },
    totals: { ...good.totals, databaseBytes: past.databaseBytes },
    tableStats: { salt, tables: tableStats(salt, counted) },
  };
  await put(root, id, { series, metadata: serializeManifest(document) });
  return id;
}
