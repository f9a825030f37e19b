/** Inputs of a restore that are wrong: one clear error with all that is wrong, before anything is touched. */
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import { clientTools } from '../support/clients.ts';
import { readable } from '../support/expect-run.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import {
  expectRestoreFailed,
  type FailedRestore,
  lookBefore,
  type RestoreScenario,
  startRestoreScenario,
} from '../support/restore-scenario.ts';

const KEY = 'AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33';
const RECIPIENT = 'age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj';
const CORRECT = /Correct the `?with:`? block of the step/;
const NOTHING_READ = 'Nothing was read and nothing was touched.';
const UNTOUCHED = /Nothing was touched: .*shop`? holds what it held/;

describeWith(await clientTools(17), 'An input of a restore', (clients) => {
  let bench: RestoreScenario;
  let database: FaultProxy;
  let bucket: FaultProxy;

  beforeAll(async () => {
    bench = await startRestoreScenario(clients);
    database = await startFaultProxy({ host: '127.0.0.1', port: bench.scenario.server.port });
    // Nothing listens behind it: nobody should ever get that far.
    bucket = await startFaultProxy({ host: '127.0.0.1', port: 1 });
  });

  afterAll(async () => {
    await database?.close();
    await bucket?.close();
    await bench?.stop();
  });

  /** The step with these inputs fails before anything was connected to. */
  async function expectRefused(inputs: Record<string, string>, happened: (string | RegExp)[]): Promise<void> {
    const connections = () => database.counts.connections + bucket.counts.connections;
    const opened = connections();
    const before = await lookBefore(bench);
    const target = bench.scenario.server.uri('shop').replace(/:\d+\//, `:${database.port}/`);
    const storage = `s3://backups/acme?region=us-east-1&endpoint=http://127.0.0.1:${bucket.port}&force-path-style=true`;
    const run = await bench.restore({ inputs: { 'target-database-url': target, storage, ...inputs } });
    await expectRestoreFailed(bench, run, before, {
      code: 'ERR_INPUT',
      happened,
      safety: [NOTHING_READ],
      action: [CORRECT],
    });
    expect(connections()).toBe(opened);
  }

  test('a target that names a secret which does not exist says so', () =>
    expectRefused({ 'target-database-url': '' }, [
      'target-database-url: it is empty',
      'A variable or secret that does not exist',
    ]));

  test('two kinds of keys exclude each other', () =>
    expectRefused({ 'age-passphrase': 'correct horse battery staple' }, [
      'age-passphrase: age-identity is given too, and they exclude each other',
    ]));

  test('the public key is not taken for the secret one', () =>
    expectRefused({ 'age-identity': RECIPIENT }, ['age-identity: it holds a public key', 'only encrypts']));

  test('a secret key with a typing error is not repeated', async () => {
    const key = `${KEY.slice(0, -4)}AAAA`;
    await expectRefused({ 'age-identity': key }, ['age-identity: ']);
  });

  test('inputs of other commands and unknown ones are named, each', () =>
    expectRefused({ 'exclude-tables': 'public.audit', assertions: 'SELECT true', stratgey: 'swap' }, [
      '3 inputs are wrong',
      /exclude-tables: the command `?restore`? does not use it; it belongs to `?backup`?\. Remove it\./,
      /assertions: the command `?restore`? does not use it; it belongs to `?drill`? and `?check`?\. Remove it\./,
      /stratgey: there is no such input\. Did you mean `?strategy`?\?/,
    ]));

  test('everything that is wrong is told at once', () =>
    expectRefused({ strategy: 'overwrite', backup: 'newest', jobs: '-1', 'max-duration-minutes': 'long' }, [
      '4 inputs are wrong',
      'strategy: "overwrite" is not one of: new-database, swap, in-place',
      'backup: "newest" is not a choice',
      'jobs: ',
      'max-duration-minutes: ',
    ]));

  test('what only a replacing strategy uses is not silently ignored', () =>
    expectRefused({ confirm: 'db.acme.com/shop', 'safety-backup': 'false' }, [
      '2 inputs are wrong',
      /confirm: strategy: new-database touches nothing that is there|confirm: `strategy: new-database` touches nothing/,
      'safety-backup: ',
    ]));

  test('check-confirm without a dry run is an error', () =>
    expectRefused({ 'check-confirm': 'true' }, ['check-confirm: it belongs to a dry run']));

  test('tables and schemas exclude each other', () =>
    expectRefused({ tables: 'public.orders', schemas: 'public' }, ['tables: schemas is given too']));

  /** Refused after a look at the backups, the files or the target, before anything was touched there. */
  async function expectNotBegun(
    inputs: Record<string, string>,
    expected: Pick<FailedRestore, 'code' | 'happened' | 'action'> & Partial<FailedRestore>,
  ): Promise<void> {
    const before = await lookBefore(bench);
    const run = await bench.restore({ inputs });
    await expectRestoreFailed(bench, run, before, { safety: [UNTOUCHED], ...expected });
  }

  const inPlace = (over: Record<string, string>) => ({
    strategy: 'in-place',
    confirm: bench.fingerprint,
    reason: 'the orders of Friday are gone',
    ...over,
  });
  const exactly = () => `set exactly confirm: ${bench.fingerprint}`;

  test.each([
    ['upper case', (name: string) => name.replace('shop', 'SHOP'), 'in upper and lower case, and these can be two'],
    [
      'another name of the host',
      (name: string) => name.replace('127.0.0.1', 'localhost'),
      'the database is right, but',
    ],
    ['another database', (name: string) => name.replace('/shop', '/shop2'), 'the host is right, but the connection'],
    ['the database alone', () => 'shop', 'the connection goes to'],
  ])('confirm with %s is refused', async (_, change, happened) =>
    expectNotBegun(inPlace({ confirm: change(bench.fingerprint) }), {
      code: 'ERR_CONFIRM',
      happened: ['confirm', happened],
      action: [new RegExp(exactly().replace('confirm', '`?confirm'))],
    }),
  );

  test('without confirm nothing is replaced, and what is there is named', () =>
    expectNotBegun(inPlace({ confirm: '' }), {
      code: 'ERR_TARGET_NOT_EMPTY',
      happened: [`${bench.fingerprint} is not empty: it holds`],
      action: [new RegExp(`set exactly \`?confirm: ${bench.fingerprint}`), 'reason'],
    }));

  test('a dry run without confirm shows the plan, and says what to type', async () => {
    const before = await lookBefore(bench);
    const run = await bench.replace('in-place', { inputs: { confirm: '', 'dry-run': 'true' } });
    expect(run.exitCode, run.maskedLog).toBe(0);
    expect(readable(run.summary)).toContain(`set exactly confirm: ${bench.fingerprint}`);
    expect(await bench.look()).toEqual(before.world);
  });

  test('without a reason nothing is replaced', () =>
    expectNotBegun(inPlace({ reason: ' ' }), {
      code: 'ERR_CONFIRM',
      happened: ['is replaced only for a'],
      action: ['it goes into the audit record'],
    }));

  test('a wrong confirm and no reason are told together, each in a line of its own', async () => {
    const before = await lookBefore(bench);
    const run = await bench.restore({ inputs: inPlace({ confirm: 'shop', reason: '' }) });
    await expectRestoreFailed(bench, run, before, {
      code: 'ERR_CONFIRM',
      happened: ['2 things are in the way', /^- .*confirm.* is "shop"/m, /^- A database that is not empty/m],
      safety: [UNTOUCHED],
      action: ['set exactly', 'it goes into the audit record'],
    });
    expect(run.summary).not.toContain('⏎');
    expect(run.github.issues[0]?.body).not.toContain('⏎');
  });

  test('a backup that does not exist: the newest are listed', () =>
    expectNotBegun(
      { backup: '20200101_000000_manual_aaaaaa' },
      {
        code: 'ERR_BACKUP_NOT_FOUND',
        happened: [
          'matches 20200101_000000_manual_aaaaaa',
          'The newest are:',
          new RegExp(`^- ${bench.id} .*proven`, 'm'),
        ],
        safety: ['Nothing was touched'],
        action: ['with one of these ids'],
      },
    ));

  test('a series that does not exist is no empty success', () =>
    expectNotBegun(
      { name: 'shopp' },
      { code: 'ERR_BACKUP_NOT_FOUND', happened: [/shopp/], safety: ['Nothing was touched'], action: [/name|storage/] },
    ));

  test('an identity file that is not there', () =>
    expectNotBegun(
      { 'age-identity': path.join(bench.scenario.folder, 'keys.txt') },
      {
        code: 'ERR_INPUT',
        happened: ['keys.txt cannot be read: there is no such file'],
        safety: ['Nothing was touched'],
        action: ['age-identity'],
      },
    ));

  test.each([
    ['a file that is not there', './after.sql', 'cannot be read'],
    ['its own COMMIT', 'SELECT 1; COMMIT;', 'holds COMMIT'],
    ['a command of psql', '\\connect other', 'holds a command of psql'],
    ['a quote that is never closed', `SELECT 'a`, 'is never closed'],
  ])('after-restore-sql with %s is found before anything is restored', (_, sql, happened) =>
    expectNotBegun(
      { 'after-restore-sql': sql },
      {
        code: 'ERR_AFTER_RESTORE',
        happened: [happened],
        safety: ['Nothing was touched'],
        action: [/Correct|Check the path/],
      },
    ),
  );

  test.each(['swap', 'in-place'] as const)(
    '%s by a backup that was never proven wants an explicit word',
    async (strategy) => {
      await bench.scenario.query('CREATE TABLE IF NOT EXISTS emptied (id int)');
      const inputs = { 'critical-tables': 'emptied', encryption: '', 'age-recipients': bench.recipient };
      const taken = await bench.scenario.run({ inputs });
      expect(taken.outputs.verdict).toBe('unproven');
      const before = await lookBefore(bench);
      const run = await bench.replace(strategy, { inputs: { backup: taken.outputs['backup-id'] ?? '' } });
      await expectRestoreFailed(bench, run, before, {
        code: 'ERR_NOT_PROVEN',
        happened: ['The backup itself was never proven'],
        safety: [UNTOUCHED],
        action: ['latest-proven', 'accept-partial: true'],
      });
    },
  );
});
