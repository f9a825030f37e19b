/**
 * A TCP proxy that breaks connections in chosen ways, in front of S3, Postgres or anything else. What it does can be
 * changed while connections are open; byte counts then begin anew.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Sees the first 4 KiB of a chunk on its way to the server: for HTTP, the head of a request. */
export type RequestTest = (head: string) => boolean;

export type Direction = 'to-server' | 'to-client';

export interface Faults {
  /** Added to every chunk, each way; throughput is kept. */
  latencyMs?: number;
  /** Of all connections together, each way. */
  bytesPerSecond?: number;
  /** Which bytes the counts below count. Absent: both ways together. */
  direction?: Direction;
  /** After so many bytes of one connection: RST both ways. */
  resetAfter?: number;
  /** After so many bytes of one connection: an orderly end both ways. */
  finAfter?: number;
  /** After so many bytes of one connection nothing is forwarded any more, but the sockets stay open. */
  blackholeAfter?: number;
  /** The lowest bit of this byte (counted from 0) is inverted; counting then begins anew. */
  flipAt?: number;
  /** The byte faults above strike only so many connections; absent: all. */
  strikes?: number;
  /** New connections are reset at once; */
  refuse?: boolean;
  /** …or only the first so many of them. */
  failFirst?: number;
  /** The request whose chunk matches is forwarded, its answer never arrives: RST instead. */
  loseAnswerTo?: { request: RequestTest; times: number };
  /** The request whose chunk matches is not forwarded; `response` (raw HTTP) is sent back instead. */
  answerTo?: { request: RequestTest; times: number; response: string };
}

export interface ProxyCounts {
  connections: number;
  /** Faults that happened. */
  struck: number;
  toServerBytes: number;
  toClientBytes: number;
}

export interface FaultProxy {
  readonly host: string;
  readonly port: number;
  readonly counts: ProxyCounts;
  /** Replaces all faults, for connections that are open as well. */
  set(faults: Faults): void;
  close(): Promise<void>;
}

export async function startFaultProxy(
  target: { host: string; port: number },
  faults: Faults = {},
): Promise<FaultProxy> {
  const proxy = new TcpProxy(target, faults);
  return proxy.listen();
}

/** A queue of this many bytes makes the proxy stop reading, so that back-pressure passes through. */
const QUEUE_BYTES = 4 * 1024 * 1024;

class TcpProxy implements FaultProxy {
  readonly host = '127.0.0.1';
  port = 0;
  readonly counts: ProxyCounts = { connections: 0, struck: 0, toServerBytes: 0, toClientBytes: 0 };
  faults: Faults;
  readonly #target: { host: string; port: number };
  readonly #server: Server;
  readonly #links = new Set<Link>();
  readonly #nextFree: Record<Direction, number> = { 'to-server': 0, 'to-client': 0 };

  constructor(target: { host: string; port: number }, faults: Faults) {
    this.#target = target;
    this.faults = { ...faults };
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  }

  async listen(): Promise<FaultProxy> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, this.host, resolve);
    });
    const address = this.#server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
    return this;
  }

  set(faults: Faults): void {
    this.faults = { ...faults };
    for (const link of this.#links) link.restart();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const link of this.#links) link.reset();
    await closed;
  }

  /** When a chunk of this size may leave, by the common rate. */
  dueAt(direction: Direction, bytes: number): number {
    const now = performance.now();
    const rate = this.faults.bytesPerSecond;
    if (rate !== undefined) {
      this.#nextFree[direction] = Math.max(now, this.#nextFree[direction]) + (bytes / rate) * 1000;
    }
    const paced = rate === undefined ? now : this.#nextFree[direction];
    return paced + (this.faults.latencyMs ?? 0);
  }

  #accept(client: Socket): void {
    this.counts.connections++;
    const failing = this.faults.failFirst ?? 0;
    if (this.faults.refuse === true || failing > 0) {
      if (failing > 0) this.faults.failFirst = failing - 1;
      this.counts.struck++;
      client.on('error', ignoreBrokenSocket);
      client.resetAndDestroy();
      return;
    }
    const server = connect({ ...this.#target, allowHalfOpen: true });
    const link = new Link(this, client, server, () => this.#links.delete(link));
    this.#links.add(link);
  }
}

/** One connection through the proxy. */
class Link {
  readonly #proxy: TcpProxy;
  readonly #client: Socket;
  readonly #server: Socket;
  #counted = 0;
  #state: 'open' | 'silent' | 'answered' = 'open';
  #losing = false;

  constructor(proxy: TcpProxy, client: Socket, server: Socket, onClose: () => void) {
    this.#proxy = proxy;
    this.#client = client;
    this.#server = server;
    this.#carry(client, server, 'to-server');
    this.#carry(server, client, 'to-client');
    let open = 2;
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('close', () => {
        if (--open === 0) onClose();
        else if (socket.errored !== null || this.#state === 'silent') this.reset();
      });
    }
  }

  restart(): void {
    this.#counted = 0;
  }

  reset(): void {
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
  }

  #carry(source: Socket, sink: Socket, direction: Direction): void {
    const queue: { chunk: Buffer; dueAt: number }[] = [];
    let queued = 0;
    let ended = false;
    let busy = false;
    const drain = async (): Promise<void> => {
      if (busy) return;
      busy = true;
      for (let head = queue.shift(); head !== undefined; head = queue.shift()) {
        const wait = head.dueAt - performance.now();
        if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
        if (this.#state !== 'silent' && sink.writable) await writeOut(sink, head.chunk);
        queued -= head.chunk.byteLength;
        if (queued < QUEUE_BYTES && this.#state !== 'silent') source.resume();
      }
      busy = false;
      if (ended && this.#state !== 'silent') sink.end();
    };
    source.on('error', ignoreBrokenSocket);
    source.on('data', (chunk: Buffer) => {
      const treated = this.#treat(chunk, direction);
      if (treated === undefined) return;
      queue.push({ chunk: treated, dueAt: this.#proxy.dueAt(direction, treated.byteLength) });
      queued += treated.byteLength;
      if (queued >= QUEUE_BYTES) source.pause();
      void drain();
    });
    source.on('end', () => {
      ended = true;
      void drain();
    });
  }

  /** Applies the faults to one chunk; `undefined` when nothing is to be forwarded. */
  #treat(chunk: Buffer, direction: Direction): Buffer | undefined {
    const { faults, counts } = this.#proxy;
    if (this.#state !== 'open') return undefined;
    if (direction === 'to-server') counts.toServerBytes += chunk.byteLength;
    else counts.toClientBytes += chunk.byteLength;
    if (direction === 'to-client' && this.#losing) {
      this.reset();
      return undefined;
    }
    if (direction === 'to-server' && this.#interceptRequest(chunk)) return undefined;
    if (faults.direction !== undefined && faults.direction !== direction) return chunk;
    const before = this.#counted;
    this.#counted += chunk.byteLength;
    return this.#strike(chunk, before);
  }

  #strike(chunk: Buffer, before: number): Buffer | undefined {
    const { faults } = this.#proxy;
    const reached = (limit: number | undefined): boolean =>
      limit !== undefined && before <= limit && this.#counted > limit && this.#spendStrike();
    if (reached(faults.resetAfter)) {
      this.reset();
      return undefined;
    }
    if (reached(faults.finAfter)) {
      this.#client.end();
      this.#server.end();
      this.#state = 'answered';
      return undefined;
    }
    if (reached(faults.blackholeAfter)) {
      this.#state = 'silent';
      this.#client.pause();
      this.#server.pause();
      return undefined;
    }
    if (!reached(faults.flipAt) || faults.flipAt === undefined) return chunk;
    const flipped = Buffer.from(chunk);
    flipped[faults.flipAt - before] = (flipped[faults.flipAt - before] ?? 0) ^ 1;
    this.#counted = 0;
    return flipped;
  }

  #spendStrike(): boolean {
    const { faults, counts } = this.#proxy;
    if (faults.strikes === 0) return false;
    if (faults.strikes !== undefined) faults.strikes--;
    counts.struck++;
    return true;
  }

  #interceptRequest(chunk: Buffer): boolean {
    const { faults, counts } = this.#proxy;
    const { loseAnswerTo, answerTo } = faults;
    const head = chunk.toString('latin1', 0, 4096);
    if (loseAnswerTo !== undefined && loseAnswerTo.times > 0 && loseAnswerTo.request(head)) {
      faults.loseAnswerTo = { ...loseAnswerTo, times: loseAnswerTo.times - 1 };
      counts.struck++;
      this.#losing = true;
    }
    if (answerTo === undefined || answerTo.times <= 0 || !answerTo.request(head)) return false;
    faults.answerTo = { ...answerTo, times: answerTo.times - 1 };
    counts.struck++;
    this.#state = 'answered';
    this.#client.end(answerTo.response);
    this.#server.end();
    return true;
  }
}

async function writeOut(sink: Socket, chunk: Buffer): Promise<void> {
  if (sink.write(chunk)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      sink.off('drain', done);
      sink.off('close', done);
      resolve();
    };
    sink.once('drain', done);
    sink.once('close', done);
  });
}

/** Broken sockets are this file's business; their `close` event is what is acted on. */
function ignoreBrokenSocket(): void {}
