/** From a plan to a proven copy, part by part: fetch, roles, pg_restore, proof and ANALYZE. */
import type { CommandContext } from '../command.ts';
import type { Check } from '../domain/checks.ts';
import { displayHost } from '../domain/connection.ts';
import type { Finding } from '../domain/findings.ts';
import { roleStatements } from '../domain/globals.ts';
import { tableMatcher } from '../domain/pattern-match.ts';
import type { ClassifiedMessage, LeftOut, RecoveryPhase, RecoveryTarget } from '../domain/recovery.ts';
import { checkFetched, checkLeftOut, checkMessages } from '../domain/recovery-checks.ts';
import type { QualifiedName } from '../domain/relations.ts';
import type { TargetFacts } from '../domain/target.ts';
import { countOf } from '../domain/words.ts';
import type { RecoveryInputs } from '../inputs/types.ts';
import { analyze } from '../postgres/analyze.ts';
import { createDatabase, dropDatabase } from '../postgres/databases.ts';
import { loadingSession } from '../postgres/dump-session.ts';
import { type RestoreRun, runRestore } from '../postgres/restore.ts';
import { RESTORE_SESSION } from '../postgres/restore-process.ts';
import { runRestoreInOneTransaction } from '../postgres/restore-transaction.ts';
import { createRoles } from '../postgres/roles.ts';
import { transactionEnd } from '../postgres/transaction-end.ts';
import type { TargetAccess } from './access.ts';
import { fetchArchive } from './fetch-archive.ts';
import type { FetchedArchive } from './fetched.ts';
import type { FoundBackup } from './find.ts';
import { inLastSession } from './last-session.ts';
import type { ReferencePlace } from './prove/parts.ts';
import { proveRestored, type RestoredProof } from './prove.ts';
import { proveForeign } from './prove-foreign.ts';
import type { Settled } from './settle.ts';
import type { Timeline } from './timeline.ts';

export interface BringBackParts {
  inputs: RecoveryInputs;
  context: CommandContext;
  found: FoundBackup;
  settled: Settled;
  facts: TargetFacts;
  access: TargetAccess;
  timeline: Timeline;
}

/** What is known once the copy has been read through. */
export interface ProvenCopy {
  checks: readonly Check[];
  phases: readonly RecoveryPhase[];
  criticalTablesSeconds?: number;
  totals: RestoredProof['totals'];
  messages: readonly ClassifiedMessage[];
  leftOut: readonly LeftOut[];
  findings: readonly Finding[];
}

/** The database that is restored into, as the report names it. */
export function targetOf({ access, facts, settled }: BringBackParts): RecoveryTarget {
  const { database } = settled.strategy;
  const [host] = access.connection(database).hosts;
  return { host: displayHost(host), fingerprint: facts.fingerprint, serverVersion: facts.server.version, database };
}

/** The archive, whole and checked. */
export async function bringArchive({ found, settled, timeline }: BringBackParts): Promise<FetchedArchive> {
  const { selected, documents, keys, fetch } = found;
  const fetched = settled.fetched ?? (await fetchArchive(selected, documents?.contents, keys, fetch));
  timeline.note(`The archive was fetched from ${fetched.from} and checked`);
  return fetched;
}

/** Missing roles that were asked for. */
export async function bringRoles({
  found,
  settled,
  facts,
  access,
  context,
  timeline,
}: BringBackParts): Promise<Finding[]> {
  const names = settled.entries?.rolesToCreate ?? [];
  const globals = found.documents?.globals;
  if (names.length === 0 || globals === undefined) return [];
  const { superuser } = facts.role;
  const statements = roleStatements(globals, names, { superuser, major: facts.server.major, roles: facts.roles });
  await access.use('roles', facts.maintenanceDatabase, ({ client }) => createRoles(client, statements));
  timeline.note(`${countOf(names.length, 'role')} created, without passwords`);
  context.log.info(`Roles created, without passwords: ${names.join(', ')}`);
  return statements.ignored.map(({ what, why }) => ({
    code: 'role-part-left-out',
    severity: 'notice',
    seen: `${what} was not brought back: ${why}`,
    action: '',
  }));
}

/** Into the database of the plan. @param before of a restore in place: what is removed in the same transaction */
export async function runInto(
  parts: BringBackParts,
  { archive }: FetchedArchive,
  before?: readonly string[],
): Promise<RestoreRun> {
  const { inputs, context, settled, facts, access, timeline } = parts;
  const { tools, entries, jobs } = settled;
  const { database } = settled.strategy;
  const { log, clock, signal, workDir } = context;
  const options = {
    archive,
    ...(entries === undefined ? {} : { plan: entries }),
    tools,
    targetMajor: facts.server.major,
    owner: inputs.owner,
    privileges: inputs.privileges,
    env: await access.childEnv(tools, database),
    workDir,
    signal,
    log,
    clock,
    stallSeconds: inputs.stallTimeoutSeconds,
    askServer: loadingSession(
      access.connection(database),
      { applicationName: RESTORE_SESSION },
      { clock, log },
      signal,
    ),
  };
  const run =
    before === undefined
      ? await runRestore({ ...options, jobs, criticalTables: criticalTables(parts) })
      : await runRestoreInOneTransaction({
          ...options,
          before,
          lookUp: (session) =>
            inLastSession(access.connection(database), context, (client) => transactionEnd(client, session, clock)),
          onFailure: (end) => context.tell({ undone: end === 'undone' }),
        });
  context.tell({ messages: run.messages });
  timeline.note(`pg_restore ended: ${checkMessages(run.messages).reason}`);
  return run;
}

/** Those of the backup that the patterns mean. */
function criticalTables({ inputs, found }: BringBackParts): QualifiedName[] {
  const { contents } = found.documents ?? {};
  if (contents === undefined || inputs.criticalTables.length === 0) return [];
  const matchers = inputs.criticalTables.map(tableMatcher);
  return [...contents.tables, ...contents.definedOnly].filter((table) => matchers.some((matches) => matches(table)));
}

/**
 * The proof, and statistics for the planner. Both only read, so they run side by side: the phase `analyze` is what
 * remains of it when the proof is done. The phases of the run and of the proof follow each other.
 */
export async function proveCopy(
  parts: BringBackParts,
  fetched: FetchedArchive,
  run: RestoreRun,
  findings: readonly Finding[],
): Promise<ProvenCopy> {
  const { found, settled, context, access, timeline } = parts;
  const { clock, log } = context;
  const { database } = settled.strategy;
  const began = clock.now().getTime();
  let proven = began;
  const [proved, analyzed] = await Promise.allSettled([
    prove(parts, fetched).finally(() => {
      proven = clock.now().getTime();
    }),
    access.use('analyze', database, ({ client }) => analyze(client)),
  ]);
  if (proved.status === 'rejected') throw proved.reason;
  if (analyzed.status === 'rejected') throw analyzed.reason;
  const proof = proved.value;
  const ended = clock.now().getTime();
  for (const { id, status, reason } of proof.checks) log.info(`${id}: ${status}. ${reason}`);
  for (const { phase, seconds } of proof.phases) log.info(`${phase}: ${seconds.toFixed(1)} s`);
  const leftOut = checkLeftOut(settled.entries?.gaps ?? []);
  const checks = [
    checkFetched(found.source),
    checkMessages(run.messages),
    ...(leftOut === undefined ? [] : [leftOut]),
    ...proof.checks,
  ];
  const phases = [
    ...fetched.phases,
    ...run.phases,
    { phase: 'prove', seconds: (proven - began) / 1000 },
    { phase: 'analyze', seconds: (ended - proven) / 1000 },
  ];
  context.tell({ checks, phases });
  timeline.note(
    `The restored database was read through: ${countOf(proof.totals.tables, 'table')}, ${countOf(proof.totals.rows, 'row')}`,
  );
  return {
    checks,
    phases,
    ...(run.criticalTablesSeconds === undefined ? {} : { criticalTablesSeconds: criticalSeconds(fetched, run) }),
    totals: proof.totals,
    messages: run.messages,
    leftOut: settled.entries?.leftOut ?? [],
    findings: [...fetched.findings, ...findings, ...proof.findings],
  };
}

function criticalSeconds({ phases }: FetchedArchive, { criticalTablesSeconds = 0 }: RestoreRun): number {
  return phases.reduce((sum, { seconds }) => sum + seconds, 0) + criticalTablesSeconds;
}

async function prove(parts: BringBackParts, { archive }: FetchedArchive): Promise<RestoredProof> {
  const { inputs, context, found, settled, access } = parts;
  const { tools, toc, entries, jobs, strategy } = settled;
  const { database } = strategy;
  const { workDir, signal, log, clock } = context;
  const contents = found.documents?.contents;
  const common = { access, database, workDir, signal, log, clock, jobs, criticalTables: inputs.criticalTables };
  if (contents === undefined) return await proveForeign(common);
  if (toc === undefined || entries === undefined) throw new Error('a set has a table of contents');
  const reference = referencePlace(parts);
  return await proveRestored({
    ...common,
    alone: strategy.strategy !== 'in-place',
    contents,
    toc,
    plan: entries,
    archive,
    tools,
    owner: inputs.owner,
    privileges: inputs.privileges,
    ...(reference === undefined ? {} : { reference }),
    lockTimeoutSeconds: inputs.lockTimeoutSeconds,
  });
}

function referencePlace({ settled, access, facts, context }: BringBackParts): ReferencePlace | undefined {
  const { reference } = settled.strategy;
  if (reference === undefined) return undefined;
  const { maintenanceDatabase } = facts;
  return {
    database: reference.name,
    create: () => access.attempt('reference', maintenanceDatabase, ({ client }) => createDatabase(client, reference)),
    // Also when the run is cancelled.
    drop: () =>
      inLastSession(access.connection(maintenanceDatabase), context, (client) => dropDatabase(client, reference.name)),
  };
}
