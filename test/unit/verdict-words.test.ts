/** Verdicts have one vocabulary: what the output `verdict` says stands in every title and in the last line too. */
import { describe, expect, test } from 'vitest';
import type { RecoveryVerdict } from '../../src/domain/recovery.ts';
import { dashboardPage } from '../../src/report/dashboard/page.ts';
import { drillReport } from '../../src/report/drill-report.ts';
import { describeTrouble } from '../../src/report/failure.ts';
import { incidentReport } from '../../src/report/incident-report.ts';
import { outputsOf } from '../../src/report/outputs.ts';
import { reportResult } from '../../src/report/report.ts';
import { recoverySummary } from '../../src/report/restore-summary.ts';
import { RunLog } from '../../src/runner/log.ts';
import { textOf } from '../support/html.ts';
import { drillResult, restoreResult } from '../support/recovery-result.ts';
import { backupPoint, NOW, reportOf, seriesOf } from '../support/status-reports.ts';

const plain = (text: string): string => text;
const CASES: [verdict: RecoveryVerdict, acceptPartial: boolean][] = [
  ['passed', false],
  ['partial', false],
  ['partial', true],
  ['failed', false],
];

describe.each(CASES)('A restore and a drill with the verdict %s (`accept-partial: %s`)', (verdict, acceptPartial) => {
  const wishes = { status: verdict, acceptPartial };
  const results = [restoreResult(wishes), drillResult(wishes)] as const;
  const firstLine = (text: string): string => text.split('\n')[0] ?? '';

  test('say that word in every title', () => {
    const [restore, drill] = results;
    const titles = [
      recoverySummary(restore, plain),
      recoverySummary(drill, plain),
      drillReport(drill, plain),
      incidentReport(restore, NOW, plain),
      ...results.flatMap((result) => describeTrouble(result)?.title ?? []),
    ];
    expect(titles.length).toBe(verdict === 'passed' || acceptPartial ? 4 : 6);
    for (const title of titles) expect(firstLine(title).toLowerCase(), title).toContain(verdict);
    for (const result of results) expect(outputsOf(result)).toContainEqual(['verdict', verdict]);
  });

  test('and in the last line of a green run', () => {
    const lines: string[] = [];
    const nothing = (): void => undefined;
    const log = new RunLog({
      ...{
        progress: nothing,
        annotation: nothing,
        debug: nothing,
        startGroup: nothing,
        endGroup: nothing,
        addMask: nothing,
      },
      line: (text) => lines.push(text),
    });
    for (const result of results) reportResult(result, { env: {}, log, now: NOW });
    const last = lines.filter((line) => /^(Restored|Drilled)/.test(line));
    expect(last).toHaveLength(verdict === 'passed' || acceptPartial ? 2 : 0);
    for (const line of last) expect(line).toMatch(new RegExp(`^(Restored into \\S+|Drilled), ${verdict}: `));
  });
});

test('a dashboard says proven, unproven and restored of backups, and passed, partial and failed of drills', () => {
  const restored = backupPoint({ restored: true });
  const doubtful = backupPoint({ verdict: 'unproven', id: '20261120_020000_nightly_aaaaaa' });
  const drills = (['passed', 'partial', 'failed'] as const).map((verdict) => ({
    at: NOW,
    backupId: restored.id,
    verdict,
  }));
  const series = seriesOf('shop', { backups: [doubtful, restored], drills });
  const text = textOf(dashboardPage(reportOf({ series: [series] }), { version: '1.0.0', redact: plain }));
  for (const word of ['proven restored', 'unproven', 'drill passed', 'drill partial', 'drill failed'])
    expect(text).toContain(word);
  expect(text).not.toMatch(/not proven|in part/);
});
