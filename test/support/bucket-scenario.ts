/** What tests of a backup into a bucket behind a fault proxy have in common. */
import { type Clients, clientTools } from './clients.ts';
import { availableS3Servers } from './s3-servers.ts';

/** About 14 MiB of rows: three parts of the smallest size. */
export const LARGE_TABLE = `CREATE TABLE t AS SELECT g AS id, md5(g::text) || md5((g + 1)::text) AS body FROM generate_series(1, 190000) g`;

const FORBIDDEN = '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>';
/** What a provider says to a role that lacks a right, and when it has too much to do: raw HTTP, for `answerTo`. */
export const DENIED = `HTTP/1.1 403 Forbidden\r\nContent-Type: application/xml\r\nContent-Length: ${FORBIDDEN.length}\r\nConnection: close\r\n\r\n${FORBIDDEN}`;
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
