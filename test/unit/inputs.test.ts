import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { PGDG_URI } from '../../src/domain/apt.ts';
import { PGDG_KEY } from '../../src/domain/pgdg-key.ts';
import { readInputs } from '../../src/inputs/read.ts';
import { INPUTS } from '../../src/inputs/spec.ts';
import { OUTPUTS } from '../../src/report/outputs.ts';
import { backupInputsOf, GOOD, OTHER_RECIPIENT, problems, RECIPIENT, step } from '../support/inputs.ts';
import { declaredInputs } from '../support/run-action.ts';

describe('inputs that are right', () => {
  test('with nothing but the needed ones give the documented defaults', () => {
    expect(readInputs(step(GOOD))).toMatchObject({
      command: 'backup',
      label: 'manual',
      keepForever: false,
      globals: true,
      verifySource: false,
      verifyRestore: false,
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
    expect(backupInputsOf(step(GOOD, { GITHUB_EVENT_NAME: 'schedule' })).label).toBe('nightly');
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
    const { connection } = backupInputsOf(step(nameless, { PGHOST: 'db.example.com', PGUSER: 'keeper' }));
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
