/**
 * An HTTP server in front of an S3 server that looks at every request: it refuses what other providers refuse, ends
 * TLS, or takes session tokens that the server behind it does not know. Bodies pass through as they are.
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { S3Server } from './s3-servers.ts';

export interface GatewayRequest {
  method: string;
  /** Without the query. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
}

/** An answer instead of the server's. */
export interface Refusal {
  status: number;
  code: string;
  message: string;
  headers?: Record<string, string>;
}

export type Judge = (request: GatewayRequest) => Refusal | undefined;

export interface GatewayOptions {
  judge?: Judge;
  /** Gives the headers for the server behind, e.g. signed by other credentials. */
  rewrite?: (request: GatewayRequest) => Promise<IncomingHttpHeaders>;
  /** Changes the body of an answer; absent: it passes as it is. */
  retell?: (request: GatewayRequest) => ((body: string) => string) | undefined;
  /** Serves https:// with this; PEM. */
  tls?: { key: string; cert: string };
}

export interface Gateway {
  readonly endpoint: string;
  readonly host: string;
  readonly port: number;
  /** Every request so far, refused ones included. */
  readonly requests: GatewayRequest[];
  close(): Promise<void>;
}

export async function startGateway(server: S3Server, options: GatewayOptions = {}): Promise<Gateway> {
  const requests: GatewayRequest[] = [];
  const serve = (incoming: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(incoming.url ?? '/', 'http://gateway');
    const seen = {
      method: incoming.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
    };
    requests.push(seen);
    const refusal = options.judge?.(seen);
    const answered =
      refusal === undefined ? forward(server, incoming, response, seen, options) : refuse(incoming, response, refusal);
    answered.catch(() => response.destroy());
  };
  const front = options.tls === undefined ? createServer(serve) : createTlsServer(options.tls, serve);
  await new Promise<void>((resolve, reject) => {
    front.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = front.address() as AddressInfo;
  const scheme = options.tls === undefined ? 'http' : 'https';
  return {
    endpoint: `${scheme}://127.0.0.1:${port}`,
    host: '127.0.0.1',
    port,
    requests,
    close: () =>
      new Promise((resolve) => {
        front.close(() => resolve());
        front.closeAllConnections();
      }),
  };
}

async function forward(
  server: S3Server,
  incoming: IncomingMessage,
  response: ServerResponse,
  seen: GatewayRequest,
  { rewrite, retell }: GatewayOptions,
): Promise<void> {
  const headers = rewrite === undefined ? incoming.headers : await rewrite(seen);
  const { host, port } = server;
  const outgoing = request({ host, port, method: seen.method, path: incoming.url, headers });
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve).once('error', reject);
  });
  const [answered] = await Promise.all([answer, pipeline(incoming, outgoing)]);
  const reword = retell?.(seen);
  if (reword === undefined) {
    response.writeHead(answered.statusCode ?? 502, answered.headers);
    await pipeline(answered, response);
    return;
  }
  const { 'content-length': _, 'transfer-encoding': __, ...others } = answered.headers;
  response.writeHead(answered.statusCode ?? 502, others);
  response.end(reword(await textOf(answered)));
}

async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** Takes the whole body first, as real servers behind load balancers do. */
async function refuse(incoming: IncomingMessage, response: ServerResponse, refusal: Refusal): Promise<void> {
  for await (const _chunk of incoming);
  const { status, code, message, headers } = refusal;
  response.writeHead(status, { 'content-type': 'application/xml', ...headers });
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  response.end(incoming.method === 'HEAD' ? undefined : body);
}
