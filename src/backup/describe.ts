/** Pure: the documents of a set, made from the evidence. */
import type { ArchiveReport } from '../domain/archive-report.ts';
import { type Check, verdictOf } from '../domain/checks.ts';
import { CONTENTS_SCHEMA_VERSION, type Contents } from '../domain/contents.ts';
import { MANIFEST_SCHEMA_VERSION, type Manifest, type ManifestEncryption, publicCheck } from '../domain/manifest.ts';
import { scopeFingerprint, tableStats } from '../domain/previous-backup.ts';
import { checkGlobals } from '../domain/proof/globals.ts';
import { proveContent } from '../domain/proof.ts';
import { relationKey } from '../domain/relations.ts';
import { leavesNothingOut } from '../domain/scope.ts';
import type { BackupInputs, EncryptionChoice } from '../inputs/types.ts';
import type { Prepared } from './prepare.ts';
import type { WrittenObject } from './stored-set.ts';
import type { Taken } from './take.ts';

/** What an archive that could not be read is known to hold. */
const NOTHING: ArchiveReport = {
  tables: [],
  sequences: [],
  largeObjects: { count: 0, bytes: 0, digest: '0'.repeat(32) },
  objects: [],
  relations: [],
  extensions: [],
  plainBytes: 0,
};

export interface SetEvidence {
  id: string;
  inputs: BackupInputs;
  prepared: Prepared;
  taken: Taken;
  /** At one destination. */
  objects: readonly WrittenObject[];
}

/**
 * Every check of this backup, content first, storage last. `objects` are those of all destinations that are left.
 * @param restored of `verify: restore`
 */
export function judge(
  { inputs, taken, objects }: Pick<SetEvidence, 'inputs' | 'taken' | 'objects'>,
  restored?: Check,
): Check[] {
  const { facts, report, counting, changedDefinitions, source, globals } = taken;
  const checks = proveContent({
    scope: inputs.scope,
    facts,
    archive: report,
    counting,
    changedDefinitions,
    ...(source === undefined ? {} : { source }),
  });
  if (globals !== undefined) checks.push(checkGlobals(facts.roles, globals));
  if (restored !== undefined) checks.push(restored);
  checks.push({
    id: 'stored',
    status: 'passed',
    reason: `Storage was shown to hold the bytes that were sent, object by object: by ${evidenceWords(objects)}`,
    details: [],
  });
  return checks;
}

function evidenceWords(objects: readonly WrittenObject[]): string {
  const words: Record<string, string> = {
    'provider-checksum': "the provider's own checksum",
    'size-and-etag': 'size and ETag',
    'read-back': 'reading them back',
  };
  return [...new Set(objects.map((object) => words[object.evidence] ?? object.evidence))].join(', ');
}

/** `contents.json`, with everything by name. */
export function contentsOf({ id, inputs, taken, objects }: SetEvidence, checks: Check[]): Contents {
  const { facts } = taken;
  const report = taken.report instanceof Error ? NOTHING : taken.report;
  const archived = new Map(report.tables.map((table) => [relationKey(table), table]));
  const dumped = new Map(report.sequences.map((sequence) => [relationKey(sequence), sequence]));
  return {
    schemaVersion: CONTENTS_SCHEMA_VERSION,
    id,
    server: facts.server,
    database: facts.database,
    settings: facts.settings,
    scope: inputs.scope,
    plainObjects: objects
      .filter((object) => object.role !== 'contents')
      .map(({ role, name, plain }) => ({ role, name, ...plain })),
    digestAlgorithm: 'rows-xxh64x2',
    tables: facts.tables.flatMap((table) => {
      const block = archived.get(relationKey(table));
      if (block === undefined) return [];
      return [
        {
          ...block,
          sizeBytes: table.sizeBytes,
          ...(table.rows === undefined ? {} : { countedRows: table.rows }),
          ...(table.extensionCondition === undefined ? {} : { extensionCondition: table.extensionCondition }),
        },
      ];
    }),
    definedOnly: facts.tables
      .filter((table) => !archived.has(relationKey(table)))
      .map(({ schema, name, kind }) => ({ schema, name, kind })),
    sequences: facts.sequences.flatMap(({ schema, name, before, after }) => {
      const value = dumped.get(relationKey({ schema, name }));
      if (value === undefined) return [];
      const { lastValue, isCalled } = value;
      return [{ schema, name, dumped: { lastValue, isCalled }, before, ...(after === undefined ? {} : { after }) }];
    }),
    largeObjects: report.largeObjects,
    objects: report.objects,
    extensions: facts.extensions,
    roles: facts.roles,
    checks,
  };
}

/** The moments of a run, for the manifest. */
export interface Moments {
  startedAt: Date;
  preparedAt: Date;
  finishedAt: Date;
}

/** `metadata.json` without warnings; `salt` is random per set. */
export function manifestOf(
  evidence: SetEvidence,
  contents: Contents,
  salt: string,
  moments: Moments,
  version: string,
): Manifest {
  const { id, inputs, prepared, taken, objects } = evidence;
  const { facts } = taken;
  const seconds = (from: Date, to: Date): number => (to.getTime() - from.getTime()) / 1000;
  return {
    schemaVersion: MANIFEST_SCHEMA_VERSION,
    id,
    name: prepared.name,
    label: inputs.label,
    keepForever: inputs.keepForever,
    verdict: verdictOf(contents.checks),
    snapshotAt: facts.snapshotAt,
    finishedAt: moments.finishedAt.toISOString(),
    action: { version },
    source: { fingerprint: prepared.source.fingerprint, fingerprintKind: prepared.source.kind },
    server: { version: facts.server.version, major: facts.server.major },
    client: { version: prepared.tools.version },
    scope: {
      content: inputs.scope.content,
      wholeDatabase: leavesNothingOut(inputs.scope),
      fingerprint: scopeFingerprint(inputs.scope, salt),
    },
    encryption: encryptionOf(inputs.encryption),
    archive: { format: 'custom', compression: taken.compression },
    objects: objects.map(({ plain: _plain, ...object }) => object),
    totals: {
      tables: contents.tables.length,
      rows: contents.tables.reduce((sum, table) => sum + table.rows, 0),
      largeObjects: contents.largeObjects.count,
      plainBytes: taken.report instanceof Error ? 0 : taken.report.plainBytes,
      databaseBytes: facts.database.sizeBytes,
      storedBytes: objects.reduce((sum, object) => sum + object.sizeBytes, 0),
    },
    tableStats: { salt, tables: tableStats(salt, contents.tables, taken.facts.tables) },
    checks: contents.checks.map(publicCheck),
    warnings: [],
    timings: {
      preflightSeconds: seconds(moments.startedAt, moments.preparedAt),
      dumpSeconds: taken.dumpSeconds,
      totalSeconds: seconds(moments.startedAt, moments.finishedAt),
    },
    run: inputs.runner.run,
  };
}

export function encryptionOf(choice: EncryptionChoice): ManifestEncryption {
  return choice.method === 'age' ? { method: 'age', recipients: [...choice.recipients] } : { method: choice.method };
}
