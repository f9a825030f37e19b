/** `max-duration-minutes`: the run ends itself, with words, before anybody else ends it without. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import { type FolderState, type Scenario, startScenario } from '../support/backup-scenario.ts';
import { clientTools } from '../support/clients.ts';
import { expectFailed, expectProven } from '../support/expect-run.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';

describeWith(await clientTools(17), 'max-duration-minutes', (clients) => {
  let scenario: Scenario;
  let before: FolderState;

  beforeAll(async () => {
    scenario = await startScenario(clients, {
      sql: `CREATE TABLE bulk AS SELECT g AS id, repeat(md5(g::text), 8) AS body FROM generate_series(1, 60000) g`,
    });
    await expectProven(scenario, await scenario.run(), new Map());
    before = scenario.state();
  });

  afterAll(() => scenario?.stop());

  test.concurrent('ends a dump that crawls on and on', async () => {
    const proxy = await startFaultProxy({ host: '127.0.0.1', port: scenario.server.port }, { bytesPerSecond: 60_000 });
    try {
      const run = await scenario.run({
        url: scenario.url({ port: proxy.port }),
        inputs: { 'max-duration-minutes': '1' },
      });
      await expectFailed(scenario, run, before, {
        code: 'ERR_DEADLINE',
        happened: ['The backup was not done after 1 minute'],
        action: ['Raise', 'max-duration-minutes', 'exclude-table-data'],
        safety: 'Nothing of this backup became visible',
      });
      expect(run.seconds).toBeGreaterThan(59);
      expect(run.seconds).toBeLessThan(75);
      expect(run.maskedLog).toMatch(/\d+ of \d+ tables/);
    } finally {
      await proxy.close();
    }
  });

  test.concurrent('ends the waiting for a lock, too', async () => {
    await scenario.query('CREATE DATABASE other', 'postgres');
    await scenario.query('CREATE TABLE accounts (id integer)', 'other');
    const holder = await scenario.connect('other');
    try {
      await holder.query('BEGIN; LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE');
      const run = await scenario.run({
        url: scenario.url({ database: 'other' }),
        inputs: { name: 'other', 'max-duration-minutes': '1', 'lock-timeout-seconds': '600' },
      });
      await holder.query('ROLLBACK');
      await expectFailed(scenario, run, before, {
        code: 'ERR_DEADLINE',
        happened: ['The backup was not done after 1 minute'],
        action: ['Raise'],
        safety: 'Nothing was written',
      });
    } finally {
      await holder.end();
    }
  });
});
