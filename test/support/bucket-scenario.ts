/** What tests of a backup into a bucket behind a fault proxy have in common. */
import { type Scenario, startScenario } from './backup-scenario.ts';
import { type Bucket, newBucket } from './bucket.ts';
import { type Clients, clientTools } from './clients.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { availableS3Servers, type S3Server, startVersitygw } from './s3-servers.ts';

/** About 14 MiB of rows: three parts of the smallest size. */
const LARGE_TABLE = `CREATE TABLE t AS SELECT g AS id, md5(g::text) || md5((g + 1)::text) AS body FROM generate_series(1, 190000) g`;

/** Makes the database `large`. */
export async function loadLarge(scenario: Scenario): Promise<void> {
  await scenario.query('CREATE DATABASE large', 'postgres');
  await scenario.query(LARGE_TABLE, 'large');
}

/** Raw HTTP, for `answerTo`. */
function refusal(code: string, message: string, status = '403 Forbidden'): string {
  const body = `<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  return `HTTP/1.1 ${status}\r\nContent-Type: application/xml\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
}

/** What a provider says to a role that lacks a right, when its session is over, where no room is left, and when it has too much to do. */
export const DENIED = refusal('AccessDenied', 'Access Denied');
export const EXPIRED = refusal('ExpiredToken', 'The provided token has expired.', '400 Bad Request');
export const NO_ROOM = refusal('QuotaExceeded', 'The quota of this bucket is used up');
export const BUSY = 'HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

export const isWrite = (head: string): boolean => /^(PUT|POST) /.test(head);
export const isGlobalsWrite = (head: string): boolean => /^PUT [^?\s]*globals\.sql/.test(head);
export const isContentsWrite = (head: string): boolean => /^PUT [^?\s]*contents\.json/.test(head);
export const isGuideWrite = (head: string): boolean => /^PUT [^?\s]*RESTORE\.md/.test(head);
export const isManifestWrite = (head: string): boolean => /^PUT [^?\s]*metadata\.json/.test(head);

/** Clients of major 17, on a machine that has versitygw. */
export async function clientsAndVersitygw(): Promise<{ clients: Clients } | { skipped: string }> {
  const clients = await clientTools(17);
  if ('skipped' in clients) return clients;
  const [versitygw] = await availableS3Servers();
  return versitygw?.available === true ? { clients } : { skipped: versitygw?.reason ?? 'no versitygw' };
}

export interface BucketScenario {
  /** With a second database `large`, of about 14 MiB of rows: three parts of the smallest size. */
  scenario: Scenario;
  server: S3Server;
  /** `backups`, past the proxy. */
  bucket: Bucket;
  /** In front of the server. */
  proxy: FaultProxy;
  stop(): Promise<void>;
}

/** The caller stops it. */
export async function startBucketScenario(clients: Clients): Promise<BucketScenario> {
  await using started = new AsyncDisposableStack();
  const scenario = await startScenario(clients);
  started.defer(() => scenario.stop());
  await loadLarge(scenario);
  const server = await startVersitygw();
  started.defer(() => server.stop());
  const bucket = await newBucket(server, 'backups');
  started.defer(() => bucket.close());
  const proxy = await startFaultProxy(server);
  started.defer(() => proxy.close());
  const all = started.move();
  return { scenario, server, bucket, proxy, stop: () => all.disposeAsync() };
}
