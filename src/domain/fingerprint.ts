/** Who a source is, without saying it: so that two databases never mix in one series. */
import { createHash } from 'node:crypto';

export interface SourceIdentity {
  /** `system_identifier` of `pg_control_system()`, decimal. Readable by every role on 13 to 18 unless revoked. */
  systemIdentifier?: string;
  database: string;
  host: string;
  port: number;
  user: string;
}

/** `system` survives a change of port, host or pooler; `address` is all that is left where that right is missing. */
export type FingerprintKind = 'system' | 'address';

export interface SourceFingerprint {
  /** SHA-256, hex. */
  fingerprint: string;
  kind: FingerprintKind;
}

/** `cannot-tell` when the two were made in different ways. */
export type SourceComparison = 'same' | 'different' | 'cannot-tell';

/**
 * A stable name for a database. The database's own name is part of it and its OID is not, since a restore into a
 * new database that takes the old one's name goes on with the series. So is the provider's own project where the
 * address shows it, because images cloned by a provider share their system identifier.
 */
export function sourceFingerprint(source: SourceIdentity): SourceFingerprint {
  const project = providerProject(source.host, source.user) ?? '';
  if (source.systemIdentifier !== undefined) {
    return { fingerprint: hash('system', source.systemIdentifier, project, source.database), kind: 'system' };
  }
  const address = project === '' ? [source.host.toLowerCase(), String(source.port)] : [project];
  return { fingerprint: hash('address', ...address, source.database), kind: 'address' };
}

export function compareSource(previous: SourceFingerprint, current: SourceFingerprint): SourceComparison {
  if (previous.kind !== current.kind) return 'cannot-tell';
  return previous.fingerprint === current.fingerprint ? 'same' : 'different';
}

/**
 * Supabase: the project reference, from `db.<ref>.supabase.co` or the user `postgres.<ref>` of its poolers.
 * Neon: the endpoint, with or without `-pooler`. RDS and Aurora: the instance or cluster, since a snapshot restored
 * as a second instance keeps its system identifier.
 */
export function providerProject(host: string, user: string): string | undefined {
  const name = host.toLowerCase().replace(/\.$/, '');
  const supabaseHost = /^db\.([a-z0-9]+)\.supabase\.(?:co|com|net|red)$/.exec(name);
  if (supabaseHost?.[1] !== undefined) return `supabase:${supabaseHost[1]}`;
  const shared = sharedHostProject(host, user);
  if (shared !== undefined) return `supabase:${shared}`;
  const neon = /^(ep-[a-z0-9-]+?)(?:-pooler)?\..*neon\.(?:tech|build)$/.exec(name);
  if (neon?.[1] !== undefined) return `neon:${neon[1]}`;
  const rds = /^([a-z0-9-]+)\.(?:cluster-(?:ro-)?)?[a-z0-9]+\.([a-z0-9-]+)\.rds\.amazonaws\.com(?:\.cn)?$/.exec(name);
  if (rds?.[1] !== undefined) return `rds:${rds[1]}.${rds[2]}`;
  return undefined;
}

/** The project that a user name like `postgres.<ref>` means behind a pooler of Supabase, whose host is no project's own. */
export function sharedHostProject(host: string, user: string): string | undefined {
  if (!/\.pooler\.supabase\.[a-z]+\.?$/i.test(host)) return undefined;
  return /\.([a-z0-9]{16,})$/.exec(user)?.[1];
}

/** NUL cannot be part of any of them, so no two lists look alike. */
function hash(...parts: string[]): string {
  return createHash('sha256')
    .update(['source', ...parts].join('\0'))
    .digest('hex');
}
