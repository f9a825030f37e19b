/** What is remembered of a manifest: of ten thousand sets at once, and between runs. A thousand bytes instead of many. */
import type { Verdict } from './checks.ts';
import * as json from './json-reader.ts';
import { type Manifest, type ManifestObject, readBackupId, readObjectName, readObjectRole } from './manifest.ts';

export interface SetFacts {
  id: string;
  label: string;
  keepForever: boolean;
  verdict: Verdict;
  /** Of its snapshot, ISO 8601 UTC. */
  snapshotAt: string;
  /** The whole database with its rows, not a choice of tables or definitions alone. */
  whole: boolean;
  /** Of age; empty for a passphrase and for no encryption at all. */
  recipients: readonly string[];
  /** All but metadata.json. */
  objects: readonly Pick<ManifestObject, 'role' | 'name' | 'sizeBytes' | 'sha256'>[];
  tables: number;
  rows: number;
  plainBytes: number;
  storedBytes: number;
  /** How long taking it took. */
  seconds: number;
}

export function setFacts(manifest: Manifest): SetFacts {
  const { id, label, keepForever, verdict, snapshotAt, scope, encryption, objects, totals, timings } = manifest;
  const { tables, rows, plainBytes, storedBytes } = totals;
  return {
    ...{ id, label, keepForever, verdict, snapshotAt },
    whole: scope.content === 'all' && scope.wholeDatabase,
    recipients: encryption.method === 'age' ? encryption.recipients : [],
    objects: objects.map(({ role, name, sizeBytes, sha256 }) => ({ role, name, sizeBytes, sha256 })),
    ...{ tables, rows, plainBytes, storedBytes },
    seconds: timings.totalSeconds,
  };
}

/** Of facts that were kept between runs. */
export const readSetFacts: json.Reader<SetFacts> = json.object<SetFacts>({
  id: readBackupId,
  label: json.text,
  keepForever: json.flag,
  verdict: json.oneOf('proven', 'unproven'),
  snapshotAt: json.utcTime,
  whole: json.flag,
  recipients: json.list(json.text),
  objects: json.list(
    json.object({ role: readObjectRole, name: readObjectName, sizeBytes: json.count, sha256: json.sha256Hex }),
  ),
  tables: json.count,
  rows: json.count,
  plainBytes: json.count,
  storedBytes: json.count,
  seconds: json.amount,
});
