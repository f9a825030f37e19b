/** Buckets that a status looks at through a gateway: one for each test, on one real server. */
import type { Storage } from '../../src/ports.ts';
import { type JudgedServer, startJudgedServer } from './judged-server.ts';
import type { GatewayRequest } from './s3-gateway.ts';
import { startVersitygw, type Versitygw } from './s3-servers.ts';
import { openLine } from './storage-bench.ts';

export interface StatusBucket {
  name: string;
  /** The line of `storage`, through the gateway. */
  line: string;
  /** The same place, past it. */
  storage: Storage;
}

export interface StatusBuckets {
  readonly judged: JudgedServer<Versitygw>;
  readonly server: Versitygw;
  /** Empty; whatever was asked before is forgotten. */
  next(): Promise<StatusBucket>;
  stop(): Promise<void>;
}

export async function startStatusBuckets(): Promise<StatusBuckets> {
  const judged = await startJudgedServer(() => startVersitygw());
  const { server, gateway } = judged;
  let count = 0;
  return {
    judged,
    server,
    next: async () => {
      judged.judge = undefined;
      const name = `status-${++count}`;
      await server.createBucket(name);
      gateway.requests.length = 0;
      return {
        name,
        line: server.storageUri(name, 'team', { endpoint: gateway.endpoint }),
        storage: openLine(server.storageUri(name, 'team'), server.env),
      };
    },
    stop: () => judged.stop(),
  };
}

export function isList({ query }: GatewayRequest): boolean {
  return query.has('list-type');
}
