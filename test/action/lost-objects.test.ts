/** A storage that loses something of a backup between its check and the marker: never green. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { DeleteObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import { type Scenario, type ScenarioRun, startScenario } from '../support/backup-scenario.ts';
import { clientsAndVersitygw } from '../support/bucket-scenario.ts';
import { expectFailureWords, expectTidy } from '../support/expect-run.ts';
import { type JudgedServer, startJudgedServer } from '../support/judged-server.ts';
import { startVersitygw } from '../support/s3-servers.ts';

const Bucket = 'backups';

describeWith(await clientsAndVersitygw(), 'A bucket', ({ clients }) => {
  let scenario: Scenario;
  let judged: JudgedServer;

  beforeAll(async () => {
    scenario = await startScenario(clients);
    judged = await startJudgedServer(() => startVersitygw());
    await judged.server.createBucket(Bucket);
  });
  beforeEach(() => {
    judged.meanwhile = undefined;
  });
  afterAll(async () => {
    await judged?.stop();
    await scenario?.stop();
  });

  /** Into a prefix of its own; `strike` happens to the archive when the roles are about to be stored. */
  function backUp(prefix: string, strike: (Key: string) => Promise<unknown>, ...more: string[]): Promise<ScenarioRun> {
    judged.meanwhile = async ({ method, path: url }) => {
      if (method !== 'PUT' || !url.endsWith('/globals.sql')) return;
      await strike(url.slice(`/${Bucket}/`.length).replace('globals.sql', 'database.backup'));
    };
    const line = judged.server.storageUri(Bucket, prefix, { endpoint: judged.gateway.endpoint });
    return scenario.run({ inputs: { storage: [line, ...more].join('\n') }, env: judged.server.env });
  }

  const lose = (Key: string) => judged.client.send(new DeleteObjectCommand({ Bucket, Key }));
  const cut = (Key: string) => judged.client.send(new PutObjectCommand({ Bucket, Key, Body: 'cut' }));

  async function keys(Prefix: string): Promise<string[]> {
    const { Contents = [] } = await judged.client.send(new ListObjectsV2Command({ Bucket, Prefix }));
    return Contents.map(({ Key }) => Key ?? '');
  }

  test.each([
    ['loses', lose, /database\.backup was stored and checked, and now is gone/],
    ['cuts', cut, /database\.backup was stored and checked, and now has 3 bytes instead of/],
  ])(
    'that %s the archive after it was checked ends the run, and nothing of it is visible',
    async (what, strike, words) => {
      const run = await backUp(what, strike);
      expectFailureWords(run, {
        code: 'ERR_STORED_DIFFERS',
        happened: [words],
        safety: 'Nothing of this backup became visible',
        action: ['Find out what deletes or changes objects there'],
      });
      expect(await keys(what)).toEqual([]);
      await expectTidy(scenario, run);
    },
  );

  test('that loses the archive is given up, and the other destination holds the backup', async () => {
    const run = await backUp('one-of-two', lose, scenario.storage);
    expect(run.exitCode, run.maskedLog).toBe(1);
    expect(run.outputs.verdict).toBe('unproven');
    expect(run.maskedLog).toContain('is given up: ');
    const folder = path.join(scenario.storage, 'shop', run.outputs['backup-id'] ?? '');
    expect(existsSync(path.join(folder, 'metadata.json'))).toBe(true);
    expect(await keys('one-of-two')).toEqual([]);
  });
});
