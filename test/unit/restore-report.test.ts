import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RecoveryDryRun, RunNews } from '../../src/command.ts';
import { BackupError } from '../../src/domain/errors.ts';
import { describeFailure } from '../../src/report/failure.ts';
import { failedIncidentReport, incidentReport } from '../../src/report/incident-report.ts';
import { reportFailure, reportResult } from '../../src/report/report.ts';
import { type Console, RunLog } from '../../src/runner/log.ts';
import { asWritten } from '../support/markdown.ts';
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

describe('the incident report', () => {
  test('names who ran it again, where that is somebody else', () => {
    const again = (triggeringActor: string) =>
      asWritten(incidentReport({ ...restoreResult(), occasion: { ...OCCASION, triggeringActor } }, ENDED, plain));
    expect(again('hubot')).toContain('| who | `octocat`, run again by `hubot` |');
    expect(again('octocat')).toContain('| who | `octocat` |');
  });

  test('of a restore has who, when, why, what, the timeline, the messages and the timings', () => {
    const messages = [{ kind: 'harmless', text: 'role "x" already exists', reason: 'It was there' }] as const;
    const leftOut = [{ what: 'SUBSCRIPTION feed', why: 'a copy must not start replicating' }];
    const result = restoreResult({ strategy: 'swap', more: { messages, leftOut } });
    const report = asWritten(incidentReport(result, ENDED, plain));
    expect(report).toMatch(/^# Restore of `shop`: passed\n/);
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
      /^# Restore of <code>shop<\/code>: FAILED, what came back is wrong\n/,
    );
    expect(incidentReport(restoreResult({ status: 'partial' }), ENDED, plain)).toMatch(
      /^# .*: partial, so not passed\n/,
    );
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
    const report = asWritten(failedIncidentReport(describeFailure(error, news), news, ENDED, redact));
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
      warnings: [],
    });
    const report = readFileSync(reportPath, 'utf8');
    expect(report).toContain('# Restore of');
    expect(report).not.toContain('hunter2');
    expect(lines).toContain(`output report-path=${reportPath}`);
    expect(lines).toContain(`output restored-database=shop_restored_k3v9qa`);
    expect(lines.at(-1)).toBe(
      `Restored into shop_restored_k3v9qa, passed: ${SET_ID}, 2 tables, 20,500 rows, in 2 min 40 s`,
    );
    expect(readFileSync(join(folder, 'summary.md'), 'utf8')).toMatch(/^## ✅ Restore of <code>shop<\/code>: passed/);
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
    expect(lines.at(-1)).toMatch(/^error The restore of "shop" is done, but partial, so not passed/);
    expect(reportResult(restoreResult({ status: 'partial', acceptPartial: true }), parts)).toEqual({
      exitCode: 0,
      warnings: [expect.objectContaining({ condition: 'partial', seen: expect.stringContaining('`accept-partial`') })],
    });
    const warning = lines.find((line) => line.startsWith('warning The restore is partial'));
    expect(warning).toContain('which `accept-partial` accepts');
  });

  test('that was a dry run prints the plan and ends no alarm', () => {
    const plan = [['create', 'a database']] as const;
    const backup = { id: SET_ID, uri: SET_URI };
    const planned: RecoveryDryRun = { command: 'restore', outcome: 'planned', backup, plan, findings: [] };
    expect(reportResult(planned, parts)).toEqual({ exitCode: 0, warnings: [] });
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

  test('whose report cannot be written is as green as it was, with a warning in log, summary and outputs', () => {
    const reportPath = join(folder, 'summary.md', 'report.md');
    reportResult(drillResult(), parts);
    expect(reportResult({ ...restoreResult(), reportPath }, parts).exitCode).toBe(0);
    const words = `The report could not be written to ${reportPath}`;
    expect(lines.some((line) => line.startsWith(`warning report-not-written: ${words}`))).toBe(true);
    expect(lines.some((line) => line.includes(`report-path=${reportPath}`))).toBe(false);
    expect(asWritten(readFileSync(join(folder, 'summary.md'), 'utf8'))).toContain(words);
    expect(lines.some((line) => line.startsWith('output findings=') && line.includes('report-not-written'))).toBe(true);
  });

  test('that failed and whose report cannot be written says both in the summary', () => {
    const reportPath = join(folder, 'summary.md', 'report.md');
    reportResult(drillResult(), parts);
    const news = restoreNews('swap', { stage: 'restoring', occasion: OCCASION, reportPath });
    reportFailure(new BackupError('ERR_RESTORE_FAILED', 'No', { op: 'x', hint: 'y' }), news, parts);
    const summary = asWritten(readFileSync(join(folder, 'summary.md'), 'utf8'));
    expect(summary).toContain('ERR_RESTORE_FAILED');
    expect(summary).toContain(`The report could not be written to ${reportPath}`);
  });
});
