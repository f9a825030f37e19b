/**
 * `verify: restore`: the archive is restored into a local server while it is being dumped, and compared with what is
 * recorded. The stored one is encrypted to keys that a backup job does not hold.
 */

import { createReadStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
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
import type { ClassifiedMessage, LeftOut } from '../domain/recovery.ts';
import { quoteIdentifier } from '../domain/relations.ts';
import { classifyMessages } from '../domain/restore-messages.ts';
import { assessLocale, createDatabaseSql, offeredLocale } from '../domain/strategy/creation.ts';
import type { Toc } from '../domain/toc.ts';
import { createDatabase, dropDatabase } from '../postgres/databases.ts';
import { type EphemeralServer, startEphemeralServer } from '../postgres/server/start.ts';
import { readToc } from '../postgres/toc.ts';
import { Supervisor } from '../runner/supervisor.ts';
import { type ExaminedTarget, examineTarget, findMissingLocales } from './examine-target.ts';
import { proveRestored } from './prove.ts';
import { type FeedEnd, RestoreFeed } from './trial/feed.ts';
import { ArchiveHead } from './trial/head.ts';

const DATABASE = 'restored';
const REFERENCE = 'reference';

/** Starts the server; see {@link Trial}. */
export async function openTrial(parts: TrialParts): Promise<Trial> {
  const trial = new StreamedTrial(parts);
  await trial.open();
  return trial;
}

class StreamedTrial implements Trial {
  readonly #parts: TrialParts;
  /** Fails with the trial, and not the run. */
  readonly #own: Supervisor;
  readonly #folder: string;
  #server: EphemeralServer | undefined;
  #target: ExaminedTarget | undefined;
  #roles: readonly string[] = [];
  #head: ArchiveHead<Toc> | undefined;
  #planned: { toc: Toc; plan: EntryPlan } | undefined;
  #feed: RestoreFeed | undefined;
  #ending: Promise<FeedEnd | undefined> = Promise.resolve(undefined);
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
      await mkdir(this.#folder, { mode: 0o700 });
      const { env, workDir, log, clock } = context;
      const search = clientSearch(inputs, context);
      const { major } = prepared.facts.server;
      this.#server = await startEphemeralServer({ major, workDir, env, search, signal, log, clock });
      this.#own.watch(this.#server.lost);
      this.#target = await examineTarget(this.#server.connection, {
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
      if (!head.isKnown) await head.write(chunk);
      else await (await this.#fed(head)).write(chunk);
    });
  }

  end(): void {
    const head = this.#head;
    if (head === undefined) return;
    head.end();
    this.#ending = this.#attempt(async () => {
      const feed = await this.#fed(head);
      feed.end();
      return await feed.ended;
    });
    this.#ending.catch(() => undefined);
  }

  async check(contents: Contents): Promise<Check> {
    this.#parts.context.log.info('Waiting for the restore into the local server, and for its proof …');
    const outcome = await this.#attempt(async () => {
      const end = await this.#ending;
      this.#own.signal.throwIfAborted();
      if (end === undefined) throw new Error('the archive never came to its end');
      return await this.#judge(contents, end);
    });
    return checkRestore(outcome ?? { why: messageOf(this.#own.signal.reason) });
  }

  async close(): Promise<void> {
    this.#own.fail(new Error('the trial is over'));
    this.#own.close();
    await this.#ending.catch(() => undefined);
    await this.#server?.stop();
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

  /** The running restore; begins with what of the archive has gone by already. */
  async #fed(head: ArchiveHead<Toc>): Promise<RestoreFeed> {
    if (this.#feed !== undefined) return this.#feed;
    const { prepared, inputs } = this.#parts;
    const { access, facts } = this.#opened();
    const toc = await head.contents;
    const plan = planEntries({
      toc,
      target: { ...facts, roles: [...facts.roles, ...this.#roles] },
      existing: { schemas: [], extensions: [] },
      choices: { schemas: [], tables: [], owner: 'keep', privileges: 'keep', createRoles: false },
      creatableRoles: [],
      roleUse: new Map(),
      // Nobody else is on this server, so nothing of the backup needs to be kept from acting.
      becomesProduction: true,
    });
    const [obstacle] = plan.findings.filter(({ severity }) => severity === 'error');
    if (obstacle !== undefined) throw new Error(`${obstacle.seen}. ${obstacle.action}`);
    this.#planned = { toc, plan };
    const listFile = path.join(this.#folder, 'restore.list');
    if (!plan.whole) await writeFile(listFile, `${plan.restored.map(({ line }) => line).join('\n')}\n`);
    const feed = new RestoreFeed({
      tools: prepared.tools,
      env: await access.childEnv(prepared.tools, DATABASE),
      database: DATABASE,
      ...(plan.whole ? {} : { listFile }),
      signal: this.#own.signal,
      stallSeconds: inputs.stallTimeoutSeconds,
    });
    for await (const chunk of createReadStream(head.file)) await feed.write(chunk as Buffer);
    this.#feed = feed;
    return feed;
  }

  async #judge(contents: Contents, end: FeedEnd): Promise<TrialOutcome> {
    const { inputs, context, prepared } = this.#parts;
    const { access, facts } = this.#opened();
    const { clock, log } = context;
    const { toc, plan } = this.#planned as { toc: Toc; plan: EntryPlan };
    if (end.signal !== null) throw new Error(`pg_restore was ended by ${end.signal}: ${end.stderr}`);
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
      messages: messagesOf(end, facts.server.major),
      leftOut: plan.leftOut.filter(notOnPurpose),
      seconds: (clock.now().getTime() - this.#beganAt) / 1000,
    };
  }
}

/** An exit code that no message explains is fatal. */
function messagesOf({ code, stderr, lines }: FeedEnd, targetMajor: number): ClassifiedMessage[] {
  const messages = classifyMessages(lines, { targetMajor });
  if (code === 0 || messages.length > 0) return messages;
  const text = stderr || 'nothing';
  return [{ kind: 'fatal', text, reason: `it ended with exit code ${code}` }];
}

/** No restore brings subscriptions along. */
function notOnPurpose({ what }: LeftOut): boolean {
  return !what.startsWith('subscription ');
}
