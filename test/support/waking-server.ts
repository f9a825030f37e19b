/** A server that has not woken up, and never will: it answers every session as Postgres does while it starts. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

export interface WakingServer {
  readonly port: number;
  close(): Promise<void>;
}

/** SSLRequest and GSSENCRequest: eight bytes, of which the last four are their code. */
const ENCRYPTION_REQUESTS = [80877103, 80877104];

export async function startWakingServer(): Promise<WakingServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      const asksForEncryption = chunk.length === 8 && ENCRYPTION_REQUESTS.includes(chunk.readInt32BE(4));
      if (asksForEncryption) socket.write('N');
      else socket.end(startingUp());
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** ErrorResponse with SQLSTATE 57P03, as the postmaster sends it. */
function startingUp(): Buffer {
  const fields = Buffer.from('SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0');
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}
