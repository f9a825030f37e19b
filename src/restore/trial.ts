/**
 * `verify: restore`: the archive is restored into a local server while it is being dumped, and compared with what is
 * recorded. The stored one is encrypted to keys that a backup job does not hold.
 */

import { mkdir, statfs } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { clientSearch } from '../backup/client-search.ts';
import type { Trial, TrialParts } from '../backup/trial.ts';
import type { Check } from '../domain/checks.ts';
import type { Contents } from '../domain/contents.ts';
import { type EntryPlan, planEntries } from '../domain/entry-plan.ts';
import { messageOf } from '../domain/errors.ts';
import type { CatalogFacts, DatabaseFacts } from '../domain/facts.ts';
import { checkRestore, type TrialOutcome } from '../domain/proof/restore.ts';
import type { LeftOut } from '../domain/recovery.ts';
import { quoteIdentifier } from '../domain/relations.ts';
import { assessLocale, createDatabaseSql, offeredLocale } from '../domain/strategy/creation.ts';
import type { Toc } from '../domain/toc.ts';
import { formatBytes } from '../domain/words.ts';
import { createDatabase, dropDatabase } from '../postgres/databases.ts';
import { loadingSession } from '../postgres/dump-session.ts';
import { type RestoreRun, runRestore } from '../postgres/restore.ts';
import { RESTORE_SESSION } from '../postgres/restore-process.ts';
import { type EphemeralServer, startEphemeralServer } from '../postgres/server/start.ts';
import { readToc } from '../postgres/toc.ts';
import { Supervisor } from '../runner/supervisor.ts';
import { type ExaminedTarget, examineTarget, findMissingLocales } from './examine-target.ts';
import { proveRestored } from './prove.ts';
import { ArchiveHead } from './trial/head.ts';
import { ArchiveTail } from './trial/tail.ts';

/** The copy, and its log while it is loaded. */
const SPACE_FACTOR = 1.2;
/** An empty cluster is 40 MB, and its log grows to 1 GB (domain/ephemeral-server.ts). */
const CLUSTER_BYTES = 1.1 * 1024 ** 3;
const DATABASE = 'restored';
const REFERENCE = 'reference';

/** Starts the server; see {@link Trial}. */
export async function openTrial(parts: TrialParts): Promise<Trial> {
  const trial = new StreamedTrial(parts);
  try {
    await trial.open();
  } catch (error) {
    await trial.close();
    throw error;
  }
  return trial;
}

class StreamedTrial implements Trial {
  readonly #parts: TrialParts;
  /** Fails with the trial, and not the run. */
  readonly #own: Supervisor;
  readonly #folder: string;
  #starting: Promise<EphemeralServer> | undefined;
  #target: ExaminedTarget | undefined;
  #roles: readonly string[] = [];
  #head: ArchiveHead<Toc> | undefined;
  readonly #tail = new ArchiveTail();
  #planned: { toc: Toc; plan: EntryPlan } | undefined;
  #restoring: Promise<RestoreRun> | undefined;
  /** Settles when the last byte is written and restored. */
  #restored: Promise<RestoreRun | undefined> = Promise.resolve(undefined);
  #beganAt = 0;

  constructor(parts: TrialParts) {
    this.#parts = parts;
    this.#own = new Supervisor(parts.supervisor.signal);
    this.#folder = path.join(parts.context.workDir, 'trial');
  }

  async open(): Promise<void> {
    const { inputs, prepared, context } = this.#parts;
    const { signal } = this.#own;
    await this.#attempt(async () => {
      const { env, workDir, log, clock } = context;
      await mkdir(this.#folder, { mode: 0o700 });
      await demandSpace(workDir, prepared.facts.databaseBytes);
      const search = clientSearch(inputs, context);
      const { major } = prepared.facts.server;
      this.#starting = startEphemeralServer({ major, workDir, env, search, signal, log, clock });
      const server = await this.#starting;
      this.#own.watch(server.lost);
      this.#target = await examineTarget(server.connection, {
        context: { ...context, signal },
        supervisor: this.#own,
        stallSeconds: inputs.stallTimeoutSeconds,
        connectWindowSeconds: inputs.connectWindowSeconds,
      });
    });
  }

  async begin(facts: CatalogFacts): Promise<void> {
    const { context, prepared } = this.#parts;
    this.#beganAt = context.clock.now().getTime();
    await this.#attempt(async () => {
      const target = this.#opened();
      // Owners and rights need names alone; what the roles may is in the globals, which have a check of their own.
      this.#roles = facts.roles.filter((role) => !target.facts.roles.includes(role));
      await target.access.use('trial', target.facts.maintenanceDatabase, async ({ client }) => {
        for (const role of this.#roles) await client.query(`CREATE ROLE ${quoteIdentifier(role)}`);
      });
      await this.#create(DATABASE, facts.database);
      const { tools } = prepared;
      const run = { env: { ...tools.env }, signal: this.#own.signal, known: { roles: facts.roles } };
      const file = path.join(this.#folder, 'head.backup');
      this.#head = new ArchiveHead(file, (stream) => readToc(tools, { stream }, run));
    });
  }

  async write(chunk: Uint8Array): Promise<void> {
    const head = this.#head;
    if (head === undefined || this.#own.signal.aborted) return;
    await this.#attempt(async () => {
      if (!head.isKnown) return await head.write(chunk);
      await this.#startRestore(head);
      await this.#tail.write(chunk);
    });
  }

  end(): void {
    const head = this.#head;
    if (head === undefined) return;
    head.end();
    this.#tail.end();
    this.#restored = this.#attempt(async () => {
      await this.#startRestore(head);
      return await this.#restoring;
    });
    this.#restored.catch(() => undefined);
  }

  async check(contents: Contents): Promise<Check> {
    this.#parts.context.log.info('Waiting for the restore into the local server, and for its proof …');
    const outcome = await this.#attempt(async () => {
      const run = await this.#restored;
      this.#own.signal.throwIfAborted();
      if (run === undefined) throw new Error('the archive never came to its end');
      return await this.#judge(contents, run);
    });
    return checkRestore(outcome ?? { why: messageOf(this.#own.signal.reason) });
  }

  async close(): Promise<void> {
    this.#own.fail(new Error('the trial is over'));
    this.#own.close();
    await Promise.allSettled([this.#restored, this.#restoring]);
    // One that is just starting takes itself down.
    const server = await this.#starting?.catch(() => undefined);
    await server?.stop();
  }

  /** What goes wrong ends the trial; only the end of the run is thrown. */
  async #attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    const run = this.#parts.supervisor.signal;
    run.throwIfAborted();
    if (this.#own.signal.aborted) return undefined;
    try {
      return await this.#own.guard(work());
    } catch {
      run.throwIfAborted();
      this.#parts.context.log.warning(`verify: restore is given up: ${messageOf(this.#own.signal.reason)}`);
      return undefined;
    }
  }

  #opened(): ExaminedTarget {
    if (this.#target === undefined) throw new Error('there is no local server');
    return this.#target;
  }

  /** Like the original, with its locale; throws when this machine has not got that. */
  async #create(name: string, recorded: DatabaseFacts): Promise<void> {
    const { access, facts } = this.#opened();
    const missing = await findMissingLocales(access, facts, recorded);
    const [refusal] = assessLocale(recorded, facts, missing).filter(({ severity }) => severity === 'error');
    if (refusal !== undefined) throw new Error(refusal.seen);
    const sql = createDatabaseSql(name, offeredLocale(recorded, missing), facts.server.major);
    await access.use('trial', facts.maintenanceDatabase, async ({ client }) => {
      await createDatabase(client, { name, sql, mark: 'verify: restore' });
    });
  }

  /** Once the table of contents is known; does nothing when the restore runs already. */
  async #startRestore(head: ArchiveHead<Toc>): Promise<void> {
    if (this.#planned !== undefined) return;
    const { prepared, inputs, context } = this.#parts;
    const { access, facts } = this.#opened();
    const { signal } = this.#own;
    const toc = await head.contents;
    const plan = this.#plan(toc);
    const env = await access.childEnv(prepared.tools, DATABASE);
    const { clock, log } = context;
    const key = { applicationName: RESTORE_SESSION };
    const askServer = loadingSession(access.connection(DATABASE), key, context, signal);
    this.#restoring = runRestore({
      ...{ env, signal, clock, log, plan, tools: prepared.tools, targetMajor: facts.server.major },
      archive: { kind: 'stream', format: 'custom', open: () => Promise.resolve(this.#tail.after(head.file)) },
      stallSeconds: inputs.stallTimeoutSeconds,
      askServer: async () => (this.#tail.isStarving ? 'working' : await askServer()),
      jobs: 1,
      owner: 'keep',
      privileges: 'keep',
      criticalTables: [],
      workDir: this.#folder,
    });
    this.#own.watch(this.#restoring);
    this.#planned = { toc, plan };
  }

  /** Everything: nobody else is on this server, so nothing of the backup needs to be kept from acting. */
  #plan(toc: Toc): EntryPlan {
    const { facts } = this.#opened();
    const plan = planEntries({
      toc,
      target: { ...facts, roles: [...facts.roles, ...this.#roles] },
      existing: { schemas: [], extensions: [] },
      choices: { schemas: [], tables: [], owner: 'keep', privileges: 'keep', createRoles: false },
      creatableRoles: [],
      roleUse: new Map(),
      becomesProduction: true,
      madeNew: true,
    });
    const [obstacle] = plan.findings.filter(({ severity }) => severity === 'error');
    if (obstacle !== undefined) throw new Error(`${obstacle.seen}. ${obstacle.action}`);
    return plan;
  }

  async #judge(contents: Contents, { messages }: RestoreRun): Promise<TrialOutcome> {
    const { inputs, context, prepared } = this.#parts;
    const { access, facts } = this.#opened();
    const { clock, log } = context;
    const { toc, plan } = this.#planned as { toc: Toc; plan: EntryPlan };
    const { checks } = await proveRestored({
      access,
      database: DATABASE,
      alone: true,
      contents,
      toc,
      plan,
      // Definitions are all that a reference needs, and they are all in the head.
      archive: { kind: 'file', format: 'custom', path: (this.#head as ArchiveHead<Toc>).file },
      tools: prepared.tools,
      owner: 'keep',
      privileges: 'keep',
      jobs: availableParallelism(),
      criticalTables: inputs.criticalTables,
      reference: {
        database: REFERENCE,
        create: () => this.#create(REFERENCE, contents.database),
        drop: () => access.use('trial', facts.maintenanceDatabase, ({ client }) => dropDatabase(client, REFERENCE)),
      },
      lockTimeoutSeconds: inputs.lockTimeoutSeconds,
      workDir: this.#folder,
      signal: this.#own.signal,
      log,
      clock,
    });
    return {
      serverVersion: facts.server.version,
      checks,
      messages,
      leftOut: plan.leftOut.filter(notOnPurpose),
      seconds: (clock.now().getTime() - this.#beganAt) / 1000,
    };
  }
}

/** A disk that is filled by the trial would take the backup with it. */
async function demandSpace(folder: string, databaseBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const needed = databaseBytes * SPACE_FACTOR + CLUSTER_BYTES;
  if (bavail * bsize >= needed) return;
  throw new Error(
    `A local copy of the database would need about ${formatBytes(needed)}, and ${formatBytes(bavail * bsize)} are free in ${folder}`,
  );
}

/** No restore brings subscriptions along. */
function notOnPurpose({ what }: LeftOut): boolean {
  return !what.startsWith('subscription ');
}
