/** Backups that are not what they say they are: a restore of one touches nothing, and takes another copy where there is one. */
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { generateX25519Identity } from 'age-encryption';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import { folderState, type ScenarioRun } from '../support/backup-scenario.ts';
import { clientTools } from '../support/clients.ts';
import { readable } from '../support/expect-run.ts';
import {
  type Before,
  expectNothingLeft,
  expectRestoreFailed,
  type FailedRestore,
  lookBefore,
  type RestoreScenario,
  startRestoreScenario,
} from '../support/restore-scenario.ts';
import { changeManifest, cutShort, flipByte } from '../support/spoil.ts';

const UNTOUCHED = /Nothing was touched: .*shop`? holds what it held|Nothing was touched: the target holds what it held/;

type Spoil = (file: string) => Promise<void>;

describeWith(await clientTools(17), 'A backup to be restored', (clients) => {
  let bench: RestoreScenario;

  beforeAll(async () => {
    bench = await startRestoreScenario(clients);
  });

  afterEach(() => bench.reset());
  afterAll(() => bench?.stop());

  /** A restore from the one copy that is spoiled fails; one that has a second copy takes that. */
  async function spoiled(name: string, spoil: Spoil) {
    const [first, second] = await bench.copies();
    await spoil(path.join(first, bench.setFolder, name));
    return { first, both: [first, second] };
  }

  async function expectRefused(first: string, expected: Omit<FailedRestore, 'safety'>, inputs = {}): Promise<void> {
    const before = await lookBefore(bench, [first]);
    const run = await bench.restore({ inputs: { storage: first, ...inputs } });
    await expectRestoreFailed(bench, run, before, { safety: [UNTOUCHED], ...expected });
  }

  /** Proven, beside the database that is there; what was noticed says why it took that copy. */
  async function expectRestored(run: ScenarioRun, before: Before, noticed: (string | RegExp)[]): Promise<void> {
    expect(run.exitCode, run.maskedLog).toBe(0);
    expect(run.outputs.verdict).toBe('passed');
    const name = run.outputs['restored-database'];
    const { databases, content } = await bench.look();
    expect(databases.filter((each) => each.name !== name)).toEqual(before.world.databases);
    expect(content).toEqual(before.world.content);
    expect(await bench.scenario.query('SELECT which FROM which', name)).toEqual([{ which: 'backup' }]);
    for (const words of noticed) expect(`${run.maskedLog}\n${readable(run.summary)}`).toMatch(words);
    for (const [folder, state] of before.folders) {
      const after = folderState(folder);
      for (const [key, digest] of state) expect(after.get(key)).toBe(digest);
    }
    await expectNothingLeft(bench, run);
  }

  const damages: [what: string, name: string, spoil: Spoil, happened: RegExp][] = [
    ['a flipped byte in the archive', 'database.backup.age', flipByte, /database\.backup\.age/],
    ['a truncated archive', 'database.backup.age', (file) => cutShort(file, 9), /database\.backup\.age/],
    ['a missing archive', 'database.backup.age', (file) => rm(file), /database\.backup\.age/],
    ['a flipped byte in contents.json', 'contents.json.age', flipByte, /contents\.json\.age/],
    ['a missing contents.json', 'contents.json.age', (file) => rm(file), /contents\.json\.age/],
    ['a flipped byte in globals.sql', 'globals.sql.age', flipByte, /globals\.sql\.age/],
    ['a truncated globals.sql', 'globals.sql.age', (file) => cutShort(file, 9), /globals\.sql\.age/],
  ];

  test.each(damages)('%s is found before anything is touched', async (_, name, spoil, happened) => {
    const { first } = await spoiled(name, spoil);
    await expectRefused(first, {
      code: 'ERR_BACKUP_DAMAGED',
      happened: [happened, bench.id],
      action: [/another backup|its id/],
    });
  });

  test.each(damages)('%s: the second copy is used, and that is said', async (_, name, spoil, happened) => {
    const { both } = await spoiled(name, spoil);
    const before = await lookBefore(bench, both);
    const run = await bench.restore({ inputs: { storage: both.join('\n') } });
    await expectRestored(run, before, [happened]);
  });

  test('a metadata.json that lies about sizes is not believed', async () => {
    const { first } = await spoiled('metadata.json', (file) =>
      changeManifest(file, ({ objects }) => ({
        objects: objects.map((object) => ({ ...object, sizeBytes: object.sizeBytes + 1 })),
      })),
    );
    await expectRefused(first, {
      code: 'ERR_BACKUP_DAMAGED',
      happened: [/bytes|size/, bench.id],
      action: [/another backup|its id/],
    });
  });

  test('a metadata.json that cannot be read is no backup', async () => {
    const { first } = await spoiled('metadata.json', (file) => cutShort(file, 200));
    await expectRefused(first, {
      code: 'ERR_MANIFEST',
      happened: ['metadata.json'],
      action: [/another|Check|backup/],
    });
  });

  test('a guide that was changed by hand does not matter', async () => {
    const { first } = await spoiled('RESTORE.md', flipByte);
    const before = await lookBefore(bench, [first]);
    await expectRestored(await bench.restore({ inputs: { storage: first } }), before, []);
  });

  test('another key: the recipients that would do are named', async () => {
    const [first] = await bench.copies();
    const identity = await generateX25519Identity();
    await expectRefused(
      first,
      { code: 'ERR_DECRYPT', happened: [bench.recipient], action: ['Give the secret key of one of these'] },
      { 'age-identity': identity },
    );
  });

  test('no key: the recipients that would do are named', async () => {
    const [first] = await bench.copies();
    await expectRefused(
      first,
      { code: 'ERR_DECRYPT', happened: [bench.recipient, 'nothing to decrypt it with'], action: ['age-identity'] },
      { 'age-identity': '' },
    );
  });

  test('the newest set is unfinished: the one before it is restored, and that is said', async () => {
    const [first] = await bench.copies();
    const newer = path.join(first, 'shop/20991231_235959_manual_zzzzzz');
    await mkdir(newer);
    await rename(path.join(first, bench.setFolder, 'RESTORE.md'), path.join(newer, 'RESTORE.md'));
    const before = await lookBefore(bench, [first]);
    const run = await bench.restore({ inputs: { storage: first } });
    await expectRestored(run, before, [new RegExp(`newer than ${bench.id} holds no metadata.json`)]);
  });

  test('the first destination is down: the second is used, and that is said', async () => {
    const [, second] = await bench.copies();
    const down = 's3://backups/team?region=us-east-1&endpoint=http://127.0.0.1:1&force-path-style=true';
    const before = await lookBefore(bench, [second]);
    const run = await bench.restore({
      inputs: { storage: `${down}\n${second}` },
      env: { AWS_ACCESS_KEY_ID: 'nobody', AWS_SECRET_ACCESS_KEY: 'no-secret-at-all' },
    });
    await expectRestored(run, before, [/s3:\/\/backups\/team/, /audit record could not be written to/]);
  });
});
