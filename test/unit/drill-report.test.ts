import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { DrillResult } from '../../src/command.ts';
import { trendPoint } from '../../src/domain/drill-record.ts';
import { reportPaths } from '../../src/report/drill-files.ts';
import { drillReport } from '../../src/report/drill-report.ts';
import type { FailureWords } from '../../src/report/failure-words.ts';
import { drillJUnit, failedDrillJUnit } from '../../src/report/junit.ts';
import { recoverySummary } from '../../src/report/restore-summary.ts';
import { programAvailable, testIf } from '../support/availability.ts';
import { drilled } from '../support/drill-records.ts';
import { withoutEntities } from '../support/markdown.ts';
import { drillResult, type RecoveryWishes, recoveryOf } from '../support/recovery-result.ts';

const plain = (text: string): string => text;

function facts(wishes: RecoveryWishes = {}, more: Partial<DrillResult> = {}): DrillResult {
  return { ...drillResult(wishes), ...more };
}

const now = trendPoint(drilled('2026-12-01T04:00:00.000Z'));
const past = [
  drilled('2026-10-01T04:00:00.000Z', { more: { phases: [{ phase: 'prove', seconds: 50 }] } }),
  drilled('2026-11-01T04:00:00.000Z', { status: 'failed' }),
  drilled('2026-09-01T04:00:00.000Z', {}, { verdict: 'failed', error: 'ERR_CONNECT' }),
].map(trendPoint);

describe('the report of a drill', () => {
  test('says what passed, how long it took and how old the data was', () => {
    const text = drillReport(facts({}, { maxRestoreMinutes: 5 }), plain);
    expect(text).toMatch(/^# Drill of <code>shop<\/code>: passed\n/);
    expect(text).toContain(
      '**Recovery time (RTO): 2 min 30 s**, from the first byte to the proof; 5 min 0 s are allowed.',
    );
    expect(text).toContain(
      '**Recovery point (RPO): 1 h 15 min.** Had the database been lost when this drill began, everything after',
    );
    expect(text).toContain('octocat');
    expect(text).not.toContain('Recovery time over drills');
  });

  test('says what failed, and names what differs', () => {
    const text = drillReport(
      facts({ status: 'failed', details: ['public.customers: 3 rows in the backup, 2 there'] }),
      plain,
    );
    expect(text).toMatch(/^# Drill of <code>shop<\/code>: FAILED\n/);
    expect(withoutEntities(text)).toContain('public.customers: 3 rows');
    expect(drillReport(facts({ status: 'not-run' }), plain)).toContain(': partial, so not passed');
  });

  test('holds no value of a row that a message quotes', () => {
    const text = (message: string) => {
      const messages = [{ kind: 'fatal', text: `pg_restore: error: ${message}`, reason: 'It failed' }] as const;
      return withoutEntities(drillReport(facts({ more: { messages } }), plain));
    };
    const key =
      'COPY failed for table "t": ERROR:  duplicate key value violates unique constraint "t_pkey" DETAIL:  Key (mail)=(bob@x.org) already exists. CONTEXT:  COPY t, line 2';
    expect(text(key)).toContain('violates unique constraint "t_pkey" …');
    expect(text(key)).not.toContain('bob@');
    expect(text('ERROR:  invalid input syntax for type integer: "bob" CONTEXT: x')).not.toContain('bob');
    expect(text('ERROR:  invalid input value for enum mood: "bob"')).not.toContain('bob');
    expect(text('ERROR:  role "app" does not exist')).toContain('role "app" does not exist');
  });

  test('of a dump that does not tell its time knows no recovery point', () => {
    const { rpoSeconds: _, ...result } = drillResult();
    expect(drillReport(result, plain)).toContain('Recovery point (RPO): not known');
  });

  test('cannot be broken out of, and holds no secret', () => {
    const hostile = 'a | b\n# c <b>d</b> s3cr3t';
    const text = drillReport(facts({ status: 'failed', details: [hostile] }), (given) =>
      given.replaceAll('s3cr3t', '***'),
    );
    expect(text).not.toMatch(/s3cr3t|<b>|^# c/m);
  });

  test('shows the trend over earlier drills, also in the job summary', () => {
    const result = { ...drillResult(), trend: { now, past } };
    for (const text of [drillReport(result, plain), recoverySummary(result, plain)]) {
      const shown = withoutEntities(text);
      const section = shown.slice(shown.indexOf('### Recovery time over drills'));
      const rows = section.split('\n').filter((line) => line.startsWith('| 2026'));
      expect(rows.map((row) => row.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')))).toEqual([
        ['2026-09-01 04:00', expect.anything(), '❌ failed', '–', ''],
        ['2026-10-01 04:00', expect.anything(), '✅ passed', '50 s', '█'.repeat(7)],
        ['2026-11-01 04:00', expect.anything(), '❌ failed', '2 min 30 s', '█'.repeat(20)],
        ['2026-12-01 04:00', expect.anything(), '✅ passed', '2 min 30 s', '█'.repeat(20)],
      ]);
      expect(section).toContain(
        '50 s was usual in the earlier drill that passed; this one took **3.0 times** as long.',
      );
    }
    expect(recoverySummary(drillResult(), plain)).not.toContain('Recovery time over drills');
  });

  test('shows a dozen drills at most', () => {
    const many = Array.from({ length: 30 }, (_, day) => ({
      ...now,
      startedAt: `2026-10-${String(day + 1).padStart(2, '0')}T00:00:00.000Z`,
    }));
    const text = drillReport({ ...drillResult(), trend: { now, past: many } }, plain);
    expect(text.match(/^\| 2026-/gm)).toHaveLength(12);
    expect(text).toContain('| 2026-10-30');
  });

  test('is two files beside each other', () => {
    expect(reportPaths('out/drill.md')).toEqual({ markdown: 'out/drill.md', junit: 'out/drill.xml' });
    expect(reportPaths('drill')).toEqual({ markdown: 'drill.md', junit: 'drill.xml' });
    expect(reportPaths('a.b.xml')).toEqual({ markdown: 'a.b.md', junit: 'a.b.xml' });
  });
});

describe('JUnit', () => {
  test('has a case a check; nothing that is not passed is green', () => {
    const xml = drillJUnit(facts({ status: 'failed', details: ['public.t differs'] }), plain);
    expect(xml).toContain(
      '<testsuite name="drill of shop" tests="2" failures="1" errors="0" skipped="0" time="160.400" timestamp=',
    );
    expect(xml).toContain('<testcase name="archive" classname="db-backup-action.drill"/>');
    expect(xml).toContain(
      '<failure type="failed" message="2 of 2 tables have the recorded content">2 of 2 tables have the recorded content\npublic.t differs</failure>',
    );
    expect(xml).toContain('<property name="recovery-seconds" value="150.000"/>');
    expect(drillJUnit(facts({ status: 'partial' }), plain)).toContain('<failure type="partial"');
    expect(drillJUnit(facts({ status: 'not-run' }), plain)).toMatch(/errors="1"[\s\S]*<error type="not-run"/);
    expect(drillJUnit(facts(), plain)).toMatch(/failures="0" errors="0"/);
  });

  test('without any check is an error', () => {
    const result = { ...drillResult(), recovery: recoveryOf({ more: { checks: [], verdict: 'partial' } }) };
    expect(drillJUnit(result, plain)).toContain('<error type="not-run" message="Nothing at all was checked">');
  });

  test('of a drill that ended early holds what was checked until then, and an error', () => {
    const words: FailureWords = {
      ...{
        command: 'drill',
        outcome: 'failed',
        title: 'The drill failed',
        code: 'ERR_STORAGE',
        happened: 'The archive ended early',
        problems: [],
      },
      ...{ causes: ['socket hang up'], safety: 'Nothing was changed.', action: 'Run it again.', toType: [] },
    };
    const { checks } = recoveryOf();
    const xml = failedDrillJUnit(words, { command: 'drill', name: 'shop', checks }, new Date(0), plain);
    expect(xml).toContain('<testsuite name="drill of shop" tests="3" failures="0" errors="1" skipped="0"');
    expect(xml).toContain('<error type="not-run" message="The drill failed">');
    expect(xml).toContain('socket hang up\nRun it again.</error>');
    expect(xml).toContain('<property name="verdict" value="failed"/>');
    expect(failedDrillJUnit(words, {}, new Date(0), plain)).toMatch(/tests="1" failures="0" errors="1"/);
  });

  const python = programAvailable('python3', ['--version'], 'install Python 3');
  testIf(python, 'is XML whatever names and messages hold', () => {
    const hostile = `<a b="c">&amp; ]]> '\u0000\u0007\uFFFF\uD800 \n\ts3cr3t 😀`;
    const xml = drillJUnit(facts({ status: 'failed', details: [hostile] }), (text) => text.replaceAll('s3cr3t', '***'));
    const script = `import sys, xml.etree.ElementTree as E
root = E.fromstring(sys.stdin.buffer.read())
print(root.find('.//failure').text, end='')`;
    const { stdout, stderr } = spawnSync('python3', ['-c', script], { input: xml, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout).toBe(
      `2 of 2 tables have the recorded content\n<a b="c">&amp; ]]> '\\u{0}\\u{7}\\u{ffff}\uFFFD \n\t*** 😀`,
    );
  });
});
