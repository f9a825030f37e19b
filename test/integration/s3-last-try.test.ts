/** What is told of a request that failed at every try, and not always alike. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeBytes } from '../../src/storage/write-object.ts';
import { openLine } from '../support/storage-bench.ts';

let server: Server;
let answers: ((response: ServerResponse) => void)[];
beforeEach(async () => {
  server = createServer((request, response) => {
    request.resume().on('end', () => {
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      answer?.(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const damaged = (response: ServerResponse): unknown =>
  response.writeHead(400).end('<Error><Code>BadDigest</Code><Message>It differs.</Message></Error>');
const reset = (response: ServerResponse): unknown => response.socket?.resetAndDestroy();

function write(): Promise<unknown> {
  const { port } = server.address() as AddressInfo;
  const line = `s3://bucket/team?endpoint=http://127.0.0.1:${port}&region=us-east-1&force-path-style=true`;
  const storage = openLine(line, { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' });
  const options = { contentType: 'application/json', onlyIfAbsent: false };
  return writeBytes(storage, 'key', Buffer.from('{}'), options).finally(() => storage.close());
}

test('What the server said counts, also when the connection broke at the last try', async () => {
  answers = [damaged, reset];
  await expect(write()).rejects.toThrow('the bytes arrived damaged at every try (BadDigest)');
});

test('A connection that broke at every try is told as that', async () => {
  answers = [reset];
  await expect(write()).rejects.toThrow('the connection failed at every try');
});

test('The last of several answers counts', async () => {
  answers = [damaged, (response) => void response.writeHead(503).end('<Error><Code>SlowDown</Code></Error>')];
  await expect(write()).rejects.toThrow('SlowDown');
});
