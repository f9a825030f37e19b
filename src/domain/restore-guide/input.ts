/** What RESTORE.md is made of. */
import type { DatabaseFacts } from '../facts.ts';
import type { Manifest, ManifestEncryption, ManifestObject } from '../manifest.ts';
import type { Scope } from '../scope.ts';
import { shellQuote } from './step.ts';

/** Where the set lies, with nothing secret. */
export type GuideSource =
  | {
      kind: 's3';
      bucket: string;
      /** Without slashes at its ends; empty for the bucket's root. */
      prefix: string;
      /** Absent: nobody named one, and `aws` finds out. */
      region?: string;
      /** Absent: Amazon's own. */
      endpoint?: string;
      /** The endpoint demands `bucket.host` instead of `host/bucket`. */
      virtualHostStyle?: boolean;
    }
  | { kind: 'directory' /** Absolute. */; path: string };

export interface RestoreGuideInput {
  /** The series. */
  name: string;
  id: string;
  /** ISO 8601 UTC. */
  snapshotAt: string;
  source: GuideSource;
  server: Manifest['server'];
  database: Pick<DatabaseFacts, 'encoding' | 'collate' | 'ctype' | 'localeProvider' | 'locale'>;
  scope: Scope;
  encryption: ManifestEncryption;
  /** What is stored so far: archive, contents and, where it was dumped, globals. */
  objects: readonly Pick<ManifestObject, 'role' | 'name' | 'sizeBytes' | 'sha256'>[];
}

/** `s3://bucket/prefix`, without a slash at its end. */
export function s3Root(source: Extract<GuideSource, { kind: 's3' }>): string {
  return `s3://${source.bucket}${source.prefix === '' ? '' : `/${source.prefix}`}`;
}

/** Options of `aws`, quoted. */
export function s3Options(source: Extract<GuideSource, { kind: 's3' }>): string[] {
  return [
    ...(source.endpoint === undefined ? [] : [`--endpoint-url ${shellQuote(source.endpoint)}`]),
    ...(source.region === undefined ? [] : [`--region ${shellQuote(source.region)}`]),
  ];
}
