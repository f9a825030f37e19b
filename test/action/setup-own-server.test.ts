/** docs/setup/own-server.md: what its line for pg_hba.conf lets in, and what it does not. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import { type Scenario, startScenario } from '../support/backup-scenario.ts';
import { clientTools } from '../support/clients.ts';
import { expectProven } from '../support/expect-run.ts';
import { fences, readDocument } from '../support/markdown.ts';
import { makeSelfSignedCertificate } from '../support/self-signed.ts';

describeWith(await clientTools(17), 'The line of docs/setup/own-server.md', (clients) => {
  let folder: string;
  let scenario: Scenario;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'own-server-'));
    const [line = ''] = fences(readDocument('docs/setup/own-server.md'), 'conf');
    scenario = await startScenario(clients, {
      server: {
        hba: `${line}host all postgres 127.0.0.1/32 trust`,
        ssl: await makeSelfSignedCertificate(folder, ['localhost']),
        settings: { password_encryption: 'scram-sha-256' },
      },
    });
  });
  afterAll(async () => {
    await scenario?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('lets the backup in, encrypted', async () => {
    await expectProven(scenario, await scenario.run({ url: `${scenario.url()}?sslmode=require` }), new Map());
  });

  test.each([
    ['unencrypted', '?sslmode=disable', 'shop'],
    ['to another database', '?sslmode=require', 'postgres'],
  ])('lets nobody in %s', async (_, options, database) => {
    const run = await scenario.run({ url: `${scenario.url({ database })}${options}`, inputs: { 'dry-run': 'true' } });
    expect(run.exitCode).toBe(1);
    expect(run.maskedLog).toMatch(/no pg_hba\.conf entry/);
  });
});
