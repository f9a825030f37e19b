/** `command: drill` as a whole: against an empty server that is given, and with a server of its own. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { anotherUser, asNobody } from '../support/another-user.ts';
import { describeWith, testIf } from '../support/availability.ts';
import type { ScenarioRun } from '../support/backup-scenario.ts';
import { clientTools } from '../support/clients.ts';
import { type DrillBench, machineWithServer, ROW, startDrillBench, statuses } from '../support/drill-bench.ts';
import { readable } from '../support/expect-run.ts';
import { startGitHub } from '../support/github-api.ts';
import { elementsOf, readXml } from '../support/xml.ts';

const ASSERTIONS = `
# every form
SELECT count(*) > 100 FROM orders
SELECT count(*) FROM events => 50
SELECT current_setting('server_encoding') => 'UTF8'
freshness 26h: SELECT max(created_at) FROM events`;

async function githubThatRefuses() {
  const github = await startGitHub({ rights: 'read' });
  return Object.assign(github, { [Symbol.asyncDispose]: () => github.close() });
}

describeWith(await clientTools(17), 'A drill', (clients) => {
  let bench: DrillBench;
  let older: string;
  let id: string;

  beforeAll(async () => {
    bench = await startDrillBench(clients);
    older = await bench.backUp();
    id = await bench.backUp();
  });
  afterAll(() => bench?.stop());

  function expectPassed(run: ScenarioRun): void {
    expect(run.exitCode, run.maskedLog).toBe(0);
    expect(run.stderr).toBe('');
    expect(run.annotations.filter(({ kind }) => kind !== 'notice')).toEqual([]);
    expect(run.outputs.verdict).toBe('passed');
  }

  test('against an empty server checks all that was asked, and its verdict is at every destination', async () => {
    const target = await bench.emptyDatabase();
    const report = path.join(bench.scenario.folder, 'evidence/drill.md');
    const run = await bench.drill({
      target,
      inputs: {
        backup: older,
        assertions: ASSERTIONS,
        'min-tables': '6',
        'max-restore-minutes': '30',
        'critical-tables': 'public.orders',
        'report-path': report,
      },
    });
    expectPassed(run);
    expect(run.outputs).toMatchObject({
      'backup-id': older,
      tables: '6',
      'report-path': report,
      'postgres-major': '17',
    });
    const record = bench.lastRecord(older);
    expect(record).toMatchObject({
      verdict: 'passed',
      backup: { id: older, name: 'shop' },
      target: { kind: 'given', server: { major: 17 } },
      actor: 'octocat',
      alarm: 'passed',
      totals: { tables: 6 },
    });
    expect(statuses(record)).toMatchObject({
      tables: 'passed',
      assertions: 'passed',
      'min-tables': 'passed',
      'restore-time': 'passed',
      alarm: 'passed',
    });
    expect(record.timings.criticalTablesSeconds).toBeGreaterThan(0);
    expect(record.timings.recoverySeconds).toBeGreaterThan(0);
    expect(record.dataAgeSeconds).toBeGreaterThan(0);
    expect(readable(run.summary)).toMatch(/Recovery time \(RTO\): .*30 min 0 s are allowed/);
    expect(readable(run.summary)).toMatch(/Recovery point \(RPO\): /);
    expect(run.summary).not.toContain('Recovery time over drills');
    expectEvidence(run, report);
    await bench.expectNothingLeft(run);
  });

  function expectEvidence(run: ScenarioRun, report: string): void {
    const markdown = readable(readFileSync(report, 'utf8'));
    const xml = readFileSync(report.replace('.md', '.xml'), 'utf8');
    const suites = readXml(xml);
    const cases = elementsOf(suites, 'testcase').map(({ attributes }) => attributes.name);
    expect(suites.attributes).toMatchObject({ failures: '0', errors: '0', skipped: '0' });
    expect(cases).toEqual(bench.lastRecord(older).checks.map((check) => check.id));
    expect(markdown).toContain('octocat');
    expect(markdown).toContain(older);
    for (const text of [markdown, xml, bench.recordsIn(bench.second, older)[0]?.text ?? '', run.summary]) {
      expect(text).not.toContain(ROW);
      expect(text).not.toContain(bench.identity);
      expect(text).not.toContain(run.github.url);
    }
  }

  test('makes its backup the one that latest-restored means, although a newer one is there', async () => {
    const run = await bench.drill({ inputs: { backup: 'latest-restored', 'dry-run': 'true' } });
    expect(run.exitCode, run.maskedLog).toBe(0);
    expect(run.outputs['backup-id']).toBe(older);
    const newest = await bench.drill({ inputs: { 'dry-run': 'true' } });
    expect(newest.outputs['backup-id']).toBe(id);
    expect(bench.recordsIn(bench.second, id)).toEqual([]);
    expect(bench.recordsIn(bench.second, older)).toHaveLength(1);
    expect(readable(newest.summary)).toContain('Nothing was touched, and nothing was drilled');
    await bench.expectNothingLeft(newest);
  });

  test('with a server of its own takes that away again, and shows how long earlier drills took', async () => {
    const before = await bench.databases();
    const run = await bench.drill({ inputs: { assertions: 'SELECT count(*) = 50 FROM events' } });
    expectPassed(run);
    expect(bench.lastRecord(id)).toMatchObject({ verdict: 'passed', target: { kind: 'own-server' } });
    expect(bench.lastRecord(id).phases.map(({ phase }) => phase)).toContain('server');
    expect(run.summary).toContain('Recovery time over drills');
    expect(readable(run.summary)).toContain(older);
    expect(await bench.databases()).toEqual(before);
    await bench.expectNothingLeft(run);
  });

  testIf(anotherUser, 'of somebody who is not root runs its server as that user', async () => {
    const tools = await machineWithServer(clients);
    try {
      const run = await bench.drill({ privateTemp: true, tools, through: asNobody(bench.scenario.folder) });
      expectPassed(run);
      expect(bench.lastRecord(id)).toMatchObject({ verdict: 'passed', target: { kind: 'own-server' } });
      await bench.expectNothingLeft(run);
    } finally {
      await tools.remove();
    }
  });

  test('whose alarm could not open an issue is not passed, and says what to grant', async () => {
    await using github = await githubThatRefuses();
    const run = await bench.drill({ target: await bench.emptyDatabase(), github });
    expect(run.exitCode, run.maskedLog).toBe(1);
    expect(run.outputs.verdict).toBe('failed');
    const record = bench.lastRecord(id);
    expect(record).toMatchObject({ verdict: 'failed', alarm: 'failed' });
    expect(Object.values(statuses(record)).filter((status) => status !== 'passed')).toEqual(['failed']);
    expect(readable(run.summary)).toContain('the alarm would not reach everybody');
    expect(readable(run.summary)).toContain('issues: write');
    await bench.expectNothingLeft(run);
    const without = await bench.drill({ inputs: { 'prove-the-alarm': 'false' }, github });
    expectPassed(without);
    expect(bench.lastRecord(id)).toMatchObject({ verdict: 'passed', alarm: 'not-asked' });
  });

  test('that takes longer than max-restore-minutes allows is not passed', async () => {
    const tools = await machineWithServer(clients, {
      pg_restore: 'case "$*" in *--dbname=*) sleep 61;; esac; exec "$REAL" "$@"',
    });
    try {
      const run = await bench.drill({ tools, inputs: { 'max-restore-minutes': '1', 'prove-the-alarm': 'false' } });
      expect(run.exitCode, run.maskedLog).toBe(1);
      const record = bench.lastRecord(id);
      expect(record.verdict).toBe('failed');
      expect(statuses(record)).toMatchObject({ tables: 'passed', 'restore-time': 'failed' });
      expect(readable(run.summary)).toContain('longer than the 1 min 0 s that are allowed');
      await bench.expectNothingLeft(run);
    } finally {
      await tools.remove();
    }
  });
});
