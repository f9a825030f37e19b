/**
 * `_audit/<time>_<random>.started.json` and `.finished.json` of a prune: who removed which backups, when, by which
 * policy and for which reasons. Plain, without secrets. Format: docs/format.md, docs/prune.schema.json.
 */
import { OCCASION_SHAPE, type Occasion } from './audit.ts';
import type { Verdict } from './checks.ts';
import { type DocumentKind, parseDocument, serializeDocument } from './document.ts';
import type { ErrorCode } from './errors.ts';
import * as json from './json-reader.ts';
import { readBackupId, readSeries } from './manifest.ts';

export const PRUNE_SCHEMA_VERSION = 1;

/** Written before anything is deleted. */
export interface PruneStarted extends Occasion {
  schemaVersion: number;
  command: 'prune';
  series: string;
  /** In the words of the inputs: `keep-daily=14`. */
  policy: string[];
  /** How many finished sets stay. */
  kept: number;
  /** Finished sets that are to be removed, with the reasons. */
  removing: { id: string; snapshotAt: string; verdict: Verdict; reasons: string[] }[];
  /** Sets without a metadata.json, whose rest is to be removed. */
  clearing: string[];
  /** Records of drills and audits that are to be removed: their keys. */
  records: string[];
}

/** All of {@link PruneStarted} and how it ended, so that it can be read alone. */
export interface PruneFinished extends PruneStarted {
  finishedAt: string;
  /** `pruned`: everything that was to go is gone, or is held. */
  outcome: 'pruned' | 'failed';
  /** Ids of those that are gone. */
  removed: string[];
  /** What was to go and is still there, as a whole or in part. */
  left: { id: string; why: string }[];
  /** Of `failed`. */
  failure?: { code: ErrorCode; words: string };
}

const STARTED_SHAPE: json.Shape<PruneStarted> = {
  schemaVersion: json.count,
  command: json.oneOf('prune'),
  ...OCCASION_SHAPE,
  series: readSeries,
  policy: json.list(json.text),
  kept: json.count,
  removing: json.list(
    json.object({
      id: readBackupId,
      snapshotAt: json.utcTime,
      verdict: json.oneOf('proven', 'unproven'),
      reasons: json.list(json.text),
    }),
  ),
  clearing: json.list(readBackupId),
  records: json.list(json.text),
};

const STARTED: DocumentKind<PruneStarted> = {
  name: 'a record of a prune',
  version: PRUNE_SCHEMA_VERSION,
  read: json.object(STARTED_SHAPE),
};

const FINISHED: DocumentKind<PruneFinished> = {
  name: 'a record of a prune',
  version: PRUNE_SCHEMA_VERSION,
  read: json.object<PruneFinished>({
    ...STARTED_SHAPE,
    finishedAt: json.utcTime,
    outcome: json.oneOf('pruned', 'failed'),
    removed: json.list(readBackupId),
    left: json.list(json.object({ id: readBackupId, why: json.text })),
    failure: json.optional(
      json.object({
        code: json.matching(/^ERR_[A-Z_]+$/, 'the code of an error') as json.Reader<ErrorCode>,
        words: json.text,
      }),
    ),
  }),
};

/** Throws `ERR_MANIFEST`; a newer `schemaVersion` is refused by name. */
export function parsePruneRecord(part: 'started', text: string): PruneStarted;
export function parsePruneRecord(part: 'finished', text: string): PruneFinished;
export function parsePruneRecord(part: 'started' | 'finished', text: string): PruneStarted {
  return parseDocument(part === 'started' ? STARTED : FINISHED, text);
}

/** Fields in a fixed order. */
export function serializePruneRecord(record: PruneStarted | PruneFinished): string {
  return 'outcome' in record ? serializeDocument(FINISHED, record) : serializeDocument(STARTED, record);
}
