import { describe, expect, test } from 'vitest';
import { nameProblems } from '../../src/inputs/names.ts';
import type { InputSpecs } from '../../src/inputs/spec.ts';
import { GOOD, problems, RECIPIENT, URL } from '../support/inputs.ts';

describe('inputs that are wrong', () => {
  const cases: readonly [title: string, given: Record<string, string>, problem: string | RegExp][] = [
    [
      'an unknown command',
      { command: 'bakcup' },
      'command: "bakcup" is not one of: backup, restore, drill, prune, status, check.',
    ],
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
    ['an unknown proof', { verify: 'archive,drill' }, 'verify: "drill" is not one of: archive, source, restore.'],
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
    [
      'a restore without definitions',
      { content: 'data', verify: 'restore' },
      /^verify: restore makes the tables first/,
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
