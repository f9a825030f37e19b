/** Archives that are not what pg_dump should have written: kept, for want of better, but never called proven. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Check } from '../../src/domain/checks.ts';
import { describeWith } from '../support/availability.ts';
import { type FolderState, type Scenario, startScenario } from '../support/backup-scenario.ts';
import type { Damage, PgDumpShim } from '../support/client-shims.ts';
import { clientTools } from '../support/clients.ts';
import { expectProven, expectUnproven } from '../support/expect-run.ts';

const AFTER_ARCHIVE = ['tables', 'row-counts', 'sequences', 'large-objects', 'objects'] as const;
const NOTHING_COMPARED = Object.fromEntries(AFTER_ARCHIVE.map((id) => [id, 'not-run'])) as Record<string, 'not-run'>;
const UNREADABLE = { archive: 'failed', ...NOTHING_COMPARED } as const;

describeWith(await clientTools(17), 'The proof', (clients) => {
  let scenario: Scenario;
  let before: FolderState;

  beforeAll(async () => {
    scenario = await startScenario(clients);
    await expectProven(scenario, await scenario.run(), new Map());
  });

  afterAll(() => scenario?.stop());

  beforeEach(() => {
    before = scenario.state();
  });

  function detailsOf(checks: readonly Check[], id: Check['id']): string {
    return checks.find((check) => check.id === id)?.details.join('\n') ?? '';
  }

  async function runSpoiled(damage: Damage, inputs: Record<string, string> = {}) {
    return await scenario.run({ tools: await scenario.shim({ damage }), inputs });
  }

  test('fails for an archive with one bit flipped in its middle', async () => {
    const run = await runSpoiled({ kind: 'flip' }, { compression: 'gzip' });
    const checks = await expectUnproven(scenario, run, before, { checks: UNREADABLE });
    expect(detailsOf(checks, 'archive')).toContain('pg_restore');
  });

  test('fails for an archive of which one half is missing', async () => {
    const run = await runSpoiled({ kind: 'truncate' });
    const checks = await expectUnproven(scenario, run, before, { checks: UNREADABLE });
    expect(detailsOf(checks, 'archive')).toContain('pg_restore');
  });

  test('does not call a damaged archive proven because zstd has no checksums of its own', async () => {
    const run = await runSpoiled({ kind: 'flip' }, { compression: 'zstd', verify: 'source' });
    expect(run.exitCode, run.maskedLog).toBe(1);
    expect(run.outputs.verdict).toBe('unproven');
  });

  test('leaves nothing out that is told: a damaged archive is still there, and its manifest says what it is', async () => {
    const run = await runSpoiled({ kind: 'truncate' });
    const manifest = scenario.manifest(run);
    expect(manifest.checks).toContainEqual(expect.objectContaining({ id: 'archive', status: 'failed' }));
    expect(manifest.objects.map(({ name }) => name)).toContain('database.backup');
    expect(
      readFileSync(path.join(run.outputs['backup-uri'] ?? '', 'database.backup'))
        .subarray(0, 5)
        .toString(),
    ).toBe('PGDMP');
    expect(run.summary).toMatch(/archive.*❌ failed/);
  });

  test('fails for an archive with something behind its end', async () => {
    const run = await runSpoiled({ kind: 'append', bytes: 1_000_000 });
    await expectUnproven(scenario, run, before, { checks: UNREADABLE });
  });

  test('sees one other letter in one row by verify: source, and only by that', async () => {
    const spoiled = { kind: 'replace', what: 'Please ring twice', by: 'Please ring thrice'.slice(0, 17) } as const;
    const blind = await runSpoiled(spoiled, { compression: 'none' });
    await expectProven(scenario, blind, before);
    before = scenario.state();
    const run = await runSpoiled(spoiled, { compression: 'none', verify: 'source' });
    const checks = await expectUnproven(scenario, run, before, { checks: { source: 'failed' } });
    expect(detailsOf(checks, 'source')).toMatch(/^public\.orders: 3,000 rows \w{32} at the source, 3,000 rows \w{32}/);
  });

  async function runWith(shim: PgDumpShim, inputs: Record<string, string> = {}) {
    return await scenario.run({ tools: await scenario.shim(shim), inputs });
  }

  test('fails for a pg_dump that leaves a table out', async () => {
    const run = await runWith({ with: ['--exclude-table=public.reviews'] });
    const checks = await expectUnproven(scenario, run, before, {
      checks: { tables: 'failed', 'row-counts': 'failed', sequences: 'failed' },
    });
    expect(detailsOf(checks, 'tables')).toContain('public.reviews: its rows are missing from the archive');
    expect(detailsOf(checks, 'row-counts')).toContain('public.reviews: 1,500 rows at the source, none in the archive');
    // Names of tables are the business of contents.json.
    expect(JSON.stringify(scenario.manifest(run))).not.toContain('reviews');
  });

  test('fails for a pg_dump that leaves the rows of a table out', async () => {
    const run = await runWith({ with: ['--exclude-table-data=public.reviews'] });
    const checks = await expectUnproven(scenario, run, before, {
      checks: { tables: 'failed', 'row-counts': 'failed' },
    });
    expect(detailsOf(checks, 'tables')).toContain('public.reviews: its rows are missing');
  });

  test('fails for a pg_dump that leaves definitions out', async () => {
    const run = await runWith({ with: ['--data-only'] });
    const checks = await expectUnproven(scenario, run, before, { checks: { tables: 'failed', objects: 'failed' } });
    expect(detailsOf(checks, 'tables')).toContain('public.orders: its definition is missing');
    expect(detailsOf(checks, 'objects')).toContain('public.order_totals: the view is missing');
  });

  test('fails for a pg_dump that reads another moment than the snapshot', async () => {
    const go = path.join(scenario.folder, 'go');
    const tools = await scenario.shim({ without: '--snapshot=', startsAfter: go });
    const running = scenario.run({ tools });
    const holding = `SELECT FROM pg_stat_activity WHERE application_name = 'db-backup-action snapshot'
      AND state = 'idle in transaction' AND query LIKE '%SAVEPOINT%'`;
    await expect.poll(() => scenario.query(holding), { timeout: 15_000 }).toHaveLength(1);
    await scenario.query('DELETE FROM reviews WHERE id <= 10');
    writeFileSync(go, '');
    const run = await running;
    const checks = await expectUnproven(scenario, run, before, { checks: { 'row-counts': 'failed' } });
    expect(detailsOf(checks, 'row-counts')).toBe('public.reviews: 1,500 rows at the source, 1,490 in the archive');
  });

  test('fails, and ends, when pg_restore hangs', async () => {
    const run = await runWith({ restoreHangs: true }, { 'stall-timeout-seconds': '5' });
    const checks = await expectUnproven(scenario, run, before, { checks: UNREADABLE });
    expect(detailsOf(checks, 'archive')).toContain('pg_restore took nothing of the archive for 30 s');
    expect(scenario.manifest(run).objects.map(({ name }) => name)).toContain('database.backup');
    expect(run.seconds).toBeLessThan(45);
  });
});
