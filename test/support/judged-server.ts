/** A real S3 server behind a gateway, where a test sits in judgement over each request. */
import type { S3Client } from '@aws-sdk/client-s3';
import { clientOf } from './s3-client.ts';
import { type Gateway, type GatewayOptions, type GatewayRequest, type Judge, startGateway } from './s3-gateway.ts';
import type { S3Server } from './s3-servers.ts';

export interface JudgedServer<Server extends S3Server = S3Server> {
  readonly server: Server;
  readonly gateway: Gateway;
  /** Of the owner, past the gateway. */
  readonly client: S3Client;
  /** Refuses what it wants to; absent: everything passes. */
  judge: Judge | undefined;
  /** Changes the body of an answer; absent: all pass as they are. */
  retell: GatewayOptions['retell'];
  /** What others do before a request arrives. */
  meanwhile: ((request: GatewayRequest) => Promise<unknown>) | undefined;
  stop(): Promise<void>;
}

export async function startJudgedServer<Server extends S3Server>(
  start: () => Promise<Server>,
): Promise<JudgedServer<Server>> {
  const server = await start();
  const gateway = await startGateway(server, {
    judge: (request) => judged.judge?.(request),
    retell: (request) => judged.retell?.(request),
    rewrite: async (request) => {
      await judged.meanwhile?.(request);
      return request.headers;
    },
  });
  const client = clientOf(server);
  const judged: JudgedServer<Server> = {
    ...{ server, gateway, client, judge: undefined, retell: undefined, meanwhile: undefined },
    async stop() {
      client.destroy();
      await gateway.close();
      await server.stop();
    },
  };
  return judged;
}
