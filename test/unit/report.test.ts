import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { RunNews } from '../../src/command.ts';
import type { Check } from '../../src/domain/checks.ts';
import { BackupError, InputError } from '../../src/domain/errors.ts';
import type { Finding } from '../../src/domain/findings.ts';
import { assessSource } from '../../src/domain/series-source.ts';
import { describeFailure, describeTrouble } from '../../src/report/failure.ts';
import { failureSummary } from '../../src/report/failure-summary.ts';
import { type FailureWords, failureMessage } from '../../src/report/failure-words.ts';
import { outputsOf } from '../../src/report/outputs.ts';
import { backupSummary, fitSummary, MAX_SUMMARY_BYTES } from '../../src/report/summary.ts';
import { VERSION } from '../../src/version.ts';
import { backupResult, contentsTable } from '../support/backup-result.ts';
import { withoutEntities } from '../support/markdown.ts';
import { manifest } from '../support/set-documents.ts';

const plain = (text: string): string => text;
const FOLDER = 's3://acme-backups/postgres/shop/20261121_020000_nightly_k3v9qa';

describe('the summary of a proven backup', () => {
  const summary = withoutEntities(backupSummary(backupResult(), plain));

  test('says the verdict first', () => {
    expect(summary).toMatch(/^## ✅ Proven backup of <code>shop<\/code>\n/);
    expect(summary.split('\n')[2]).toContain('2 tables, 20,500 rows, 73.2 KiB stored');
  });

  test('has checks, tables by size, timings, place and the way back', () => {
    expect(summary).toContain('| <code>archive</code> | ✅ passed | pg_restore read the archive to its last byte |');
    expect(summary.indexOf('<code>public.orders</code> | 20,000')).toBeLessThan(
      summary.indexOf('<code>public.customers</code> | 500'),
    );
    expect(summary).toContain('| dump and proof | 1 min 30 s |');
    expect(summary).toContain(FOLDER);
    expect(summary).toContain(
      `\`\`\`sh\nNEW_DATABASE=restored\naws s3 cp ${FOLDER}/database.backup.age .\nage -d -i key.txt …\n\`\`\``,
    );
    expect(summary).not.toContain('What was noticed');
  });

  test('names the provider, where there is one', () => {
    expect(summary).toContain('Postgres 17.10\n');
    expect(withoutEntities(backupSummary(backupResult({ provider: 'Neon' }), plain))).toContain(
      'Postgres 17.10 on Neon\n',
    );
  });

  test('shows the twenty largest tables and counts the others', () => {
    const tables = Array.from({ length: 30 }, (_, index) => contentsTable(`t${index}`, 1, index));
    const long = backupSummary(backupResult({ tables }), plain);
    expect(withoutEntities(long)).toContain('public.t29');
    expect(withoutEntities(long)).not.toMatch(/public\.t9\b/);
    expect(long).toContain('and 10 smaller ones.');
  });

  test('shows what was noticed, the gravest first', () => {
    const findings: Finding[] = [
      { code: 'stored-plain', severity: 'notice', seen: 'Not encrypted.', action: '' },
      { code: 'size-changed', severity: 'warning', seen: 'It shrank.', action: 'Look at `orders`.' },
    ];
    const noticed = backupSummary(backupResult({ findings }), plain);
    expect(noticed.indexOf('size-changed')).toBeLessThan(noticed.indexOf('stored-plain'));
    expect(noticed).toContain('Look at <code>orders</code>.');
  });
});

describe('the summary of an unproven backup', () => {
  test('says so first, why, and what to do', () => {
    const result = backupResult({ status: 'failed', details: ['public.orders is missing'] });
    const summary = withoutEntities(backupSummary(result, plain));
    expect(summary).toMatch(/^## ❌ Unproven backup/);
    expect(summary).not.toContain('✅ Proven');
    expect(summary).toContain('1 of 2 checks did not pass: tables');
    expect(summary).toContain('Older backups are untouched.');
    expect(summary).toContain('- public.orders is missing');
  });

  test('shows thirty details of a check, and says where the others are', () => {
    const details = Array.from({ length: 1500 }, (_, index) => `public.t${index} is missing`);
    const summary = withoutEntities(backupSummary(backupResult({ status: 'failed', details }), plain));
    expect(summary).toContain('\n- public.t29 is missing\n- and 1,470 more in contents.json\n');
  });

  test.each(['failed', 'partial', 'not-run'] as const)('a check that is %s makes it red', (status) => {
    const words = describeTrouble(backupResult({ status })) as FailureWords;
    expect(words.code).toBe('ERR_NOT_PROVEN');
    expect(failureMessage(words)).toContain(`tables (${status}): each table was looked for`);
    expect(failureMessage(words)).toContain(`The backup was stored as unproven: ${FOLDER}`);
  });
});

describe('what an unproven backup is worth', () => {
  const worth = (...checks: Check[]): string => {
    const result = backupResult({ status: 'partial' });
    const others = result.contents.checks.filter(({ status }) => status === 'passed');
    return (
      describeTrouble({ ...result, contents: { ...result.contents, checks: [...others, ...checks] } })?.safety ?? ''
    );
  };
  const check = (id: Check['id'], status: Check['status']): Check => ({ id, status, reason: 'so', details: [] });

  test('nothing, when a check of its content failed', () => {
    expect(worth(check('row-counts', 'failed'))).toContain('it does not hold what the database held');
    expect(worth(check('row-counts', 'failed'), check('critical-tables', 'failed'))).toContain(
      'it does not hold what the database held',
    );
  });

  test('much, when a critical table was empty in the database itself', () => {
    const words = worth(check('critical-tables', 'failed'));
    expect(words).toContain('It holds what the database held, and a critical table was empty there');
    expect(words).not.toContain('does not hold');
  });

  test('unknown, when something else could not be looked at', () => {
    expect(worth(check('critical-tables', 'failed'), check('row-counts', 'partial'))).toContain(
      'A critical table is empty in it; whether the rest is good, nobody knows.',
    );
    expect(worth(check('row-counts', 'partial'))).toContain('It may well be good, but nobody knows.');
  });
});

describe('the summary of a backup that one destination does not hold', () => {
  const error = new BackupError('ERR_STORAGE_DENIED', 'It may not write there.', { op: 'write', hint: 'Allow it.' });
  const lost = [{ location: 's3://second/team', error, uncertain: false }];

  test('names the destination first, and where the backup is', () => {
    const summary = withoutEntities(backupSummary(backupResult({ lost }), plain));
    expect(summary).toMatch(/^## ❌ Incomplete backup/);
    expect(summary).toContain('s3://second/team failed: It may not write there.');
    expect(summary).toContain(`The backup is complete and proven here: ${FOLDER}.`);
    expect(summary).toContain('Nothing of it is visible in s3://second/team.');
    expect(summary).toContain('❌ not in <code>s3://second/team');
    expect(summary).toContain('Allow it.');
  });

  test('says when its manifest may have been written there', () => {
    const words = describeTrouble(backupResult({ lost: lost.map((copy) => ({ ...copy, uncertain: true })) }));
    expect(words?.code).toBe('ERR_STORAGE_DENIED');
    expect(words?.safety).toContain('not certain whether it became visible in s3://second/team');
  });

  test('is not there when every destination holds it', () => {
    expect(describeTrouble(backupResult({}))).toBeUndefined();
  });
});

describe('hostile names', () => {
  const hostile = 'a|b`c`<img src=x>\n| forged | row |\n## heading @octocat [x](http://evil) *b* ``` \u202Eesrever';

  test('cannot break out of their cell', () => {
    const rows = backupSummary(backupResult({ tables: [contentsTable(hostile)] }), plain).split('\n');
    const row = rows.filter((line) => line.includes('forged'));
    expect(row).toHaveLength(1);
    expect(row[0]?.match(/\|/g)).toHaveLength(5);
    expect(row[0]).not.toMatch(/<img|@octocat|\]\(|\*b\*|```|\u202E|http:/);
    expect(withoutEntities(row[0] as string)).toContain('a|b`c`<img src=x>⏎| forged | row |⏎## heading @octocat');
  });

  test('cannot break out of sentences or of the commands to copy', () => {
    const summary = backupSummary(
      backupResult({ status: 'failed', details: [hostile], restoreCommand: `restore '${hostile}'` }),
      plain,
    );
    expect(summary).toContain("````sh\nNEW_DATABASE=restored\nrestore 'a|b`c`<img");
    expect(summary.split('````')[0]).not.toContain('<img');
    expect(summary).not.toContain('\u202E');
  });

  test('cannot make a summary longer than the runner takes', () => {
    const tables = Array.from({ length: 5000 }, (_, index) => contentsTable(`${'<'.repeat(5000)}${index}`));
    const findings = Array.from({ length: 5000 }, (_, index): Finding => {
      return { code: 'x', severity: 'warning', seen: `${'|'.repeat(5000)}${index}`, action: '*'.repeat(5000) };
    });
    const details = Array.from({ length: 5000 }, () => '&'.repeat(5000));
    const summary = backupSummary(backupResult({ status: 'failed', tables, findings, details }), plain);
    expect(Buffer.byteLength(fitSummary(summary))).toBeLessThanOrEqual(MAX_SUMMARY_BYTES);
    expect(Buffer.byteLength(fitSummary('ü|\n'.repeat(1_000_000)))).toBeLessThanOrEqual(MAX_SUMMARY_BYTES);
  });

  test('that hold a secret are redacted before they are escaped', () => {
    const redact = (text: string): string => text.replaceAll('s3cr3t_w*rd', '***');
    const result = backupResult({ tables: [contentsTable('x s3cr3t_w*rd')], restoreCommand: 'use s3cr3t_w*rd' });
    expect(withoutEntities(backupSummary(result, redact))).not.toContain('s3cr3t_w*rd');
  });
});

describe('outputs', () => {
  test('are those of the backup', () => {
    const outputs = Object.fromEntries(outputsOf(backupResult()));
    expect(outputs).toMatchObject({
      'backup-id': '20261121_020000_nightly_k3v9qa',
      'backup-uri': FOLDER,
      'manifest-uri': `${FOLDER}/metadata.json`,
      verdict: 'proven',
      'size-bytes': '75000',
      sha256: 'ab'.repeat(32),
      tables: '2',
      rows: '20500',
      'duration-seconds': '100',
      'server-version': '17.10',
      'postgres-major': '17',
      findings: '[]',
    });
    expect(outputs['restore-command']).toContain('age -d');
  });

  test('stay far below what a job may have', () => {
    const findings = Array.from({ length: 1000 }, (): Finding => {
      return { code: 'x', severity: 'warning', seen: 'y'.repeat(1000), action: '' };
    });
    const { findings: json } = Object.fromEntries(outputsOf(backupResult({ findings })));
    expect(json?.length).toBeLessThanOrEqual(100_000);
    expect(JSON.parse(json as string).length).toBeGreaterThan(10);
  });
});

describe('the words of a failure', () => {
  const refused = new BackupError('ERR_STORAGE_DENIED', 'Could not upload database.backup.age', {
    op: 'upload',
    hint: 'Grant s3:PutObject.',
    cause: new Error('request failed', {
      cause: new AggregateError([new Error('AccessDenied'), new Error('AccessDenied')]),
    }),
  });

  test('say what happened, why, to which backup, what is safe and what to do', () => {
    const words = describeFailure(refused, { name: 'shop', stage: 'writing', backupUri: FOLDER });
    expect(words.title).toBe('The backup of "shop" failed (ERR_STORAGE_DENIED)');
    expect(failureMessage(words).split('\n')).toEqual([
      'Could not upload database.backup.age.',
      'Because: request failed',
      'Because: AccessDenied',
      `Nothing of this backup became visible: ${FOLDER} has no metadata.json, and without it a backup does not exist. Older backups are untouched.`,
      'What to do: Grant s3:PutObject.',
    ]);
  });

  const stages: readonly [Partial<RunNews>, string][] = [
    [{}, 'Nothing was written.'],
    [{ stage: 'preparing', location: 's3://b' }, 'Nothing was written to s3://b.'],
    [{ stage: 'writing' }, 'Nothing of this backup became visible.'],
    [{ stage: 'committing', backupUri: FOLDER }, `look whether ${FOLDER} holds a metadata.json`],
    [{ stage: 'committed', backupUri: FOLDER }, `is stored and complete: ${FOLDER}`],
  ];
  test.each(stages)('are true at every stage: %o', (news, words) => {
    const { safety } = describeFailure(refused, news);
    expect(safety).toContain(words);
    expect(safety).toContain('Older backups are untouched.');
  });

  test('say once that nothing was written, also when a series holds another database', () => {
    const source = { fingerprint: 'b'.repeat(64), kind: 'system' } as const;
    let refusal: unknown;
    try {
      assessSource({ name: 'shop', source, accepted: false }, [manifest()]);
    } catch (error) {
      refusal = error;
    }
    const words = failureMessage(describeFailure(refusal, { stage: 'preparing', location: 's3://b' }));
    expect(words).toContain('The series shop holds backups of another database');
    expect(words.match(/nothing was written/gi)).toHaveLength(1);
    expect(words.match(/older backups are untouched/gi)).toHaveLength(1);
  });

  test('list every wrong input', () => {
    const error = new InputError([
      { input: 'name', message: 'bad.' },
      { input: 'storage', message: 'worse.' },
    ]);
    const words = describeFailure(error, {});
    expect(words.happened).toBe('2 inputs are wrong');
    expect(words.problems).toEqual(['name: bad.', 'storage: worse.']);
    expect(words.safety).toMatch(/^Nothing was read from the database and nothing was written\./);
  });

  test('exist for whatever was thrown, and for a chain that bites its tail', () => {
    const looped = new Error('first');
    looped.cause = new Error('second', { cause: looped });
    expect(describeFailure(looped, {})).toMatchObject({ code: 'ERR_INTERNAL', causes: ['second'] });
    expect(describeFailure('only text', {}).happened).toContain('only text');
    expect(describeFailure(undefined, {}).code).toBe('ERR_INTERNAL');
  });

  test('make a summary that escapes and redacts', () => {
    const error = new BackupError('ERR_CONNECT', 'No <b>way</b> to s3cr3t', { op: 'connect', hint: 'Use `PGHOST`.' });
    const summary = failureSummary(describeFailure(error, {}), [], (text) => text.replaceAll('s3cr3t', '***'));
    expect(summary).toMatch(/^## ❌ The backup failed/);
    expect(summary).not.toMatch(/<b>|s3cr3t/);
    expect(withoutEntities(summary)).toContain('**What to do:** Use <code>PGHOST</code>.');
  });
});

test('the version is the one of package.json', () => {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  expect(VERSION).toBe(JSON.parse(manifest).version);
});
