/**
 * What tests of a failing restore have in common: a server with the database `shop` in use by an application, an
 * encrypted backup of what it held before, and the means to see that a run left the server, the backups and the rights
 * as they were.
 */
import { cp, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import pg from 'pg';
import { expect } from 'vitest';
import type { AuditFinished, AuditStarted } from '../../src/domain/audit.ts';
import type { ErrorCode } from '../../src/domain/errors.ts';
import type { RecoveryStage } from '../../src/domain/recovery.ts';
import {
  type FolderState,
  folderState,
  type Scenario,
  type ScenarioOptions,
  type ScenarioRun,
  type ScenarioRunOptions,
  startScenario,
  until,
} from './backup-scenario.ts';
import type { Clients } from './clients.ts';
import { expectNoSecret, readable } from './expect-run.ts';

/** Of the application that uses `shop`: no superuser, so a pause keeps it out. */
export const APP = 'app';

/** Everything of the server that a restore must leave as it was, or change on purpose. */
export interface World {
  /** Every database with its owner, rights, limit, comment and settings. */
  databases: Record<string, unknown>[];
  /** A digest of each table of `shop`. */
  content: Record<string, unknown>[];
}

export interface RestoreScenario {
  readonly scenario: Scenario;
  /** The secret key of the backup. */
  readonly identity: string;
  readonly recipient: string;
  /** Of the one backup. */
  readonly id: string;
  /** `shop/<id>`. */
  readonly setFolder: string;
  /** `127.0.0.1:<port>/shop`. */
  readonly fingerprint: string;
  /** Restores `latest` from the scenario's directory into `shop` beside it; inputs and variables can be replaced. */
  restore(options?: ScenarioRunOptions): Promise<ScenarioRun>;
  /** As {@link restore}: swap, or in place with all the words that it wants. */
  replace(strategy: 'swap' | 'in-place', options?: ScenarioRunOptions): Promise<ScenarioRun>;
  /** Two directories that hold the backup, for one test to spoil. */
  copies(): Promise<[first: string, second: string]>;
  look(): Promise<World>;
  /** What the application reads in `shop`: `old` is what is there, `backup` is what was backed up. */
  served(): Promise<string>;
  /** Drops what restores made, and puts the old content back. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

const TRUST = 'host all all 127.0.0.1/32 trust';

const RIGHTS = `
  CREATE ROLE ${APP} LOGIN;
  ALTER DATABASE shop SET work_mem = '5MB';
  COMMENT ON DATABASE shop IS 'the shop''s own comment';
  REVOKE CONNECT ON DATABASE shop FROM PUBLIC;
  GRANT CONNECT ON DATABASE shop TO ${APP};
  CREATE TABLE which AS SELECT 'backup'::text AS which;
  GRANT SELECT ON which TO ${APP}`;

/** The caller stops it. */
export async function startRestoreScenario(
  clients: Clients,
  { sql = '', inputs = {}, ...options }: ScenarioOptions & { inputs?: Record<string, string> } = {},
): Promise<RestoreScenario> {
  const server = { ...options.server, hba: TRUST };
  const scenario = await startScenario(clients, { ...options, server, sql: `${RIGHTS};\n${sql}` });
  try {
    await scenario.query('GRANT CONNECT ON DATABASE shop TO backup');
    const identity = await generateX25519Identity();
    const recipient = await identityToRecipient(identity);
    const run = await scenario.run({ inputs: { encryption: '', 'age-recipients': recipient, ...inputs } });
    expect(run.exitCode, run.maskedLog).toBe(0);
    await scenario.query(SPOIL);
    return new Bench(scenario, identity, recipient, run.outputs['backup-id'] ?? '');
  } catch (error) {
    await scenario.stop();
    throw error;
  }
}

/** What happened in the shop since the backup. */
const SPOIL = `UPDATE which SET which = 'old'`;

class Bench implements RestoreScenario {
  readonly scenario: Scenario;
  readonly identity: string;
  readonly recipient: string;
  readonly id: string;
  #folders = 0;

  constructor(scenario: Scenario, identity: string, recipient: string, id: string) {
    this.scenario = scenario;
    this.identity = identity;
    this.recipient = recipient;
    this.id = id;
  }

  get setFolder(): string {
    return `shop/${this.id}`;
  }

  get fingerprint(): string {
    return `127.0.0.1:${this.scenario.server.port}/shop`;
  }

  async restore(options: ScenarioRunOptions = {}): Promise<ScenarioRun> {
    return await this.scenario.run({
      ...options,
      inputs: {
        command: 'restore',
        'database-url': '',
        'target-database-url': this.scenario.server.uri('shop'),
        encryption: '',
        'age-identity': this.identity,
        ...options.inputs,
      },
    });
  }

  async replace(strategy: 'swap' | 'in-place', options: ScenarioRunOptions = {}): Promise<ScenarioRun> {
    const consent = strategy === 'in-place' ? { confirm: this.fingerprint, reason: 'a test' } : {};
    return await this.restore({ ...options, inputs: { strategy, ...consent, ...options.inputs } });
  }

  async copies(): Promise<[string, string]> {
    const home = path.join(this.scenario.folder, `copies-${++this.#folders}`);
    const copies: [string, string] = [path.join(home, 'first'), path.join(home, 'second')];
    await mkdir(home);
    for (const copy of copies) {
      await cp(path.join(this.scenario.storage, this.setFolder), path.join(copy, this.setFolder), { recursive: true });
    }
    return copies;
  }

  async look(): Promise<World> {
    return {
      databases: await this.scenario.query(DATABASES, 'postgres'),
      content: await this.scenario.query(CONTENT),
    };
  }

  async served(): Promise<string> {
    const client = new pg.Client({ connectionString: this.scenario.server.uri('shop', APP) });
    await client.connect();
    const { rows } = await client.query<{ which: string }>('SELECT which FROM which').finally(() => client.end());
    return rows[0]?.which ?? '';
  }

  async reset(): Promise<void> {
    const made = `SELECT datname FROM pg_database WHERE datname LIKE 'shop\\_%'`;
    for (const { datname } of await this.scenario.query<{ datname: string }>(made, 'postgres')) {
      await this.scenario.query(`DROP DATABASE "${datname}" WITH (FORCE)`, 'postgres');
    }
    await this.scenario.query(SPOIL);
  }

  async stop(): Promise<void> {
    await this.scenario.stop();
  }
}

const DATABASES = `SELECT d.datname::text AS name, r.rolname::text AS owner, d.datacl::text AS acl, d.datconnlimit AS limit,
    d.datallowconn AS allowed, shobj_description(d.oid, 'pg_database') AS comment,
    (SELECT array_agg(s.setconfig::text ORDER BY 1) FROM pg_db_role_setting s WHERE s.setdatabase = d.oid) AS settings
  FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba ORDER BY 1`;

const CONTENT = `SELECT format('%I.%I', nspname, relname) AS table,
    (xpath('//m/text()', query_to_xml(format(
      'SELECT md5(coalesce(string_agg(t::text, ''|'' ORDER BY t::text), '''')) AS m FROM %I.%I t', nspname, relname),
      false, true, '')))[1]::text AS digest
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
 WHERE relkind = 'r' AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema' ORDER BY 1`;

/** What was there before a run, with the directories that it may write audit records into. */
export interface Before {
  world: World;
  folders: ReadonlyMap<string, FolderState>;
}

export async function lookBefore(bench: RestoreScenario, folders = [bench.scenario.storage]): Promise<Before> {
  return { world: await bench.look(), folders: new Map(folders.map((folder) => [folder, folderState(folder)])) };
}

export interface FailedRestore {
  code: ErrorCode | readonly ErrorCode[];
  /** What annotation and summary say happened. */
  happened: readonly (string | RegExp)[];
  /** What they say is safe, beside that all backups are. */
  safety: readonly (string | RegExp)[];
  /** What they say is to be done. */
  action: readonly (string | RegExp)[];
  /** Of the audit record at the end; absent: the restore failed before it would have touched anything. */
  stage?: RecoveryStage;
  /** New sets in the directories, e.g. of the safety backup. */
  newSets?: number;
  /** A database that stays, by its name, which the words tell. */
  leftOver?: RegExp;
}

/** The server is as it was, nothing half made is left, and the words, the audit and the issue say so. */
export async function expectRestoreFailed(
  bench: RestoreScenario,
  run: ScenarioRun,
  before: Before,
  expected: FailedRestore,
): Promise<void> {
  expectRestoreWords(run, expected);
  const { databases, content } = await bench.look();
  const isLeft = ({ name }: Record<string, unknown>) => expected.leftOver?.test(String(name)) === true;
  expect({ databases: databases.filter((each) => !isLeft(each)), content }).toEqual(before.world);
  const left = databases.filter(isLeft).map(({ name }) => String(name));
  expect(left).toHaveLength(expected.leftOver === undefined ? 0 : 1);
  for (const name of left) expect(readable(run.summary)).toContain(name);
  expect(await bench.served()).toBe('old');
  for (const [folder, state] of before.folders) await expectFolder(folder, state, expected);
  await expectNothingLeft(bench, run);
}

/** One error, in annotation, summary and issue; no output but the number of the issue. */
export function expectRestoreWords(run: ScenarioRun, expected: FailedRestore): void {
  const { code, happened, safety, action } = expected;
  expect(run.exitCode, run.maskedLog).toBe(1);
  const errors = run.annotations.filter(({ title }) => title.includes('(ERR_'));
  expect(errors, run.maskedLog).toHaveLength(1);
  const [error] = errors;
  expect(error?.kind).toBe('error');
  expect(error?.title).toMatch(/^The restore( of "[^"]+")? (failed|is done, but)/);
  expect([code].flat()).toContain(/\((ERR_\w+)\)/.exec(error?.title ?? '')?.[1]);
  for (const text of [error?.message ?? '', readable(run.summary)]) {
    const [what = '', todo = ''] = text.split('What to do:');
    for (const words of [...happened, ...safety, BACKUPS]) expectWords(what, words);
    for (const words of action) expectWords(todo, words);
  }
  expect(run.summary).toContain('❌');
  const told = run.github.issues.at(-1);
  expect(told?.title).toMatch(/restore/i);
  expect(readable(told?.body ?? '')).toMatch(BACKUPS);
}

/** A damaged one was damaged before. */
const BACKUPS = /All backups are untouched|This run changed no backup/;

function expectWords(text: string, words: string | RegExp): void {
  if (typeof words === 'string') expect(text).toContain(words);
  else expect(text).toMatch(words);
}

async function expectFolder(folder: string, before: FolderState, { code, stage, newSets = 0 }: FailedRestore) {
  const after = folderState(folder);
  for (const [key, digest] of before) expect(after.get(key), key).toBe(digest);
  const fresh = [...after].filter(([key, digest]) => !before.has(key) && digest !== '').map(([key]) => key);
  const records = fresh.filter((key) => key.includes('/_audit/') || key.startsWith('_audit/'));
  const sets = fresh.filter((key) => key.endsWith('/metadata.json'));
  expect(sets).toHaveLength(newSets);
  const ofSets = fresh.filter((key) => sets.some((set) => key.startsWith(path.dirname(set))));
  expect(fresh.filter((key) => !records.includes(key) && !ofSets.includes(key))).toEqual([]);
  expect(records.map((key) => /(started|finished)\.json$/.exec(key)?.[1])).toEqual(
    stage === undefined ? [] : ['finished', 'started'],
  );
  if (stage === undefined) return;
  const [finished, started] = await Promise.all(records.map((key) => readFile(path.join(folder, key), 'utf8')));
  const begun: AuditStarted = JSON.parse(started ?? '');
  expect(begun).toMatchObject({ command: 'restore', actor: 'octocat', run: { runId: '4242424242' } });
  const end: AuditFinished = JSON.parse(finished ?? '');
  expect(end).toMatchObject({ ...begun, outcome: 'failed', failure: { stage } });
  expect([code].flat()).toContain(end.failure?.code);
}

/** No process, no session, no file and no word of a secret outlives the run. */
export async function expectNothingLeft(bench: RestoreScenario, run: ScenarioRun): Promise<void> {
  expect(run.stderr).toBe('');
  expect(run.post?.exitCode).toBe(0);
  expect(run.processesLeft).toEqual([]);
  expect(run.filesLeftBehind).toEqual([]);
  expectNoSecret(run, [bench.identity]);
  await expectNoSessions(bench);
}

export async function expectNoSessions({ scenario }: RestoreScenario): Promise<void> {
  const ours = `SELECT application_name, query FROM pg_stat_activity WHERE application_name LIKE 'db-backup-action%'`;
  const sessions = () => scenario.query(ours, 'postgres');
  expect(await until(sessions, (rows) => rows.length === 0)).toEqual([]);
}
