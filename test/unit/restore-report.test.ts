import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RecoveryDryRun, RunNews } from '../../src/command.ts';
import { BackupError } from '../../src/domain/errors.ts';
import { describeFailure } from '../../src/report/failure.ts';
import { failedIncidentReport, incidentReport } from '../../src/report/incident-report.ts';
import { plannedSummary } from '../../src/report/other-outcomes.ts';
import { outputsOf } from '../../src/report/outputs.ts';
import { reportFailure, reportResult } from '../../src/report/report.ts';
import { recoverySummary } from '../../src/report/restore-summary.ts';
import { type Console, RunLog } from '../../src/runner/log.ts';
import {
  drillResult,
  OCCASION,
  restoreNews,
  restoreResult,
  SAFETY_BACKUP,
  SET_ID,
  SET_URI,
} from '../support/recovery-result.ts';

const plain = (text: string): string => text;
const ENDED = new Date('2026-11-21T03:17:41.000Z');

/** What a reader sees of entities and of code. */
function decoded(markdown: string): string {
  return markdown
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll(/<\/?code>/g, '`');
}

describe('the summary of a restore', () => {
  const summary = decoded(recoverySummary(restoreResult({ strategy: 'swap' }), plain));

  test('says the verdict first, then what from where into what', () => {
    expect(summary.split('\n').slice(0, 3)).toEqual([
      '## ✅ Restored and proven: `shop`',
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
    const now = (strategy: 'new-database' | 'in-place') => decoded(recoverySummary(restoreResult({ strategy }), plain));
    expect(now('new-database')).toContain('Nothing that was there has changed. Look at `shop_restored_k3v9qa`');
    expect(now('in-place')).toContain('Clients of `shop` find the restored data now, and may write again.');
  });

  test('shows unknown and fatal messages, and folds harmless ones with their reasons', () => {
    const messages = [
      { kind: 'harmless', text: 'unrecognized configuration parameter "transaction_timeout"', reason: 'New in 17' },
      { kind: 'unknown', text: 'something new | odd', reason: 'Nobody has seen it' },
      { kind: 'fatal', text: 'could not execute query', reason: 'An entry is missing' },
    ] as const;
    const text = decoded(recoverySummary(restoreResult({ status: 'partial', more: { messages } }), plain));
    const fatal = text.indexOf('| ❌ fatal | `could not execute query` | An entry is missing |');
    expect(fatal).toBeGreaterThan(0);
    expect(text.indexOf('| ⚠️ unknown | `something new | odd` | Nobody has seen it |')).toBeGreaterThan(fatal);
    expect(text).toMatch(/<summary>1 harmless message<\/summary>\n\n.*\n.*\n\| `unrecognized .*` \| New in 17 \|/);
  });

  test('shows what was left out, and why', () => {
    const leftOut = [{ what: 'SUBSCRIPTION feed', why: 'a copy must not start replicating' }];
    const text = decoded(recoverySummary(restoreResult({ more: { leftOut } }), plain));
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
    const text = decoded(recoverySummary(wrong, plain));
    expect(text).toMatch(/^## ❌ Restored, but WRONG: `shop`\n\n\*\*1 of 2 checks did not pass: tables\.\*\*/);
    expect(text).toContain('**What is safe:** `shop` holds what was restored. The former database is kept whole');
    expect(text).toContain('- public.orders: 3 rows instead of 4');
    expect(text.match(/RENAME TO "shop";/g)).toHaveLength(1);
    expect(text).not.toMatch(/✅ Restored|What to do now/);
    const inPlace = decoded(recoverySummary(restoreResult({ status: 'failed', strategy: 'in-place' }), plain));
    expect(inPlace).toContain(`run this workflow again with \`backup: ${SAFETY_BACKUP.id}\``);
    expect(inPlace.split(SAFETY_BACKUP.restoreCommand)).toHaveLength(2);
  });

  test('of a partial one is red, unless that was accepted', () => {
    expect(recoverySummary(restoreResult({ status: 'not-run' }), plain)).toMatch(/^## ❌ Restored, but not all of it/);
    const accepted = recoverySummary(restoreResult({ status: 'not-run', acceptPartial: true }), plain);
    expect(accepted).toMatch(/^## ⚠️ Restored in part proven, which was accepted/);
    expect(accepted).toContain('⚠️ not run');
  });

  test('of a drill says how old the data was', () => {
    const text = decoded(recoverySummary(drillResult(), plain));
    expect(text).toMatch(/^## ✅ Drilled and proven: `shop`/);
    expect(text).toContain('The data was **1 h 15 min** old: that much would have been lost.');
    expect(text).toContain('_drills/');
    expect(recoverySummary(drillResult({ status: 'failed' }), plain)).toMatch(/^## ❌ Drill not passed/);
    expect(recoverySummary(drillResult({ status: 'partial' }), plain)).toMatch(/^## ❌ Drill partial, so not passed/);
  });

  test('of a dump made by other means says so', () => {
    const source = { kind: 'foreign', id: 'old.sql.gz', uri: 's3://acme/old.sql.gz' } as const;
    const text = decoded(recoverySummary(restoreResult({ status: 'partial', more: { source } }), plain));
    expect(text).toContain('`old.sql.gz` (a dump made by other means) from `s3://acme/old.sql.gz`');
    expect(text).toMatch(/^## ❌ Restored, but not all of it is proven: `old\.sql\.gz`/);
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
  const text = decoded(plannedSummary(result, plain));
  expect(text).toMatch(/^## ℹ️ Dry run of a restore of `shop`\n\nNothing was touched, and \*\*nothing was restored\*\*/);
  expect(text).toContain('| create | the database `shop_restored_k3v9qa` |');
  expect(Object.fromEntries(outputsOf(result))).toEqual({ 'backup-id': SET_ID, 'backup-uri': SET_URI, findings: '[]' });
  expect(plannedSummary({ ...result, command: 'drill' }, plain)).toContain('nothing was drilled');
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

describe('the incident report', () => {
  test('of a restore has who, when, why, what, the timeline, the messages and the timings', () => {
    const messages = [{ kind: 'harmless', text: 'role "x" already exists', reason: 'It was there' }] as const;
    const leftOut = [{ what: 'SUBSCRIPTION feed', why: 'a copy must not start replicating' }];
    const result = restoreResult({ strategy: 'swap', more: { messages, leftOut } });
    const report = decoded(incidentReport(result, ENDED, plain));
    expect(report).toMatch(/^# Restore of `shop`: done and proven\n/);
    for (const row of [
      '| who | `octocat` |',
      '| why | the orders of Friday are gone |',
      '| begun | 2026-11-21T03:15:00.000Z |',
      '| ended | 2026-11-21T03:17:41.000Z, after 2 min 41 s |',
      '| run | `acme/shop`, `Restore`, https://github.com/acme/shop/actions/runs/123 |',
      `| backup | \`${SET_ID}\` |`,
      `| from | \`${SET_URI}\` |`,
      '| target | `db.acme.com/shop` |',
      '| former database | `shop_before_k3v9qa` |',
      '| strategy | `swap` |',
      `| safety backup | \`${SAFETY_BACKUP.id}\` in \`${SAFETY_BACKUP.uri}\` |`,
      '| 2026-11-21T03:17:40.000Z | The proof passed |',
      '| `role "x" already exists` | It was there |',
      '| restore | 1 min 20 s |',
      '| `SUBSCRIPTION feed` | a copy must not start replicating |',
    ]) {
      expect(report).toContain(row);
    }
    expect(report.endsWith('\n')).toBe(true);
  });

  test('of one that is wrong says so in its first line', () => {
    expect(incidentReport(restoreResult({ status: 'failed' }), ENDED, plain)).toMatch(
      /^# .*done, but what came back is WRONG/,
    );
    expect(incidentReport(restoreResult({ status: 'partial' }), ENDED, plain)).toMatch(/^# .*not all of it is proven/);
    expect(incidentReport(restoreResult({ status: 'partial', acceptPartial: true }), ENDED, plain)).toMatch(
      /^# .*accepted/,
    );
  });

  test('of a restore that failed has what is known, and what to type', () => {
    const news: Partial<RunNews> = restoreNews('in-place', {
      stage: 'replacing',
      safetyBackup: SAFETY_BACKUP,
      occasion: OCCASION,
      timeline: [{ at: '2026-11-21T03:16:00.000Z', what: 'The safety backup is proven' }],
      messages: [{ kind: 'fatal', text: 'out of s3cr3t memory', reason: 'The server gave up' }],
      phases: [{ phase: 'fetch', seconds: 20 }],
    });
    const error = new BackupError('ERR_RESTORE_FAILED', 'pg_restore ended with 1', { op: 'restore', hint: 'Mend it.' });
    const redact = (text: string): string => text.replaceAll('s3cr3t', '***');
    const report = decoded(failedIncidentReport(describeFailure(error, news), news, ENDED, redact));
    expect(report).toMatch(/^# The restore of "shop" failed \(ERR_RESTORE_FAILED\)\n/);
    for (const words of [
      '**What happened:** `ERR_RESTORE_FAILED`: pg_restore ended with 1.',
      'was being replaced in one transaction',
      '**What to do:** Mend it.',
      'NEW_DATABASE=before_the_restore',
      '| who | `octocat` |',
      '| failed while | `replacing` |',
      '| 2026-11-21T03:16:00.000Z | The safety backup is proven |',
      '| ❌ fatal | `out of *** memory` | The server gave up |',
      '| fetch | 20 s |',
    ]) {
      expect(report).toContain(words);
    }
  });
});

describe('a run', () => {
  let folder: string;
  let lines: string[];
  let parts: Parameters<typeof reportResult>[1];
  const console: Console = {
    line: (text) => lines.push(text),
    progress: (text) => lines.push(text),
    annotation: (kind, text, title) => lines.push(`${kind} ${title}: ${text}`),
    debug: (text) => lines.push(text),
    startGroup: () => undefined,
    endGroup: () => undefined,
    addMask: () => undefined,
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'report-'));
    lines = [];
    const log = new RunLog(console);
    log.mask('hunter2hunter2');
    parts = { env: { GITHUB_STEP_SUMMARY: join(folder, 'summary.md') }, log, now: ENDED };
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('that restored and proved is green, ends the alarm, and writes the report and its output', () => {
    const reportPath = join(folder, 'incident', 'report.md');
    const result = { ...restoreResult(), reportPath };
    const occasion = { ...result.occasion, reason: 'the password hunter2hunter2 leaked' };
    expect(reportResult({ ...result, occasion }, parts)).toEqual({
      exitCode: 0,
      proven: { command: 'restore', id: SET_ID, uri: SET_URI },
    });
    const report = readFileSync(reportPath, 'utf8');
    expect(report).toContain('# Restore of');
    expect(report).not.toContain('hunter2');
    expect(lines).toContain(`output report-path=${reportPath}`);
    expect(lines).toContain(`output restored-database=shop_restored_k3v9qa`);
    expect(lines.at(-1)).toBe(
      `Restored into shop_restored_k3v9qa, proven: ${SET_ID}, 2 tables, 20,500 rows, in 2 min 40 s`,
    );
    expect(readFileSync(join(folder, 'summary.md'), 'utf8')).toMatch(/^## ✅ Restored and proven/);
  });

  test('that drilled and passed ends the alarm of drills', () => {
    const reportPath = join(folder, 'drill.md');
    const result = { ...drillResult(), reportPath };
    expect(reportResult(result, parts)).toMatchObject({ exitCode: 0, proven: { command: 'drill', id: SET_ID } });
    expect(lines).toContain(`output report-path=${reportPath}`);
    expect(readFileSync(join(folder, 'drill.xml'), 'utf8')).toContain('<testsuites');
  });

  test('that is partial is red; accepted, it is green and ends no alarm', () => {
    expect(reportResult(restoreResult({ status: 'partial' }), parts)).toMatchObject({
      exitCode: 1,
      failure: { code: 'ERR_NOT_PROVEN', command: 'restore' },
    });
    expect(lines.at(-1)).toMatch(/^error The restore of "shop" is done, but not all of it is proven/);
    expect(reportResult(restoreResult({ status: 'partial', acceptPartial: true }), parts)).toEqual({ exitCode: 0 });
    const warning = lines.find((line) => line.startsWith('warning The restore is partial'));
    expect(warning).toContain('which `accept-partial` accepts');
  });

  test('that was a dry run prints the plan and ends no alarm', () => {
    const plan = [['create', 'a database']] as const;
    const backup = { id: SET_ID, uri: SET_URI };
    const planned: RecoveryDryRun = { command: 'restore', outcome: 'planned', backup, plan, findings: [] };
    expect(reportResult(planned, parts)).toEqual({ exitCode: 0 });
    expect(lines.slice(-2)).toEqual(['Dry run: nothing was touched. A restore would be:', '  create: a database']);
  });

  test('that failed writes the report too', () => {
    const reportPath = join(folder, 'failed.md');
    const news = restoreNews('swap', { stage: 'restoring', occasion: OCCASION, reportPath });
    const ending = reportFailure(new BackupError('ERR_RESTORE_FAILED', 'No', { op: 'x', hint: 'y' }), news, parts);
    expect(ending).toMatchObject({
      exitCode: 1,
      failure: { title: 'The restore of "shop" failed (ERR_RESTORE_FAILED)' },
    });
    expect(readFileSync(reportPath, 'utf8')).toContain('**What is safe:**');
    expect(lines).toContain(`output report-path=${reportPath}`);
  });

  test('whose report cannot be written is as green as it was, with a warning and no output', () => {
    const reportPath = join(folder, 'summary.md', 'report.md');
    reportResult(drillResult(), parts);
    expect(reportResult({ ...restoreResult(), reportPath }, parts).exitCode).toBe(0);
    expect(lines.some((line) => line.includes('The report could not be written to'))).toBe(true);
    expect(lines.some((line) => line.includes(`report-path=${reportPath}`))).toBe(false);
  });
});
