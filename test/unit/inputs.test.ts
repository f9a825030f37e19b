import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { PGDG_URI } from '../../src/domain/apt.ts';
import { InputError } from '../../src/domain/errors.ts';
import { PGDG_KEY } from '../../src/domain/pgdg-key.ts';
import { nameProblems, variableOf } from '../../src/inputs/names.ts';
import { readInputs } from '../../src/inputs/read.ts';
import { INPUTS, type InputSpecs } from '../../src/inputs/spec.ts';
import { OUTPUTS } from '../../src/report/outputs.ts';
import { declaredInputs } from '../support/run-action.ts';

const RECIPIENT = 'age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj';
const OTHER_RECIPIENT = 'age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg';
const URL = 'postgresql://keeper:s3cr3t-word@db.example.com/shop';
const GOOD = { 'database-url': URL, storage: 's3://acme-backups/postgres', 'age-recipients': RECIPIENT };

/** What the runner makes of a `with:` block: every declared input is there, empty when it was not given. */
function step(given: Record<string, string>, env: Record<string, string> = {}): Record<string, string> {
  const declared = Object.keys(INPUTS).map((name) => [variableOf(name), '']);
  const named = Object.entries(given).map(([name, value]) => [variableOf(name), value]);
  return { GITHUB_ACTIONS: 'true', ...env, ...Object.fromEntries([...declared, ...named]) };
}

function problems(given: Record<string, string>, env: Record<string, string> = {}): string[] {
  try {
    readInputs(step(given, env));
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as InputError).problems.map(({ input, message }) => `${input}: ${message}`);
  }
  return [];
}

describe('inputs that are right', () => {
  test('with nothing but the needed ones give the documented defaults', () => {
    expect(readInputs(step(GOOD))).toMatchObject({
      command: 'backup',
      label: 'manual',
      keepForever: false,
      globals: true,
      verifySource: false,
      criticalTables: [],
      maxSizeChangePercent: 50,
      lockTimeoutSeconds: 60,
      maxDurationMinutes: 330,
      stallTimeoutSeconds: 120,
      connectWindowSeconds: 60,
      allowEmpty: false,
      allowEphemeral: false,
      acceptNewSource: false,
      aptRepository: { uri: PGDG_URI, key: PGDG_KEY },
      cacheClientTools: true,
      scope: { content: 'all', schemas: [], excludeSchemas: [], tables: [], excludeTables: [], excludeTableData: [] },
      encryption: { method: 'age', recipients: [RECIPIENT] },
      notices: [],
    });
    expect(readInputs(step(GOOD))).not.toHaveProperty('name');
    expect(readInputs(step(GOOD))).not.toHaveProperty('compression');
  });

  test('arrive as they were given', () => {
    const given = {
      ...GOOD,
      command: 'backup',
      name: 'shop.prod-1',
      label: 'release-2.4.0',
      'keep-forever': 'TRUE',
      'exclude-schemas': 'audit\n"Odd, name"\n\n audit ',
      'exclude-table-data': 'public.sessions\npublic.log_*',
      'critical-tables': 'public.orders',
      compression: 'zstd:3',
      globals: 'false',
      verify: 'archive, source',
      'max-duration-minutes': ' 15 ',
      'postgres-apt-mirror': 'https://mirror.example.com/pub/repos/apt/',
      'cache-client-tools': 'false',
    };
    expect(readInputs(step(given))).toMatchObject({
      name: 'shop.prod-1',
      label: 'release-2.4.0',
      keepForever: true,
      scope: { excludeSchemas: ['audit', '"Odd, name"'], excludeTableData: ['public.sessions', 'public.log_*'] },
      criticalTables: ['public.orders'],
      compression: { method: 'zstd', level: 3 },
      globals: false,
      aptRepository: { uri: 'https://mirror.example.com/pub/repos/apt', key: PGDG_KEY },
      cacheClientTools: false,
      verifySource: true,
      maxDurationMinutes: 15,
    });
  });

  test('recipients may stand one a line with comments, or in one line with commas', () => {
    const file = `# public key: of the office, second floor\n${RECIPIENT}\r\n\n  # offline\n${OTHER_RECIPIENT}\n${RECIPIENT}\n`;
    const both = { encryption: { method: 'age', recipients: [RECIPIENT, OTHER_RECIPIENT] } };
    expect(readInputs(step({ ...GOOD, 'age-recipients': file }))).toMatchObject(both);
    const line = `${RECIPIENT},${OTHER_RECIPIENT}`;
    expect(readInputs(step({ ...GOOD, 'age-recipients': line }))).toMatchObject(both);
  });

  test('a passphrase keeps its inner spaces and loses the line break that a secret ends in', () => {
    const given = { ...GOOD, 'age-recipients': '', 'age-passphrase': 'correct horse battery\n' };
    expect(readInputs(step(given))).toMatchObject({
      encryption: { method: 'age-passphrase', passphrase: 'correct horse battery' },
    });
  });

  test('a scheduled run is labelled nightly', () => {
    expect(readInputs(step(GOOD, { GITHUB_EVENT_NAME: 'schedule' })).label).toBe('nightly');
  });

  test('the run is described by what the runner says of it', () => {
    const env = {
      GITHUB_REPOSITORY: 'acme/shop',
      GITHUB_RUN_ID: '42',
      RUNNER_TEMP: '/runner/temp',
      RUNNER_TOOL_CACHE: '/tools',
    };
    expect(readInputs(step(GOOD, { ...env, RUNNER_ENVIRONMENT: 'github-hosted' })).runner).toMatchObject({
      run: { repository: 'acme/shop', runId: '42', url: 'https://github.com/acme/shop/actions/runs/42/attempts/1' },
      hosted: true,
      tempDirectory: '/runner/temp',
      toolCache: '/tools',
    });
    expect(readInputs({ ...step(GOOD), GITHUB_ACTIONS: 'false', TMPDIR: '/desk' }).runner).toEqual({
      run: null,
      hosted: false,
      tempDirectory: '/desk',
    });
  });
});

describe('inputs that are wrong', () => {
  const cases: readonly [title: string, given: Record<string, string>, problem: string | RegExp][] = [
    ['an unknown command', { command: 'bakcup' }, 'command: "bakcup" is not one of: backup.'],
    [
      'an unknown input near a known one',
      { 'age-recipient': RECIPIENT },
      /^age-recipient: there is no such input\. Did you mean `age-recipients`\?/,
    ],
    [
      'an unknown input that is empty',
      { recipients: '' },
      /^recipients: there is no such input\. Did you mean `age-recipients`\?/,
    ],
    [
      'a mirror that is no URL',
      { 'postgres-apt-mirror': 'mirror.example.com' },
      /^postgres-apt-mirror: it is not an http/,
    ],
    [
      'a mirror that would add options to a list of sources',
      { 'postgres-apt-mirror': 'https://m.example/apt [trusted=yes]' },
      /^postgres-apt-mirror: it is not an http/,
    ],
    [
      'a mirror with credentials',
      { 'postgres-apt-mirror': 'https://me:hunter2@m.example/apt' },
      /^postgres-apt-mirror: it holds a user or password\. Put them into a file below \/etc\/apt\/auth\.conf\.d/,
    ],
    [
      'a key that is a fingerprint',
      { 'postgres-apt-key': 'B97B0AFC' },
      /^postgres-apt-key: it is not an ASCII-armoured/,
    ],
    [
      'a private key',
      { 'postgres-apt-key': '-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nhunter2\n-----END PGP PRIVATE KEY BLOCK-----' },
      /^postgres-apt-key: it is a private key\. .* leaked\.$/,
    ],
    ['an input with underscores', { database_url: URL }, /^database_url: .*`database-url`/],
    [
      'an unknown input near none',
      { 'cron-expression': 'x' },
      'cron-expression: there is no such input. The README lists all of them.',
    ],
    ['a name with capitals', { name: 'Shop' }, /^name: "Shop" is not a name for a series/],
    [
      'a number that is none',
      { 'max-duration-minutes': '1h' },
      'max-duration-minutes: "1h" is not a whole number from 1 to 7200.',
    ],
    [
      'a number out of range',
      { 'lock-timeout-seconds': '0' },
      /^lock-timeout-seconds: "0" is not a whole number from 1/,
    ],
    ['a number with a fraction', { 'stall-timeout-seconds': '1.5' }, /^stall-timeout-seconds: /],
    ['a number in exponents', { 'max-size-change-percent': '1e3' }, /^max-size-change-percent: /],
    ['a boolean that YAML 1.1 would take', { globals: 'yes' }, 'globals: "yes" is neither true nor false.'],
    ['an unknown proof', { verify: 'archive,restore' }, 'verify: "restore" is not one of: archive, source.'],
    ['an unknown content', { content: 'rows' }, 'content: "rows" is not one of: all, schema, data.'],
    ['an unknown compression', { compression: 'brotli' }, /^compression: "brotli" is not one of zstd/],
    ['a level that the method lacks', { compression: 'gzip:12' }, 'compression: gzip has the levels 1 to 9, not 12.'],
    ['a level of none', { compression: 'none:1' }, /^compression: /],
    ['a label that cannot stand in a name', { label: '///' }, /^label: /],
    ['a recipient that is mistyped', { 'age-recipients': `${RECIPIENT}x` }, /^age-recipients: /],
    ['a destination of another kind', { storage: 'gs://bucket' }, /^storage: "gs:\/\/" is not a kind of storage/],
    [
      'one destination twice',
      { storage: 's3://one-bucket/a\n/data\ns3://one-bucket/a?region=eu-west-1' },
      'storage: "s3://one-bucket/a" is given twice. A second copy needs a second place.',
    ],
    [
      'one directory twice',
      { storage: './backups\nbackups/' },
      'storage: "backups/" is given twice. A second copy needs a second place.',
    ],
    [
      'several destinations without encryption, one of which is a bucket',
      { storage: '/data\ns3://one-bucket/a', 'age-recipients': '' },
      /^age-recipients: it is empty/,
    ],
    [
      'credentials that are not there',
      { storage: 's3://acme-backups?credentials=R2' },
      /^storage: R2_ACCESS_KEY_ID is not set/,
    ],
    [
      'a role that is none',
      { 'aws-role-to-assume': 'arn:aws:iam::123456789012:user/backup' },
      /^aws-role-to-assume: It is the ARN of something else than a role\. Write the ARN/,
    ],
    [
      'a role in a job that may not ask for a token',
      { 'aws-role-to-assume': 'arn:aws:iam::123456789012:role/backup' },
      /^storage: `aws-role-to-assume` needs an OIDC token.*`id-token: write`/,
    ],
    [
      'a role that no destination uses',
      { 'aws-role-to-assume': 'arn:aws:iam::123456789012:role/backup', storage: '/mnt/backups' },
      /^aws-role-to-assume: no destination uses it/,
    ],
    [
      'a URL that cannot be read',
      { 'database-url': 'mysql://root@localhost/shop' },
      /^database-url: it is a MySQL URL/,
    ],
    ['a pattern that pg_dump refuses', { tables: 'a.b.c.d' }, /^tables: .*too many dotted names/],
    [
      'recipients and a passphrase',
      { 'age-passphrase': 'correct horse battery' },
      /^age-passphrase: age-recipients is given too/,
    ],
    [
      'a short passphrase',
      { 'age-recipients': '', 'age-passphrase': 'hunter2' },
      /^age-passphrase: .*fewer than 10 characters/,
    ],
    [
      'recipients and no encryption',
      { encryption: 'none' },
      /^encryption: it says none, and age-recipients is given too/,
    ],
    ['tables and schemas', { tables: 'orders', schemas: 'public' }, /^tables: schemas is given too/],
    [
      'tables and excluded schemas',
      { tables: 'orders', 'exclude-schemas': 'audit' },
      /^tables: exclude-schemas is given too/,
    ],
    [
      'critical tables without rows',
      { content: 'schema', 'critical-tables': 'orders' },
      /^critical-tables: it is about rows/,
    ],
    [
      'excluded rows without rows',
      { content: 'schema', 'exclude-table-data': 'orders' },
      /^exclude-table-data: it is about rows/,
    ],
    ['a second reading without rows', { content: 'schema', verify: 'source' }, /^verify: source compares rows/],
  ];

  test.each(cases)('%s is one clear error', (_title, given, problem) => {
    const found = problems({ ...GOOD, ...given });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(problem);
  });

  test('are all told together', () => {
    const found = problems({
      'database-url': '',
      storage: 'ftp://x',
      globals: 'on',
      'keep-for-ever': 'true',
      name: '!',
    });
    const names = found.map((problem) => problem.split(':')[0]).sort();
    expect(names).toEqual(['database-url', 'globals', 'keep-for-ever', 'name', 'storage']);
  });

  test('never repeat a secret', () => {
    const words = problems({
      ...GOOD,
      'database-url': 'postgresql://keeper:s3cr3t-word@db.example.com:port/shop?unknown=s3cr3t-word',
      'age-recipients': 'AGE-SECRET-KEY-1QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L',
      'age-passphrase': 's3cr3t',
    }).join('\n');
    expect(words).toContain('database-url: ');
    expect(words).toContain('age-recipients: ');
    expect(words).toContain('age-passphrase: ');
    expect(words).not.toMatch(/s3cr3t|1QQPZRY9X8/i);
  });

  test('an input that the command does not use is an error that names both, unless it is empty', () => {
    const specs: InputSpecs = {
      command: { description: '', whenEmpty: '', parse: () => '' },
      'keep-daily': { commands: ['prune' as 'backup'], description: '', whenEmpty: '', parse: () => '' },
    };
    expect(nameProblems({ INPUT_COMMAND: 'backup', 'INPUT_KEEP-DAILY': '7' }, specs, 'backup')).toEqual([
      { input: 'keep-daily', message: 'the command `backup` does not use it; it belongs to `prune`. Remove it.' },
    ]);
    expect(nameProblems({ INPUT_COMMAND: 'backup', 'INPUT_KEEP-DAILY': '' }, specs, 'backup')).toEqual([]);
  });
});

describe('a variable that is unset arrives empty and never means less safety:', () => {
  const unencrypted = { ...GOOD, 'age-recipients': '' };
  const self = { RUNNER_ENVIRONMENT: 'self-hosted' };

  test('recipients for S3', () => {
    const [problem, ...more] = problems(unencrypted);
    expect(problem).toMatch(/^age-recipients: it is empty.*arrives as an empty string.*`encryption: none`/);
    expect(more).toEqual([]);
    expect(problems({ ...unencrypted, encryption: 'none' })).toEqual([]);
  });

  test('recipients for S3 outside a workflow as well', () => {
    expect(() => readInputs({ ...step(unencrypted), GITHUB_ACTIONS: '' })).toThrow(/age-recipients: it is empty/);
  });

  test('recipients for a directory that outlives the run', () => {
    const directory = { ...unencrypted, storage: '/mnt/backups' };
    expect(problems(directory, self)[0]).toMatch(/^age-recipients: it is empty/);
    expect(problems({ ...directory, encryption: 'none' }, self)).toEqual([]);
  });

  test('recipients where encryption is demanded', () => {
    const trial = { ...unencrypted, storage: 'backups', 'allow-ephemeral': 'true' };
    expect(readInputs(step(trial))).toMatchObject({
      encryption: { method: 'none' },
      notices: [{ code: 'stored-plain' }],
    });
    expect(problems({ ...trial, encryption: 'age' })[0]).toMatch(/^age-recipients: it is empty.*encryption says age/);
  });

  test('the destination, on every runner', () => {
    const nowhere = { ...GOOD, storage: ' ' };
    expect(problems(nowhere)[0]).toMatch(/^storage: it is empty.*arrives as an empty string/);
    expect(problems(nowhere, self)[0]).toMatch(/^storage: it is empty/);
    const backups = [{ kind: 'directory', path: 'backups' }];
    expect(readInputs(step({ ...nowhere, 'allow-ephemeral': 'true' })).destinations).toEqual(backups);
    expect(readInputs({ ...step(nowhere), GITHUB_ACTIONS: '' }).destinations).toEqual(backups);
  });

  test('the database, unless PGHOST names one', () => {
    const nameless = { ...GOOD, 'database-url': '' };
    expect(problems(nameless)[0]).toMatch(/^database-url: it is empty/);
    const { connection } = readInputs(step(nameless, { PGHOST: 'db.example.com', PGUSER: 'keeper' }));
    expect(connection.hosts[0].host).toBe('db.example.com');
  });
});

describe('action.yml', () => {
  const yml = readFileSync(new globalThis.URL('../../action.yml', import.meta.url), 'utf8');

  test('declares exactly the inputs and outputs that the code knows, and only the token has a default', () => {
    expect(declaredInputs(yml)).toEqual(Object.keys(INPUTS));
    const outputs = /^outputs:\n((?:(?: .*)?\n)*)/m.exec(yml)?.[1] ?? '';
    expect([...outputs.matchAll(/^ {2}([\w-]+):/gm)].map(([, name]) => name)).toEqual(Object.keys(OUTPUTS));
    const defaults = [...yml.matchAll(/^ {2}([\w-]+):\n(?: {4,}.*\n)*? {4}default: (.*)$/gm)];
    expect(defaults.map(([, name, value]) => [name, value])).toEqual([['github-token', `$${'{{ github.token }}'}`]]);
    expect(yml.match(/^\s+default:/gm)).toHaveLength(1);
  });
});
