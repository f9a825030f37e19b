/**
 * A team that copied the templates: a database `shop`, a bucket, GitHub with its issues, and the secrets and variables
 * that the templates ask for. Everything listens on the machine itself, where jobs of the runner reach it.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import type { Manifest } from '../../../src/domain/manifest.ts';
import { type Bucket, newBucket } from '../bucket.ts';
import { loadDatabase } from '../databases/index.ts';
import { type FakeGitHub, startGitHub, TOKEN } from '../github-api.ts';
import { type PostgresServer, startPostgres } from '../postgres-server.ts';
import { startVersitygw, type Versitygw } from '../s3-servers.ts';
import type { WorkflowRig } from './rig.ts';
import { runWorkflow, type WorkflowResult, type WorkflowRun } from './run-workflow.ts';

const PASSWORD = 'S3cr3t/p@ss:w%rd';
/** Who backs up, who migrates and who restores: the first must prove who it is. */
const HBA = 'host all backup 127.0.0.1/32 scram-sha-256\nhost all postgres 127.0.0.1/32 trust';

export interface Shop {
  readonly server: PostgresServer;
  readonly s3: Versitygw;
  /** `backups`; series lie below `postgres/`. */
  readonly bucket: Bucket;
  readonly github: FakeGitHub;
  /** Pings of the heartbeat and questions about health so far, as `METHOD path`. */
  readonly heartbeats: string[];
  /** What a user sets with `gh secret set`, and what `gh variable set` does. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly vars: Readonly<Record<string, string>>;
  /** With these secrets and variables; those of the run go over them. */
  run(run: WorkflowRun): Promise<WorkflowResult>;
  /** Manifests of a series, oldest first. */
  manifests(series?: string): Promise<Manifest[]>;
  /** Keys of a series that begin with this, below its folder. */
  keys(start?: string, series?: string): Promise<string[]>;
  /** The path of a stored object on this machine. */
  fileOf(key: string, series?: string): string;
  /** Rows of every table of a database of the server, as one digest. */
  digest(database: string): Promise<string>;
  stop(): Promise<void>;
}

/** @param major of the server; that of the runner's client tools by default */
export async function startShop(rig: WorkflowRig, major = rig.clientMajor): Promise<Shop> {
  await using started = new AsyncDisposableStack();
  const server = await startPostgres({ major, hba: HBA });
  started.defer(() => server.stop());
  await loadDatabase(server, 'shop', 'shop');
  await server.query(`CREATE ROLE backup LOGIN PASSWORD '${PASSWORD}'; GRANT pg_read_all_data TO backup`);
  const s3 = await startVersitygw();
  started.defer(() => s3.stop());
  const bucket = await newBucket(s3, 'backups');
  started.defer(() => bucket.close());
  const github = await startGitHub();
  started.defer(() => github.close());
  const heart = await startHeart();
  started.defer(() => heart.close());
  const identity = await generateX25519Identity();
  const secrets = {
    ...databaseSecrets(server),
    ...keysFor(s3, 'BACKUP', 'RESTORE', 'DRILL', 'PRUNE', 'STATUS'),
    GITHUB_TOKEN: TOKEN,
    BACKUP_AGE_IDENTITY: identity,
    BACKUP_HEARTBEAT_URL: `${heart.url}/nightly`,
    DRILL_HEARTBEAT_URL: `${heart.url}/drill`,
    STATUS_HEARTBEAT_URL: `${heart.url}/status`,
  };
  const vars = {
    BACKUP_STORAGE: s3.storageUri('backups', 'postgres', { region: s3.region }),
    BACKUP_AGE_RECIPIENTS: await identityToRecipient(identity),
    DRILL_IMAGE: `postgres:${major}`,
  };
  const all = started.move();
  return {
    ...{ server, s3, bucket, github, heartbeats: heart.beats, secrets, vars },
    run: (run) =>
      runWorkflow(rig, {
        ...run,
        secrets: { ...secrets, ...run.secrets },
        vars: { ...vars, ...run.vars },
        env: { GITHUB_API_URL: github.url, ...run.env },
      }),
    ...lookInto(bucket),
    fileOf: (key, series = 'shop') => path.join(s3.dataFolder, 'backups/postgres', series, key),
    digest: (database) => digestOf(server, database),
    stop: () => all.disposeAsync(),
  };
}

/** Takes pings of the heartbeat, and questions whether the application is healthy. */
async function startHeart(): Promise<{ url: string; beats: string[]; close(): void }> {
  const beats: string[] = [];
  const heart = createServer((request, response) => {
    beats.push(`${request.method} ${request.url}`);
    response.end('OK');
  });
  await new Promise<void>((resolve) => heart.listen(0, '127.0.0.1', resolve));
  const { port } = heart.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, beats, close: () => void heart.close() };
}

function databaseSecrets(server: PostgresServer): Record<string, string> {
  const owner = server.uri('shop');
  return {
    DATABASE_URL: server.uri('shop', 'backup', PASSWORD),
    MIGRATION_DATABASE_URL: owner,
    RESTORE_DATABASE_URL: owner,
  };
}

function keysFor({ accessKeyId, secretAccessKey }: Versitygw, ...uses: readonly string[]): Record<string, string> {
  const pairs = uses.map((use) => ({
    [`${use}_ACCESS_KEY_ID`]: accessKeyId,
    [`${use}_SECRET_ACCESS_KEY`]: secretAccessKey,
  }));
  return Object.assign({}, ...pairs);
}

function lookInto(bucket: Bucket): Pick<Shop, 'keys' | 'manifests'> {
  const keys: Shop['keys'] = async (start = '', series = 'shop') => {
    const folder = `postgres/${series}/`;
    const found = (await bucket.keys()).filter((key) => key.startsWith(`${folder}${start}`));
    return found.map((key) => key.slice(folder.length));
  };
  const manifests: Shop['manifests'] = async (series = 'shop') => {
    const found = (await keys('', series)).filter((key) => /^\d[^/]*\/metadata\.json$/.test(key));
    const texts = await Promise.all(found.map((key) => bucket.read(`postgres/${series}/${key}`)));
    return texts.map((text) => JSON.parse(text.toString('utf8')) as Manifest);
  };
  return { keys, manifests };
}

async function digestOf(server: PostgresServer, database: string): Promise<string> {
  const tables = await server.query<{ name: string }>(
    `SELECT oid::regclass::text AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1`,
    database,
  );
  const digests = await Promise.all(
    tables.map(async ({ name }) => {
      const sql = `SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, ',' ORDER BY t::text)), '') AS digest FROM ${name} AS t`;
      return `${name}: ${(await server.query<{ digest: string }>(sql, database))[0]?.digest}`;
    }),
  );
  return digests.join('\n');
}
