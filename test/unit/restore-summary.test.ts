import { describe, expect, test } from 'vitest';
import type { RecoveryDryRun } from '../../src/command.ts';
import { plannedSummary } from '../../src/report/other-outcomes.ts';
import { outputsOf } from '../../src/report/outputs.ts';
import { recoverySummary } from '../../src/report/restore-summary.ts';
import { asWritten } from '../support/markdown.ts';
import { drillResult, restoreResult, SAFETY_BACKUP, SET_ID, SET_URI } from '../support/recovery-result.ts';

const plain = (text: string): string => text;

describe('the summary of a restore', () => {
  const summary = asWritten(recoverySummary(restoreResult({ strategy: 'swap' }), plain));

  test('says the verdict first, then what from where into what', () => {
    expect(summary.split('\n').slice(0, 3)).toEqual([
      '## ✅ Restore of `shop`: passed',
      '',
      `\`${SET_ID}\` (the state of 2026-11-21T02:00:00.123Z, Postgres 15) from \`${SET_URI}\` into \`shop\` on \`db.acme.com\` (Postgres 17.10; the former one is kept as \`shop_before_k3v9qa\`): 2 tables, 20,500 rows, in 2 min 40 s.`,
    ]);
  });

  test('has every check, the time to restore and to prove apart, and the critical tables', () => {
    expect(summary).toContain('| `tables` | ✅ passed | 2 of 2 tables have the recorded content |');
    expect(summary).toContain(
      'Restoring took **1 min 40 s**. Proving took **25 s** (0.25 of that). The critical tables could be read after **1 min 1 s**.',
    );
    expect(summary).toContain('| index | 20 s |\n| prove | 25 s |\n| everything | 2 min 40 s |');
  });

  test('has the safety backup, the way back, what to do now, and where it is recorded', () => {
    expect(summary).toContain(`What was there before is in \`${SAFETY_BACKUP.id}\`, proven and kept for ever`);
    expect(summary).toContain(
      'To swap back, while nobody is connected:\n\n```\nBEGIN;\nALTER DATABASE "shop" RENAME TO',
    );
    expect(summary).toContain('### What to do now\n\nClients that connect to `shop` find the restored data now.');
    expect(summary).toContain('_audit/20261121_031500_abcdef.started.json');
    expect(summary).not.toMatch(/What pg_restore said|What was left out|What was noticed/);
  });

  test('says what to do now for each strategy', () => {
    const now = (strategy: 'new-database' | 'in-place') =>
      asWritten(recoverySummary(restoreResult({ strategy }), plain));
    expect(now('new-database')).toContain('Nothing that was there has changed. Look at `shop_restored_k3v9qa`');
    expect(now('in-place')).toContain('Clients of `shop` find the restored data now, and may write again.');
  });

  test('shows unknown and fatal messages, and folds harmless ones with their reasons', () => {
    const messages = [
      { kind: 'harmless', text: 'unrecognized configuration parameter "transaction_timeout"', reason: 'New in 17' },
      { kind: 'unknown', text: 'something new | odd', reason: 'Nobody has seen it' },
      { kind: 'fatal', text: 'could not execute query', reason: 'An entry is missing' },
    ] as const;
    const text = asWritten(recoverySummary(restoreResult({ status: 'partial', more: { messages } }), plain));
    const fatal = text.indexOf('| ❌ fatal | `could not execute query` | An entry is missing |');
    expect(fatal).toBeGreaterThan(0);
    expect(text.indexOf('| ⚠️ unknown | `something new | odd` | Nobody has seen it |')).toBeGreaterThan(fatal);
    expect(text).toMatch(/<summary>1 harmless message<\/summary>\n\n.*\n.*\n\| `unrecognized .*` \| New in 17 \|/);
  });

  test('shows what was left out, and why', () => {
    const leftOut = [{ what: 'SUBSCRIPTION feed', why: 'a copy must not start replicating' }];
    const text = asWritten(recoverySummary(restoreResult({ more: { leftOut } }), plain));
    expect(text).toContain(
      '### What was left out\n\n| what | why |\n| --- | --- |\n| `SUBSCRIPTION feed` | a copy must not',
    );
  });

  test('of one that is wrong is red, names the difference, and says what is safe and what to type', () => {
    const wrong = restoreResult({
      status: 'failed',
      details: ['public.orders: 3 rows instead of 4'],
      strategy: 'swap',
    });
    const text = asWritten(recoverySummary(wrong, plain));
    expect(text).toMatch(
      /^## ❌ Restore of `shop`: FAILED, what came back is wrong\n\n\*\*1 of 2 checks did not pass: tables\.\*\*/,
    );
    expect(text).toContain('**What is safe:** `shop` holds what was restored. The former database is kept whole');
    expect(text).toContain('- public.orders: 3 rows instead of 4');
    expect(text.match(/RENAME TO "shop";/g)).toHaveLength(1);
    expect(text).not.toMatch(/✅ Restore|What to do now/);
    const inPlace = asWritten(recoverySummary(restoreResult({ status: 'failed', strategy: 'in-place' }), plain));
    expect(inPlace).toContain(`run this workflow again with \`backup: ${SAFETY_BACKUP.id}\``);
    expect(inPlace.split(SAFETY_BACKUP.restoreCommand)).toHaveLength(2);
  });

  test('of a partial one is red, unless that was accepted', () => {
    expect(recoverySummary(restoreResult({ status: 'not-run' }), plain)).toMatch(
      /^## ❌ Restore of <code>shop<\/code>: partial, so not passed/,
    );
    const accepted = recoverySummary(restoreResult({ status: 'not-run', acceptPartial: true }), plain);
    expect(accepted).toMatch(/^## ⚠️ Restore of <code>shop<\/code>: partial, which was accepted/);
    expect(accepted).toContain('⚠️ not run');
  });

  test('of a drill says how old the data was', () => {
    const text = asWritten(recoverySummary(drillResult(), plain));
    expect(text).toMatch(/^## ✅ Drill of `shop`: passed/);
    expect(text).toContain('The data was **1 h 15 min** old: that much would have been lost.');
    expect(text).toContain('_drills/');
    expect(recoverySummary(drillResult({ status: 'failed' }), plain)).toMatch(
      /^## ❌ Drill of <code>shop<\/code>: FAILED/,
    );
    expect(recoverySummary(drillResult({ status: 'partial' }), plain)).toMatch(
      /^## ❌ Drill of <code>shop<\/code>: partial, so not passed/,
    );
  });

  test('of a dump made by other means says so', () => {
    const source = { kind: 'foreign', id: 'old.sql.gz', uri: 's3://acme/old.sql.gz' } as const;
    const text = asWritten(recoverySummary(restoreResult({ status: 'partial', more: { source } }), plain));
    expect(text).toContain('`old.sql.gz` (a dump made by other means) from `s3://acme/old.sql.gz`');
    expect(text).toMatch(/^## ❌ Restore of `old\.sql\.gz`: partial, so not passed/);
  });

  test('cannot be broken out of by what the archive or the server say', () => {
    const hostile = '| x | <img src=x> @octocat\n## forged';
    const messages = [{ kind: 'unknown', text: hostile, reason: hostile }] as const;
    const more = { messages, leftOut: [{ what: hostile, why: hostile }] };
    const text = recoverySummary(restoreResult({ more }), (words) => words.replaceAll('octocat', '***'));
    expect(text).not.toMatch(/<img|octocat|^## forged/m);
  });
});

test('the summary of a dry run is the plan', () => {
  const result: RecoveryDryRun = {
    command: 'restore',
    outcome: 'planned',
    name: 'shop',
    backup: { id: SET_ID, uri: SET_URI },
    plan: [
      ['create', 'the database `shop_restored_k3v9qa`'],
      ['leave out', 'SUBSCRIPTION feed | a copy'],
    ],
    findings: [],
  };
  const text = asWritten(plannedSummary(result, plain));
  expect(text).toMatch(/^## ℹ️ Dry run of a restore of `shop`\n\nNothing was touched, and \*\*nothing was restored\*\*/);
  expect(text).toContain('| create | the database `shop_restored_k3v9qa` |');
  expect(Object.fromEntries(outputsOf(result))).toEqual({ 'backup-id': SET_ID, 'backup-uri': SET_URI, findings: '[]' });
  expect(plannedSummary({ ...result, command: 'drill' }, plain)).toContain('nothing was drilled');
});

test('the dry run of a restore that needs a second person says who types what until when', () => {
  const toConfirm = {
    fingerprint: '3f2a9c11b0de',
    uris: [`${SET_URI}.planned.json`],
    until: '2026-11-22T03:15:00.000Z',
    plannedBy: ['octocat', 'hubot'],
    typed: [`backup: ${SET_ID}`, 'dry-run: false', "confirm: '3f2a9c11b0de'"],
    findings: [],
  };
  const backup = { id: SET_ID, uri: SET_URI };
  const result: RecoveryDryRun = { command: 'restore', outcome: 'planned', backup, plan: [], toConfirm, findings: [] };
  const text = asWritten(plannedSummary(result, plain));
  expect(text).toContain('Until 2026-11-22T03:15:00.000Z somebody other than `octocat` and `hubot` reads this plan');
  expect(text).toContain(`\`\`\`yaml\nbackup: ${SET_ID}\ndry-run: false\nconfirm: '3f2a9c11b0de'\n\`\`\``);
  expect(text).toContain(`all that this dry run left: \`${SET_URI}.planned.json\``);
  expect(Object.fromEntries(outputsOf(result))).toMatchObject({ 'plan-fingerprint': '3f2a9c11b0de' });
});

describe('the outputs of a restore or drill', () => {
  const common = {
    'backup-id': SET_ID,
    'backup-uri': SET_URI,
    verdict: 'passed',
    tables: '2',
    rows: '20500',
    'duration-seconds': '160',
    'server-version': '17.10',
    'postgres-major': '17',
    findings: '[]',
  };

  test('are those of the target and of the proof', () => {
    expect(Object.fromEntries(outputsOf(restoreResult()))).toEqual({
      ...common,
      'restored-database': 'shop_restored_k3v9qa',
    });
    expect(Object.fromEntries(outputsOf(drillResult()))).toEqual(common);
    expect(Object.fromEntries(outputsOf(drillResult({ status: 'not-run', acceptPartial: true })))).toMatchObject({
      verdict: 'partial',
    });
  });
});
