/** Everything that is decided before anything is touched: which entries of the archive go where, and how. */
import { statfs } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { clientSearch } from '../backup/client-search.ts';
import type { CommandContext } from '../command.ts';
import type { DropPlan } from '../domain/drop-plan.ts';
import { type EntryPlan, planEntries } from '../domain/entry-plan.ts';
import type { Finding } from '../domain/findings.ts';
import { creatableRoles } from '../domain/globals.ts';
import { isManagedSchema } from '../domain/providers/managed.ts';
import type { Strategy } from '../domain/recovery.ts';
import { restoreClientMajor } from '../domain/restore-client.ts';
import { assessPartial } from '../domain/strategy/partial.ts';
import { planStrategy, type StrategyPlan, strategyError } from '../domain/strategy.ts';
import type { TargetFacts } from '../domain/target.ts';
import type { Toc } from '../domain/toc.ts';
import type { RecoveryInputs } from '../inputs/types.ts';
import { type ClientTools, findClientTools } from '../postgres/client-tools.ts';
import { readRoleUse, readToc, type TocSource } from '../postgres/toc.ts';
import type { TargetAccess } from './access.ts';
import { readDropPlan } from './drop-plan.ts';
import { findMissingLocales } from './examine-target.ts';
import { fetchArchive, openArchiveHead } from './fetch-archive.ts';
import type { FetchedArchive } from './fetched.ts';
import type { FoundBackup } from './find.ts';

export interface SettleParts {
  inputs: RecoveryInputs;
  context: CommandContext;
  found: FoundBackup;
  facts: TargetFacts;
  access: TargetAccess;
  strategy: Strategy;
  confirm?: string;
  reason?: string;
  requireSecondPerson?: boolean;
  checkConfirm?: boolean;
  safetyBackup: boolean;
  pauseWrites: boolean;
}

export interface Settled {
  tools: ClientTools;
  jobs: number;
  /** Absent for a plain dump, which is restored as it is. */
  toc?: Toc;
  entries?: EntryPlan;
  strategy: StrategyPlan;
  /** Of `in-place`. */
  drop?: DropPlan;
  /** A dump made by other means shows what it is only when it is read, so that is fetched already. */
  fetched?: FetchedArchive;
  findings: readonly Finding[];
}

/** What an archive is to pg_restore before it is fetched: asked twice, so a stream is opened each time. */
type OpenHead = () => Promise<TocSource>;

/**
 * Reads the target, the client tools and the head of the archive, and plans. Nothing is touched.
 * Throws one error for all that is in the way (`strategyError`), what `findClientTools` throws, and `ERR_PATTERN`.
 */
export async function settle(parts: SettleParts): Promise<Settled> {
  const { inputs, context, found, facts } = parts;
  const fetched = found.selected.kind === 'foreign' ? await fetchForPlan(found) : undefined;
  const archiveMajor = found.source.major ?? facts.server.major;
  const major = restoreClientMajor(archiveMajor, facts.server.major);
  const { tools, findings: aboutTools } = await findClientTools(major, clientSearch(inputs, context));
  context.log.info(`pg_restore ${tools.version} (${tools.source}: ${tools.pgRestore})`);
  const plain = fetched?.archive.format === 'sql';
  const planned = plain ? undefined : await planArchive(parts, tools, headOf(found, fetched));
  const strategy = await planTarget(parts, fetched);
  const findings = [
    ...inputs.notices,
    ...found.findings,
    ...aboutTools,
    ...strategy.findings,
    ...assessPartial({
      strategy: strategy.strategy,
      targetIsEmpty: strategy.targetIsEmpty,
      source: found.source,
      gaps: planned?.entries.gaps ?? [],
      acceptPartial: inputs.acceptPartial,
    }),
    ...(planned?.entries.findings ?? []),
    ...(planned?.drop?.findings ?? []),
    ...(plain && strategy.strategy === 'in-place' ? [PLAIN_IN_PLACE] : []),
    ...(fetched?.findings ?? []),
  ];
  context.tell({ findings });
  const error = strategyError(findings);
  if (error !== undefined) throw error;
  return {
    tools,
    jobs: inputs.jobs ?? availableParallelism(),
    ...planned,
    strategy,
    ...(fetched === undefined ? {} : { fetched }),
    findings,
  };
}

const PLAIN_IN_PLACE: Finding = {
  code: 'plain-dump-in-place',
  severity: 'error',
  seen: 'The backup is a plain SQL dump, which is not restored in place: what it would drop and leave half done cannot be known',
  action: 'Use `strategy: new-database` or `swap`.',
};

async function fetchForPlan({ selected, keys, fetch }: FoundBackup): Promise<FetchedArchive> {
  return await fetchArchive(selected, undefined, keys, fetch);
}

function headOf({ selected, keys, fetch }: FoundBackup, fetched: FetchedArchive | undefined): OpenHead {
  return async () => {
    if (fetched === undefined) return { stream: await openArchiveHead(selected, keys, fetch) };
    const { archive } = fetched;
    return archive.kind === 'file' ? { path: archive.path } : { stream: await archive.open() };
  };
}

async function planArchive(
  parts: SettleParts,
  tools: ClientTools,
  openHead: OpenHead,
): Promise<{ toc: Toc; entries: EntryPlan; drop?: DropPlan }> {
  const { inputs, context, found, facts, access, strategy } = parts;
  const { documents } = found;
  const run = { env: { ...toolEnv(context.env), ...tools.env }, signal: context.signal, workDir: context.workDir };
  const roles = documents?.globals === undefined ? [] : creatableRoles(documents.globals);
  const toc = await readToc(tools, await openHead(), { ...run, known: { roles: [...roles, ...facts.roles] } });
  const roleUse = await readRoleUse(tools, await openHead(), toc, run);
  const planFor = (existing: { schemas: readonly string[]; extensions: readonly string[] }): EntryPlan =>
    planEntries({
      toc,
      target: facts,
      existing,
      choices: inputs,
      creatableRoles: roles,
      roleUse,
      becomesProduction: strategy !== 'new-database',
      madeNew: strategy !== 'in-place',
    });
  const entries = planFor({ schemas: [], extensions: [] });
  if (strategy !== 'in-place' || !facts.exists) return { toc, entries };
  const drop = await readDropPlan(access, facts, {
    restored: entries.restored,
    onlyTables: inputs.tables.length > 0,
    // A dump of chosen schemas says CREATE SCHEMA public; one of a whole database takes it for granted.
    createsPublic: (documents?.contents.scope.schemas.length ?? 0) > 0,
    managedSchemas: managedSchemas(facts),
  });
  return { toc, drop, entries: planFor({ schemas: drop.keptSchemas, extensions: drop.keptExtensions }) };
}

/** pg_restore without a connection needs nothing else. */
function toolEnv({ PATH, HOME }: CommandContext['env']): Record<string, string> {
  return { ...(PATH === undefined ? {} : { PATH }), ...(HOME === undefined ? {} : { HOME }), LC_ALL: 'C' };
}

async function planTarget(parts: SettleParts, fetched: FetchedArchive | undefined): Promise<StrategyPlan> {
  const { inputs, context, found, facts, access, confirm, reason } = parts;
  const recorded = found.documents?.contents.database;
  const space = await statfs(context.workDir);
  return planStrategy({
    strategy: parts.strategy,
    target: facts,
    ...(recorded === undefined ? {} : { recorded }),
    ...(found.source.major === undefined ? {} : { sourceMajor: found.source.major }),
    ...(confirm === undefined ? {} : { confirm }),
    ...(reason === undefined ? {} : { reason }),
    requireSecondPerson: parts.requireSecondPerson ?? false,
    dryRun: inputs.dryRun && parts.checkConfirm !== true,
    allowOlderMajor: inputs.allowOlderMajor,
    backupId: found.source.id,
    run: inputs.runner.run?.url ?? `${context.version} on this machine, ${context.clock.now().toISOString()}`,
    missingLocales: await findMissingLocales(access, facts, recorded ?? facts.database),
    space: {
      ...(recorded === undefined ? {} : { databaseBytes: recorded.sizeBytes }),
      archiveBytes: fetched === undefined ? archiveBytes(found) : 0,
      localFreeBytes: space.bavail * space.bsize,
    },
    managedSchemas: managedSchemas(facts),
    safetyBackup: parts.safetyBackup,
    pauseWrites: parts.pauseWrites,
  });
}

function archiveBytes({ documents }: FoundBackup): number {
  const archives = documents?.contents.plainObjects.filter(({ role }) => role === 'archive') ?? [];
  return archives.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function managedSchemas({ provider, objectsBySchema }: TargetFacts): string[] {
  return objectsBySchema.map(({ schema }) => schema).filter((schema) => isManagedSchema(provider?.id, schema));
}
