/** Real S3 servers for tests, benchmarks and the demo. Nothing is preinstalled: Go builds one, npm brings the other. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { messageOf } from '../../src/domain/errors.ts';
import type { Availability } from './availability.ts';
import { goProgram } from './go-program.ts';
import { clientOf } from './s3-client.ts';

export interface S3Server {
  readonly name: string;
  /** `http://127.0.0.1:PORT`. */
  readonly endpoint: string;
  readonly host: string;
  readonly port: number;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  /** The credentials and region as an action's environment holds them. */
  readonly env: Record<string, string>;
  createBucket(name: string): Promise<void>;
  /** A line of `storage`. */
  storageUri(bucket: string, prefix?: string, options?: Record<string, string>): string;
  stop(): Promise<void>;
}

/** A kind of server, and whether this machine can have it. */
export type S3ServerKind =
  | { name: string; available: true; start: () => Promise<S3Server> }
  | { name: string; available: false; reason: string };

/** The two that most tests use; those that cannot be had say why, so that tests can be skipped by name with the reason. */
export async function availableS3Servers(): Promise<S3ServerKind[]> {
  return [await versitygwKind(), fauxqsKind()];
}

/** For `describeIf`. */
export function availabilityOf(kind: S3ServerKind | undefined): Availability {
  if (kind?.available === true) return true;
  return { skipped: kind?.reason ?? 'there is no such server' };
}

async function versitygwKind(): Promise<S3ServerKind> {
  try {
    await buildVersitygw();
    return { name: 'versitygw', available: true, start: startVersitygw };
  } catch (error) {
    return { name: 'versitygw', available: false, reason: messageOf(error) };
  }
}

/** About a minute the first time. Throws a short reason when it is impossible. */
function buildVersitygw(): Promise<string> {
  return goProgram({ module: 'github.com/versity/versitygw/cmd/versitygw', version: 'v1.8.0' });
}

export interface VersitygwOptions {
  /** Every write is refused with AccessDenied; the buckets named here exist nevertheless. */
  readOnlyWith?: string[];
  /** ETags that are not made from MD5s, as Amazon's are under SSE-KMS. */
  opaqueEtags?: boolean;
  /** A user besides the owner of everything; it may do what policies of buckets allow it. */
  user?: { accessKeyId: string; secretAccessKey: string };
  /** The only one that it takes; `us-east-1` by default. */
  region?: string;
  /** Other credentials than those of the other servers. */
  keys?: { accessKeyId: string; secretAccessKey: string };
}

const USUAL_KEYS = { accessKeyId: 'AKIATESTACCESSKEY000', secretAccessKey: 'test/secret+key=0123456789abcdef' };

export interface Versitygw extends S3Server {
  /** Where it keeps its buckets, each a folder. */
  readonly dataFolder: string;
}

/** The reference server: conditional writes, checksums, versions and Object Lock are all enforced. */
export async function startVersitygw(options: VersitygwOptions = {}): Promise<Versitygw> {
  const program = await buildVersitygw();
  const folder = await mkdtemp(join(tmpdir(), 'versitygw-'));
  const [data, sidecar, versions] = [join(folder, 'data'), join(folder, 'sidecar'), join(folder, 'versions')];
  for (const path of [data, sidecar, versions]) await mkdir(path);
  for (const bucket of options.readOnlyWith ?? []) await mkdir(join(data, bucket));
  const port = await freePort();
  const region = options.region ?? 'us-east-1';
  const { accessKeyId, secretAccessKey } = options.keys ?? USUAL_KEYS;
  const args = ['--port', `127.0.0.1:${port}`, '--region', region, '--keep-alive', '--quiet'];
  if (options.readOnlyWith !== undefined) args.push('--readonly');
  if (options.user !== undefined) args.push('--iam-dir', await makeUser(folder, options.user));
  const posixArgs = ['--versioning-dir', versions, '--sidecar', sidecar];
  if (options.opaqueEtags === true) posixArgs.push('--data-integrity-etag');
  const child = spawn(program, [...args, 'posix', ...posixArgs, data], {
    stdio: 'ignore',
    env: { ...process.env, ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey },
  });
  const killWithUs = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', killWithUs);
  await waitForPort(port, child);
  const server = describeServer({ name: 'versitygw', port, accessKeyId, secretAccessKey, region }, async () => {
    process.off('exit', killWithUs);
    await ended(child);
    await rm(folder, { recursive: true, force: true });
  });
  return { ...server, dataFolder: data };
}

/** The folder of versitygw's own accounts, with one in it. */
async function makeUser(folder: string, user: NonNullable<VersitygwOptions['user']>): Promise<string> {
  const { accessKeyId: access, secretAccessKey: secret } = user;
  const iam = join(folder, 'iam');
  await mkdir(iam);
  const accounts = {
    accessAccounts: { [access]: { access, secret, role: 'user', userID: 0, groupID: 0, projectID: 0 } },
  };
  await writeFile(join(iam, 'users.json'), JSON.stringify(accounts));
  return iam;
}

function fauxqsKind(): S3ServerKind {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 5)) return { name: 'fauxqs', available: true, start: startFauxqs };
  return { name: 'fauxqs', available: false, reason: `it needs Node 22.5, this is ${process.versions.node}` };
}

/** In this process, in memory. Knows neither `If-None-Match` nor wrong secrets: for what every server can do. */
export async function startFauxqs(): Promise<S3Server> {
  const { buildApp } = await import('fauxqs');
  const app = buildApp({ logger: false, host: '127.0.0.1' });
  const port = await freePort();
  await app.listen({ port, host: '127.0.0.1' });
  const facts = { name: 'fauxqs', port, accessKeyId: 'test', secretAccessKey: 'test-secret', region: 'us-east-1' };
  return describeServer(facts, async () => {
    await app.close();
  });
}

export type ServerFacts = Pick<S3Server, 'name' | 'port' | 'accessKeyId' | 'secretAccessKey' | 'region'>;

/** The rest of a server from its facts. */
export function describeServer(facts: ServerFacts, stop: () => Promise<void>): S3Server {
  const { accessKeyId, secretAccessKey, region, port } = facts;
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    ...facts,
    endpoint,
    host: '127.0.0.1',
    env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_REGION: region },
    async createBucket(name) {
      const client = clientOf({ ...facts, endpoint });
      await client.send(new CreateBucketCommand({ Bucket: name })).finally(() => client.destroy());
    },
    storageUri(bucket, prefix = '', options = {}) {
      const query = new URLSearchParams({ endpoint, 'force-path-style': 'true', ...options });
      return `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}?${query}`;
    },
    stop,
  };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Resolves when something listens there; throws when the child ends before. */
export async function waitForPort(port: number, child: ChildProcess, limitMs = 15_000): Promise<void> {
  const until = Date.now() + limitMs;
  while (!(await portAnswers(port))) {
    if (child.exitCode !== null) throw new Error(`the server ended with code ${child.exitCode}`);
    if (Date.now() > until) throw new Error(`nothing listens on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Whether something listens there now. */
export function portAnswers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (answer: boolean) => (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', settle(true)).once('error', settle(false));
  });
}

/** Kills the child and waits for its end. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
}
