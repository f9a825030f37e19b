/** GitHub's Actions cache, service version 2, as `@actions/cache` speaks with it: Twirp calls and one blob an entry. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ActionsCache {
  /** What a runner puts into the environment of a step. */
  readonly env: Readonly<Record<string, string>>;
  /** Finished entries by key. */
  readonly entries: Map<string, { version: string; blob: Buffer }>;
  /** Names of the calls that were answered, in order. */
  readonly calls: string[];
  /** How it answers: as it should, with 503, not at all, or as to somebody who may only read. */
  mood: 'well' | 'down' | 'silent' | 'read-only';
  stop(): Promise<void>;
}

const SERVICE = '/twirp/github.actions.results.api.v1.CacheService/';

export async function startActionsCache(): Promise<ActionsCache> {
  const pending = new Map<string, { version: string; blob: Buffer }>();
  const server = createServer((request, response) => {
    readBody(request).then(
      (body) => answer(request, body, response),
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const cache: ActionsCache = {
    env: { ACTIONS_RESULTS_URL: url, ACTIONS_RUNTIME_TOKEN: 'runtime-token', ACTIONS_CACHE_SERVICE_V2: 'true' },
    entries: new Map(),
    calls: [],
    mood: 'well',
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  function answer(request: IncomingMessage, body: Buffer, response: ServerResponse): void {
    const { pathname } = new URL(request.url ?? '', url);
    if (cache.mood === 'silent') return;
    if (cache.mood === 'down') return void response.writeHead(503).end('{"msg":"down for maintenance"}');
    if (pathname.startsWith('/blob/')) {
      blob(request, decodeURIComponent(pathname.slice('/blob/'.length)), body, response);
      return;
    }
    if (request.headers.authorization !== 'Bearer runtime-token') return void response.writeHead(401).end('{}');
    const call = pathname.slice(SERVICE.length);
    cache.calls.push(call);
    const reply = respond(call, JSON.parse(body.toString('utf8')));
    response.setHeader('content-type', 'application/json').end(JSON.stringify(reply));
  }

  function respond(call: string, { key, version }: { key: string; version: string }): object {
    const address = (name: string): string => `${url}blob/${encodeURIComponent(name)}?sig=signed`;
    if (call === 'CreateCacheEntry') {
      if (cache.mood === 'read-only') return { ok: false, message: 'cache write denied: read-only token' };
      if (cache.entries.has(key)) return { ok: false };
      pending.set(key, { version, blob: Buffer.alloc(0) });
      return { ok: true, signed_upload_url: address(key) };
    }
    if (call === 'FinalizeCacheEntryUpload') {
      const entry = pending.get(key);
      if (entry !== undefined) cache.entries.set(key, entry);
      return { ok: entry !== undefined, entry_id: '1' };
    }
    const own = [...cache.entries].filter(([, entry]) => entry.version === version);
    // The newest of those whose key begins so.
    const found = own.find(([name]) => name === key) ?? own.findLast(([name]) => name.startsWith(key));
    return found === undefined
      ? { ok: false, signed_download_url: '', matched_key: '' }
      : { ok: true, signed_download_url: address(found[0]), matched_key: found[0] };
  }

  function blob(request: IncomingMessage, key: string, body: Buffer, response: ServerResponse): void {
    const entry = pending.get(key);
    if (request.method === 'PUT') {
      if (entry !== undefined) entry.blob = body;
      return void response.writeHead(201, { etag: '"1"', 'last-modified': new Date().toUTCString() }).end();
    }
    const bytes = cache.entries.get(key)?.blob ?? Buffer.alloc(0);
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    if (from === undefined)
      return void response.setHeader('content-length', bytes.length).end(request.method === 'HEAD' ? '' : bytes);
    const part = bytes.subarray(Number(from), Number(to) + 1);
    response
      .writeHead(206, { 'content-length': part.length, 'content-range': `bytes ${from}-${to}/${bytes.length}` })
      .end(part);
  }

  return cache;
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
