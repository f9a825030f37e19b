/** What tests of whole restores have in common: a shop to restore over, a real bucket, a directory, and who may look on. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Decrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { expect } from 'vitest';
import { type AuditFinished, type AuditStarted, parseAudit, parseAuditKey } from '../../src/domain/audit.ts';
import type { Contents } from '../../src/domain/contents.ts';
import type { Manifest } from '../../src/domain/manifest.ts';
import { PASSWORD, type ScenarioRun, until } from './backup-scenario.ts';
import { type Bucket, newBucket } from './bucket.ts';
import { makeToolCache } from './client-shims.ts';
import { type Clients, clientTools } from './clients.ts';
import { type DatabaseContent, liveContent, recordedContent } from './compare-databases.ts';
import { loadDatabase } from './databases/index.ts';
import { expectNoSecret, readable } from './expect-run.ts';
import { fences } from './markdown.ts';
import { availableMajors, type PostgresServer, startPostgres } from './postgres-server.ts';
import { processesWith } from './process-watch.ts';
import { schemaErrors } from './published-schemas.ts';
import { type RunOptions, runAction } from './run-action.ts';
import { availableS3Servers, type S3Server, startVersitygw } from './s3-servers.ts';

/** Restores and backs up: a superuser with a password of characters that each format treats in its own way. */
export const RESTORER = 'restorer';
/** What the shop's application connects as; it owns nothing. */
export const APP = 'shop_app';

const HBA = `host all ${RESTORER} 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust`;

/** What makes a restore hard and the demo's shop lacks. */
const MORE = `
CREATE TABLE visits (id bigint GENERATED ALWAYS AS IDENTITY, seen date NOT NULL, page text) PARTITION BY RANGE (seen);
CREATE TABLE visits_2025 PARTITION OF visits FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE visits_2026 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE visits_rest PARTITION OF visits DEFAULT;
INSERT INTO visits (seen, page) SELECT date '2025-06-01' + g % 700, '/p/' || g % 9 FROM generate_series(1, 900) g;
CREATE FUNCTION mark_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := coalesce(NEW.note, '') || '!'; RETURN NEW; END $$;
CREATE TRIGGER marked BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION mark_note();
CREATE TRIGGER silent BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION mark_note();
ALTER TABLE orders DISABLE TRIGGER silent;
CREATE MATERIALIZED VIEW not_filled AS SELECT count(*) FROM orders WITH NO DATA;
CREATE TABLE ledger (n bigint PRIMARY KEY);
INSERT INTO ledger SELECT -g FROM generate_series(1, 10) g;
ALTER TABLE orders OWNER TO shop_owner;
GRANT SELECT ON customers TO ${APP};
GRANT SELECT, INSERT ON ledger TO ${APP};`;

/** An incident: rows and a table are gone, rows are wrong, and something new is there. */
export const INCIDENT = `DROP TABLE order_items CASCADE; DELETE FROM reviews WHERE id % 2 = 0;
UPDATE customers SET email = 'lost' || id; CREATE TABLE since_then AS SELECT 42 AS answer`;

/** A server, the major's client tools, a bucket: or what this machine lacks. */
export async function recoveryNeeds(
  ...majors: readonly [number, ...number[]]
): Promise<{ clients: readonly [Clients, ...Clients[]] } | { skipped: string }> {
  const clients: Clients[] = [];
  for (const major of new Set(majors)) {
    if (!availableMajors().includes(major)) return { skipped: `npm has no server of Postgres ${major}` };
    const found = await clientTools(major);
    if ('skipped' in found) return found;
    clients.push(found);
  }
  const [versitygw] = await availableS3Servers();
  if (versitygw?.available !== true) return { skipped: versitygw?.reason ?? 'no versitygw' };
  return { clients: clients as [Clients, ...Clients[]] };
}

export interface RecoveryStage {
  readonly clients: readonly [Clients, ...Clients[]];
  /** Of the first major. */
  readonly server: PostgresServer;
  readonly s3: S3Server;
  readonly bucket: Bucket;
  /** Lines of `storage`. */
  readonly inBucket: string;
  readonly directory: string;
  /** For whatever a test needs. */
  readonly folder: string;
  readonly identity: string;
  readonly recipient: string;
  /** Another server; ended with the stage. */
  another(major: number): Promise<PostgresServer>;
  url(database: string, server?: PostgresServer): string;
  /** The shop with all that the fixture lacks, under that name. */
  loadShop(database: string, server?: PostgresServer): Promise<void>;
  /** Any command, into the bucket unless `storage` says otherwise. */
  run(inputs: Record<string, string>, options?: RunOptions): Promise<ScenarioRun>;
  /** Expects a proven backup, encrypted to `recipient` unless `inputs` say otherwise. */
  backUp(database: string, inputs?: Record<string, string>, options?: RunOptions): Promise<ScenarioRun>;
  /** `inputs` over those of a restore of `backup` into `database`. */
  restore(
    backup: string,
    database: string,
    inputs?: Record<string, string>,
    options?: RunOptions,
  ): Promise<ScenarioRun>;
  /** Of a set in the bucket or the directory. */
  manifest(uri: string): Promise<Manifest>;
  contents(uri: string): Promise<Contents>;
  /** Read by a path that shares nothing with the action. */
  content(database: string, contents: Contents, server?: PostgresServer): Promise<DatabaseContent>;
  stop(): Promise<void>;
}

/** With every major's client tools at hand. */
export async function startRecoveryStage(clients: readonly [Clients, ...Clients[]]): Promise<RecoveryStage> {
  await using started = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'recovery-'));
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const another = async (major: number): Promise<PostgresServer> => {
    const server = await startPostgres({ major, hba: HBA });
    all.defer(() => server.stop());
    await server.query(`CREATE ROLE ${RESTORER} SUPERUSER LOGIN PASSWORD '${PASSWORD.replaceAll("'", "''")}'`);
    return server;
  };
  let all: AsyncDisposableStack = started;
  const server = await another(clients[0].major);
  const s3 = await startVersitygw();
  started.defer(() => s3.stop());
  const bucket = await newBucket(s3, 'backups');
  started.defer(() => bucket.close());
  const tools = await toolsOf(clients);
  started.defer(() => tools.remove());
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  await mkdir(path.join(folder, 'home'));
  const directory = path.join(folder, 'backups');
  await mkdir(directory);
  all = started.move();

  const url: RecoveryStage['url'] = (database, at = server) => at.uri(database, RESTORER, PASSWORD);
  const inBucket = s3.storageUri('backups', 'team');
  const run: RecoveryStage['run'] = async (inputs, options = {}) => {
    const result = await runAction({
      runner: 'self-hosted',
      ...options,
      inputs: { storage: inBucket, 'connect-window-seconds': '0', 'lock-timeout-seconds': '20', ...inputs },
      env: { ...s3.env, HOME: path.join(folder, 'home'), RUNNER_TOOL_CACHE: tools.folder, ...options.env },
    });
    return { ...result, processesLeft: processesWith(result.temp).map(({ commandLine }) => commandLine) };
  };
  const read = async (uri: string, name: string): Promise<Buffer> => {
    const key = /^s3:\/\/backups\/(.*)$/.exec(uri)?.[1];
    return key === undefined ? readFileSync(path.join(uri, name)) : await bucket.read(`${key}/${name}`);
  };
  return {
    ...{ clients, server, s3, bucket, inBucket, directory, folder, identity, recipient, another, url, run },
    async loadShop(database, at = server) {
      await loadDatabase(at, database, 'shop');
      for (const role of ['shop_owner', `${APP} LOGIN`]) {
        await at.query(`CREATE ROLE ${role}`).catch(ignoreDuplicate);
      }
      await at.query(MORE, database);
    },
    async backUp(database, inputs = {}, options = {}) {
      const own = Object.keys(inputs).some((name) => /^(encryption|age-)/.test(name));
      const result = await run(
        { 'database-url': url(database), ...(own ? {} : { 'age-recipients': recipient }), ...inputs },
        options,
      );
      expect(result.exitCode, result.maskedLog).toBe(0);
      expect(result.outputs.verdict).toBe('proven');
      return result;
    },
    restore: (backup, database, inputs = {}, options = {}) => {
      const key = 'age-passphrase' in inputs ? {} : { 'age-identity': identity };
      const given = { command: 'restore', backup, 'target-database-url': url(database), ...key, ...inputs };
      return run(given, options);
    },
    manifest: async (uri) => JSON.parse((await read(uri, 'metadata.json')).toString('utf8')) as Manifest,
    async contents(uri) {
      const manifest = JSON.parse((await read(uri, 'metadata.json')).toString('utf8')) as Manifest;
      const name = manifest.objects.find(({ role }) => role === 'contents')?.name ?? '';
      const bytes = await read(uri, name);
      if (manifest.encryption.method === 'none') return JSON.parse(bytes.toString('utf8')) as Contents;
      const decrypter = new Decrypter();
      decrypter.addIdentity(identity);
      return JSON.parse(await decrypter.decrypt(bytes, 'text')) as Contents;
    },
    content: (database, contents, at = server) => {
      const client = clients.find(({ major }) => major >= at.major) ?? clients[0];
      return liveContent({ server: at, database, clients: client }, contents);
    },
    stop: () => all.disposeAsync(),
  };
}

function ignoreDuplicate(error: unknown): void {
  if ((error as { code?: string }).code !== '42710') throw error;
}

/** One tool cache with several majors in it. */
async function toolsOf([first, ...others]: readonly [Clients, ...Clients[]]) {
  const tools = await makeToolCache(first);
  for (const clients of others) {
    const bin = path.join(tools.folder, 'postgresql-client', clients.version, process.arch, 'bin');
    await mkdir(bin, { recursive: true });
    const { pgDump, pgRestore, pgDumpall, psql } = clients;
    for (const [name, target] of Object.entries({
      pg_dump: pgDump,
      pg_restore: pgRestore,
      pg_dumpall: pgDumpall,
      psql,
    }))
      await symlink(target, path.join(bin, name));
  }
  return tools;
}

/** Green and proven, the database that the output names holds what was recorded, and nothing of the run is left. */
export async function expectRestored(
  stage: RecoveryStage,
  run: ScenarioRun,
  setUri: string,
  server: PostgresServer = stage.server,
): Promise<string> {
  expect(run.exitCode, run.maskedLog).toBe(0);
  expect(run.outputs).toMatchObject({ verdict: 'passed', 'backup-uri': setUri, 'server-version': /./ });
  const database = run.outputs['restored-database'] ?? '';
  const contents = await stage.contents(setUri);
  expect(await stage.content(database, contents, server)).toEqual(recordedContent(contents));
  expect(readable(run.summary)).toMatch(/✅ Restore of .+: passed/);
  expect(run.annotations.filter(({ kind }) => kind === 'error')).toEqual([]);
  await expectNothingLeft(stage, run, server);
  return database;
}

/** No process, no session, no file, no database half made, and no word of a secret. */
export async function expectNothingLeft(
  stage: RecoveryStage,
  run: ScenarioRun,
  server: PostgresServer = stage.server,
): Promise<void> {
  expect(run.stderr).toBe('');
  expect(run.post?.exitCode).toBe(0);
  expect(run.processesLeft).toEqual([]);
  expect(run.filesLeftBehind).toEqual([]);
  expectNoSecret(run, [PASSWORD, stage.identity, stage.s3.secretAccessKey]);
  const sessions = () => server.query(`SELECT application_name FROM pg_stat_activity WHERE usename = '${RESTORER}'`);
  expect(await until(sessions, (rows) => rows.length === 0)).toEqual([]);
  const unfinished = await server.query(
    `SELECT datname FROM pg_database WHERE datname ~ '_reference_' OR (datconnlimit <> -1 AND datname !~ '^template')`,
  );
  expect(unfinished).toEqual([]);
}

/** Everything of the server that a restore could change from outside of a database. */
export async function serverState(server: PostgresServer): Promise<unknown> {
  return await server.query(
    `SELECT oid::int, datname, datdba::regrole::text AS owner, datconnlimit, datallowconn, datacl::text,
            shobj_description(oid, 'pg_database') AS comment,
            (SELECT json_agg(setconfig ORDER BY setrole) FROM pg_db_role_setting WHERE setdatabase = d.oid) AS settings,
            (SELECT json_agg(rolname ORDER BY rolname) FROM pg_roles) AS roles
       FROM pg_database d ORDER BY datname`,
  );
}

/** The commands that a summary says for one purpose, as they are typed there. */
export function commandsAfter(run: ScenarioRun, words: string | RegExp): string {
  const text = readable(run.summary);
  const at = typeof words === 'string' ? text.indexOf(words) : text.search(words);
  expect(at, text).toBeGreaterThan(-1);
  const [commands] = fences(text.slice(at), '(?:sh)?');
  expect(commands).toBeDefined();
  return commands ?? '';
}

/** Types them into a shell that knows the server, as its superuser. */
export function typeIn(stage: RecoveryStage, commands: string): string {
  const { server, clients } = stage;
  const env = { PATH: `${clients[0].bin}:${process.env.PATH}`, PGHOST: server.host, PGPORT: String(server.port) };
  const shell = spawnSync('bash', ['-e', '-c', commands], {
    env: { ...env, PGUSER: server.superuser },
    encoding: 'utf8',
  });
  expect(shell.status, `${commands}\n${shell.stderr}`).toBe(0);
  return shell.stdout;
}

export interface AuditPair {
  started: AuditStarted;
  finished: AuditFinished;
}

/** The records of one run, from the texts below `_audit/` of one destination; both must hold to the published schema. */
export function auditPair(texts: ReadonlyMap<string, string>): AuditPair {
  expect(texts.size).toBe(2);
  const parts = new Map([...texts].map(([key, text]) => [parseAuditKey(key)?.part, text]));
  expect([...parts.keys()].sort()).toEqual(['finished', 'started']);
  const [started = '', finished = ''] = [parts.get('started'), parts.get('finished')];
  for (const text of [started, finished]) expect(schemaErrors('audit', JSON.parse(text))).toEqual([]);
  return { started: parseAudit('started', started), finished: parseAudit('finished', finished) };
}

/** Keys and texts of audit records in the bucket that were not there before. */
export async function freshAudits(stage: RecoveryStage, before: readonly string[]): Promise<Map<string, string>> {
  const keys = (await stage.bucket.keys()).filter((key) => key.includes('/_audit/') && !before.includes(key));
  return new Map(
    await Promise.all(
      keys.map(async (key) => [key.replace(/^team\//, ''), (await stage.bucket.read(key)).toString('utf8')] as const),
    ),
  );
}
