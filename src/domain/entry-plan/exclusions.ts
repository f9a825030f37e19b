/** What of an archive is not brought back whatever was chosen: what would act, and what the target has or cannot have. */
import type { Finding } from '../findings.ts';
import { isManagedOwner, isManagedPublication, isManagedSchema, providerOfExtension } from '../providers/managed.ts';
import type { ProviderId } from '../providers/provider.ts';
import { providerOf } from '../providers/table.ts';
import type { LeftOut } from '../recovery.ts';
import type { TargetFacts } from '../target.ts';
import { describeEntry, type TocEntry } from '../toc.ts';
import { countOf } from '../words.ts';
import { type EntryGraph, type EntryId, isAppendage } from './graph.ts';

export interface ExclusionInput {
  target: Pick<TargetFacts, 'role' | 'availableExtensions' | 'provider' | 'server'>;
  existing: { schemas: readonly string[]; extensions: readonly string[] };
  becomesProduction: boolean;
  /** The database is made for this restore: what a provider puts into its own is not in it. */
  madeNew: boolean;
}

export interface Exclusions {
  /** Not restored, and nothing that needs it either; with the reason. */
  excluded: Map<EntryId, string>;
  /** Not restored because it is there already: what needs it is restored. */
  there: Set<EntryId>;
  leftOut: LeftOut[];
  /** What belongs to the backed-up content, and this target cannot take: by name, for a verdict that is partial. */
  gaps: string[];
  findings: Finding[];
}

/** Looks at wanted entries alone. */
export function excludeEntries(graph: EntryGraph, wanted: ReadonlySet<EntryId>, input: ExclusionInput): Exclusions {
  const result: Exclusions = { excluded: new Map(), there: new Set(), leftOut: [], gaps: [], findings: [] };
  const entries = graph.entries.filter(({ dumpId }) => wanted.has(dumpId));
  leaveManaged(entries, graph, input, result);
  for (const entry of entries) {
    if (result.there.has(entry.dumpId) || result.excluded.has(entry.dumpId)) continue;
    if (entry.type === 'EXTENSION') judgeExtension(entry, input, result);
    const reason = actingReason(entry, input) ?? rowsOfExtension(entry, graph, input);
    if (reason !== undefined) result.excluded.set(entry.dumpId, reason);
    if (entry.type === 'SCHEMA' && input.existing.schemas.includes(entry.name)) {
      result.there.add(entry.dumpId);
      result.leftOut.push({
        what: `definition of schema ${entry.name}`,
        why: 'the target has it already; its owner stays as it is',
      });
    }
  }
  noteLabels(entries, result);
  return result;
}

/**
 * A provider's own schemas, and what it owns outside of schemas: there already, and changed by nobody else. In a new
 * database they are missing, and with them goes what needs them.
 */
function leaveManaged(
  entries: readonly TocEntry[],
  graph: EntryGraph,
  { target, madeNew }: ExclusionInput,
  { excluded, there, leftOut, gaps }: Exclusions,
): void {
  const provider = target.provider?.id;
  if (provider === undefined) return;
  const name = nameOf(provider);
  const schemas = new Set<string>();
  const leave = ({ dumpId }: TocEntry): void => {
    if (madeNew) excluded.set(dumpId, `it is ${name}'s own, which a new database does not have`);
    else there.add(dumpId);
  };
  for (const entry of entries) {
    const schema = entry.type === 'SCHEMA' ? entry.name : entry.schema;
    if (schema !== undefined && isManagedSchema(provider, schema)) {
      schemas.add(schema);
      leave(entry);
    } else if (isManagedAlone(entry, provider)) {
      leave(entry);
      leftOut.push({ what: describeEntry(entry), why: `${name} makes and keeps it by itself` });
    }
  }
  for (const schema of schemas) {
    gaps.push(`schema ${schema}`);
    leftOut.push({
      what: `schema ${schema} with all its rows`,
      why: `${name} makes and keeps it by itself on every database; copy rows that you need out of a \`new-database\` restore on a plain Postgres`,
    });
  }
  for (const entry of entries) {
    if (
      isAppendage(entry) &&
      entry.schema === undefined &&
      graph.dependencies(entry).some(({ dumpId }) => there.has(dumpId))
    ) {
      there.add(entry.dumpId);
    }
  }
}

function isManagedAlone({ type, name, owner }: TocEntry, provider: ProviderId): boolean {
  if (type === 'PUBLICATION') return isManagedPublication(provider, name);
  if (type === 'PUBLICATION TABLE') return isManagedPublication(provider, name.slice(0, name.indexOf(' ')));
  return ['EVENT TRIGGER', 'DEFAULT ACL', 'SERVER'].includes(type) && isManagedOwner(provider, owner);
}

/**
 * A subscription would take over the original's slot, or keep the copy from being dropped; even switched off it is
 * left out. A publication sends nothing to anyone who does not come with a slot, and the copy has none: it is
 * restored. Event triggers run other people's functions at every DDL: they belong to production alone.
 */
function actingReason(entry: TocEntry, { target, becomesProduction }: ExclusionInput): string | undefined {
  if (entry.type === 'SUBSCRIPTION' || entry.type === 'SUBSCRIPTION TABLE') {
    return 'a restored copy must not begin to replicate; create it again by hand where it is wanted';
  }
  if (entry.type !== 'EVENT TRIGGER') return undefined;
  if (!becomesProduction) return 'it would run at every definition that is made in the copy, which is not production';
  if (target.role.superuser || target.provider !== undefined) return undefined;
  return `only a superuser may create it, and ${target.role.name} is none; create it by hand`;
}

/** Rows of an extension's own tables would be there twice. */
function rowsOfExtension(entry: TocEntry, graph: EntryGraph, { existing }: ExclusionInput): string | undefined {
  if (entry.type !== 'TABLE DATA') return undefined;
  const extension = graph
    .dependencies(entry)
    .find(({ type, name }) => type === 'EXTENSION' && existing.extensions.includes(name));
  if (extension === undefined) return undefined;
  return `the target has the extension ${extension.name} already, with rows of its own in this table`;
}

function judgeExtension({ name, dumpId }: TocEntry, input: ExclusionInput, result: Exclusions): void {
  const { target, existing } = input;
  if (existing.extensions.includes(name)) return;
  if (name === 'pg_cron') {
    // citusdata/pg_cron: it can be created only in the database that cron.database_name names.
    result.excluded.set(dumpId, 'pg_cron lives in one database of a server only, and a copy must not run its jobs');
    return;
  }
  if (target.availableExtensions.includes(name)) return;
  const provider = providerOfExtension(name);
  if (provider !== undefined) {
    result.excluded.set(dumpId, `only servers of ${nameOf(provider)} have the extension ${name}`);
    result.gaps.push(`extension ${name} and what needs it`);
    return;
  }
  result.findings.push({
    code: 'extension-missing',
    severity: 'error',
    seen: `The backup needs the extension ${name}, and the target's server does not have it`,
    action: howToInstall(name, target),
  });
}

/** Debian names of what is not `postgresql-NN-<name>`; apt.postgresql.org. */
const PACKAGES: Record<string, string> = {
  postgis: 'postgis-3',
  postgis_raster: 'postgis-3',
  postgis_topology: 'postgis-3',
  postgis_sfcgal: 'postgis-3',
  postgis_tiger_geocoder: 'postgis-3',
  vector: 'pgvector',
  pg_partman: 'partman',
  pg_repack: 'repack',
  pgaudit: 'pgaudit',
  hypopg: 'hypopg',
};

function howToInstall(name: string, { provider, server }: ExclusionInput['target']): string {
  if (provider !== undefined) {
    return `Enable ${name} for the target in ${provider.name}, if it offers it; otherwise restore into another server.`;
  }
  const debian = `postgresql-${server.major}-${PACKAGES[name] ?? name.replaceAll('_', '-')}`;
  return `Install it on the target's server (Debian: \`apt-get install ${debian}\`; what comes with Postgres itself is in \`postgresql-contrib\`), or take a server image that has it.`;
}

function noteLabels(entries: readonly TocEntry[], { findings }: Exclusions): void {
  const labels = entries.filter(({ type }) => type === 'SECURITY LABEL');
  if (labels.length === 0) return;
  findings.push({
    code: 'security-labels',
    severity: 'notice',
    seen: `${countOf(labels.length, 'security label is', 'security labels are')} in the backup; each can be restored only where the extension that gives it a meaning is loaded`,
    action: 'Load it on the target (`shared_preload_libraries` or `session_preload_libraries`) if one fails.',
  });
}

function nameOf(id: ProviderId): string {
  return providerOf(id)?.name ?? id;
}
