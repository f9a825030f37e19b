/** A service that waits for calls of jobs: a real HTTP or HTTPS server that remembers what it was told. */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface Call {
  method: string;
  path: string;
  query: Record<string, string>;
  body: string;
}

/** `hang` takes the request and never answers, `reset` ends the connection. */
export type Answer = { status: number; location?: string; retryAfter?: number } | 'hang' | 'reset';

export interface WatchingService {
  /** Without a slash at its end. */
  readonly url: string;
  readonly calls: Call[];
  /** Of each call, in the same order. */
  readonly headers: IncomingHttpHeaders[];
  /** `POST /ping/…/start` of each call. */
  heard(): string[];
  /** Asked for every call; 200 by default. */
  answer: (call: Call) => Answer;
  close(): Promise<void>;
}

export interface Certificate {
  /** Paths of PEM files. */
  cert: string;
  key: string;
}

/** @param certificate makes it a server of HTTPS, whose name is localhost then */
export async function startWatchingService(certificate?: Certificate): Promise<WatchingService> {
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    serve(service, request, response).catch((error: unknown) => response.destroy(error as Error));
  };
  const server =
    certificate === undefined
      ? createServer(listener)
      : createSecureServer({ cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) }, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const calls: Call[] = [];
  const service: WatchingService = {
    url: certificate === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`,
    calls,
    headers: [],
    heard: () => calls.map(({ method, path }) => `${method} ${path}`),
    answer: () => ({ status: 200 }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return service;
}

async function serve(service: WatchingService, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', service.url);
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  const call = { method: request.method ?? '', path: url.pathname, query: Object.fromEntries(url.searchParams), body };
  service.calls.push(call);
  service.headers.push(request.headers);
  const answer = service.answer(call);
  if (answer === 'hang') return;
  if (answer === 'reset') return void response.destroy();
  const { status, location, retryAfter } = answer;
  response.writeHead(status, {
    ...(location === undefined ? {} : { location }),
    ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
  });
  response.end('OK');
}
