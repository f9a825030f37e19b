/** Inputs that are wrong or arrive empty: one clear error, before any connection is opened. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import { type FolderState, type Scenario, startScenario } from '../support/backup-scenario.ts';
import { clientTools } from '../support/clients.ts';
import { expectFailed, expectNoSecret, expectProven } from '../support/expect-run.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';

const RECIPIENT = 'age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj';
const IDENTITY = 'AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33';
const UNSET = 'A variable or secret that does not exist arrives as an empty string';
const CORRECT = /Correct the `?with:`? block of the step/;

describeWith(await clientTools(17), 'An input', (clients) => {
  let scenario: Scenario;
  let database: FaultProxy;
  let bucket: FaultProxy;
  let before: FolderState;
  let s3: string;

  beforeAll(async () => {
    scenario = await startScenario(clients);
    database = await startFaultProxy({ host: '127.0.0.1', port: scenario.server.port });
    // Nothing listens behind it: nobody should ever get that far.
    bucket = await startFaultProxy({ host: '127.0.0.1', port: 1 });
    s3 = `s3://backups/acme?region=us-east-1&endpoint=http://127.0.0.1:${bucket.port}&force-path-style=true`;
    await expectProven(scenario, await scenario.run(), new Map());
    before = scenario.state();
  });

  afterAll(async () => {
    await database?.close();
    await bucket?.close();
    await scenario?.stop();
  });

  interface Wrong {
    inputs: Record<string, string>;
    happened: (string | RegExp)[];
  }

  /** The step with these inputs fails before anything was connected to. */
  async function expectRefused({ inputs, happened }: Wrong): Promise<void> {
    const connections = () => database.counts.connections + bucket.counts.connections;
    const opened = connections();
    const run = await scenario.run({ url: scenario.url({ port: database.port }), inputs });
    await expectFailed(scenario, run, before, {
      code: 'ERR_INPUT',
      happened,
      action: [CORRECT],
      safety: 'Nothing was read from the database and nothing was written.',
    });
    expect(connections()).toBe(opened);
  }

  test('database-url that names a secret which does not exist says so', () =>
    expectRefused({
      inputs: { 'database-url': '' },
      happened: ['database-url: it is empty', 'A secret or variable that does not exist', 'pull requests from forks'],
    }));

  test('storage that names a variable which does not exist is not taken for the default directory', () =>
    expectRefused({ inputs: { storage: '' }, happened: ['storage: it is empty', UNSET, 's3://bucket/prefix'] }));

  test.each([' ', '\n', '# nobody yet'])('age-recipients %j do not mean that S3 gets plain bytes', (empty) =>
    expectRefused({
      inputs: { storage: s3, encryption: '', 'age-recipients': empty },
      happened: ['age-recipients: it is empty', UNSET, 'for all to read', /encryption: none/],
    }),
  );

  test.each([
    ['storage', {}],
    ['age-passphrase', { encryption: '' }],
    ['critical-tables', {}],
  ])('%s that is an expression which nothing replaced is not taken at its word', (name, inputs) =>
    expectRefused({
      inputs: { ...inputs, [name]: `\${{ secrets.${name.replace('-', '_').toUpperCase()} }}` },
      happened: [new RegExp(`${name}: it holds an expression, .* that nothing replaced`)],
    }),
  );

  test('age-passphrase that arrives empty does not mean that S3 gets plain bytes', () =>
    expectRefused({
      inputs: { storage: s3, encryption: '', 'age-passphrase': '' },
      happened: ['age-passphrase', UNSET, /encryption: none/],
    }));

  test('encryption that arrives empty does not mean none in a directory either', () =>
    expectRefused({ inputs: { encryption: '' }, happened: ['age-recipients: it is empty', 'for all to read'] }));

  test('encryption: age without recipients and passphrase is an error wherever the backup goes', () =>
    expectRefused({ inputs: { encryption: 'age' }, happened: ['encryption says age', UNSET] }));

  test('that excludes another one names both', async () => {
    await expectRefused({
      inputs: { encryption: '', 'age-recipients': RECIPIENT, 'age-passphrase': 'correct horse battery' },
      happened: ['age-passphrase', 'age-recipients is given too', 'Remove one of them'],
    });
    await expectRefused({
      inputs: { encryption: 'none', 'age-recipients': RECIPIENT },
      happened: ['encryption: it says none, and age-recipients is given too'],
    });
    await expectRefused({
      inputs: { schemas: 'public', tables: 'orders' },
      happened: ['tables: schemas is given too', 'or remove one of them'],
    });
  });

  test('that does not exist is an error and not just a warning of the runner', () =>
    expectRefused({
      inputs: { 'age-recipient': RECIPIENT, encryption: '' },
      happened: ['age-recipient: there is no such input', /Did you mean `?age-recipients`?/],
    }));

  test('command that does not exist is an error', () =>
    expectRefused({
      inputs: { command: 'bakcup' },
      happened: ['command: "bakcup" is not one of: backup, restore, drill'],
    }));

  test('several of which are wrong are told together', () =>
    expectRefused({
      inputs: {
        name: 'Shop & Co',
        storage: 'ftp://example.org/backups',
        label: 'before the migration',
        'keep-forever': 'yes',
        'lock-timeout-seconds': '1.5',
        compression: 'zstd:99',
        tables: 'public."orders',
        'database-url': 'mysql://root@127.0.0.1/shop',
      },
      happened: [
        '8 inputs are wrong',
        /- name: .*"Shop & Co"/,
        /- storage: /,
        /- label: /,
        /- keep-forever: .*"yes" is neither true nor false/,
        /- lock-timeout-seconds: .*"1\.5" is not a whole number/,
        /- compression: .*levels 1 to 22, not 99/,
        /- tables: /,
        /- database-url: .*MySQL/,
      ],
    }));

  test.each([
    ['with a typing error', `${RECIPIENT.slice(0, -1)}k`, 'age-recipients: '],
    ['that is no key at all', 'backup@example.org', 'not an age recipient, which begins with age1'],
  ])('age-recipients %s is refused, since nobody could ever decrypt', (_what, recipient, words) =>
    expectRefused({ inputs: { storage: s3, encryption: '', 'age-recipients': recipient }, happened: [words] }),
  );

  test('age-recipients with the secret identity in it is refused, and the identity shown nowhere', async () => {
    const run = await scenario.run({ inputs: { encryption: '', 'age-recipients': IDENTITY } });
    await expectFailed(scenario, run, before, {
      code: 'ERR_INPUT',
      happened: ['age-recipients: this is a SECRET key', 'make a new key pair'],
      action: [CORRECT],
    });
    expectNoSecret(run, [IDENTITY]);
  });

  test('database-url that asks for a pooler by pgbouncer=true is refused with the way to the direct one', async () => {
    const url = `${scenario.url({ port: database.port })}?pgbouncer=true&connection_limit=1`;
    await expectRefused({ inputs: { 'database-url': url }, happened: ['pgbouncer=true', 'direct'] });
  });

  test('storage that vanishes with a hosted runner is refused until allow-ephemeral says that this is meant', async () => {
    const refused = await scenario.run({ runner: 'github-hosted' });
    await expectFailed(scenario, refused, before, {
      code: 'ERR_PREFLIGHT',
      happened: ['GitHub-hosted runner, which is deleted with the runner'],
      action: ['s3://bucket/prefix', /allow-ephemeral: true/],
      safety: 'Nothing was written',
    });
    const run = await scenario.run({ runner: 'github-hosted', inputs: { 'allow-ephemeral': 'true' } });
    await expectProven(scenario, run, before);
    expect(run.annotations).toContainEqual(expect.objectContaining({ kind: 'warning', title: 'ephemeral-storage' }));
  });
});
