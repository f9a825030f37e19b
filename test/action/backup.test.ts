/** A backup that goes well: what its user sees, and what then lies in storage. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Manifest } from '../../src/domain/manifest.ts';
import { describeWith } from '../support/availability.ts';
import { type Scenario, type ScenarioRun, startScenario } from '../support/backup-scenario.ts';
import { clientTools } from '../support/clients.ts';
import { expectNoSecret, expectProven, readable } from '../support/expect-run.ts';
import { schemaErrors } from '../support/published-schemas.ts';

const CHECKS = ['archive', 'tables', 'row-counts', 'sequences', 'large-objects', 'objects', 'globals', 'stored'];
const OBJECTS = ['database.backup', 'globals.sql', 'contents.json', 'RESTORE.md'];
/** Of the shop: none may be read where no key is needed. */
const NAMES = ['customers', 'products', 'order_items', 'reviews', 'order_totals', 'best_sellers', 'order_status'];

describeWith(await clientTools(17), 'A backup of a shop', (clients) => {
  let scenario: Scenario;
  beforeAll(async () => {
    scenario = await startScenario(clients);
  });
  afterAll(() => scenario?.stop());

  const fileOf = (run: ScenarioRun, name: string): Buffer =>
    readFileSync(path.join(run.outputs['backup-uri'] ?? '', name));

  describe('with nothing but the inputs that it needs', () => {
    let run: ScenarioRun;
    let manifest: Manifest;
    beforeAll(async () => {
      run = await scenario.run();
      await expectProven(scenario, run, new Map());
      manifest = scenario.manifest(run);
    });

    test('sets the outputs that belong to it, and they are true', () => {
      const { 'restore-command': command, 'duration-seconds': duration, ...outputs } = run.outputs;
      const folder = path.join(scenario.storage, 'shop', manifest.id);
      expect(outputs).toEqual({
        'backup-id': manifest.id,
        'backup-uri': folder,
        'manifest-uri': path.join(folder, 'metadata.json'),
        verdict: 'proven',
        'size-bytes': String(OBJECTS.reduce((sum, name) => sum + fileOf(run, name).byteLength, 0)),
        sha256: createHash('sha256').update(fileOf(run, 'database.backup')).digest('hex'),
        tables: '5',
        rows: '14500',
        'server-version': manifest.server.version,
        'postgres-major': '17',
        findings: '[]',
      });
      expect(manifest.id).toMatch(/^\d{8}_\d{6}_manual_[0-9a-z]{6}$/);
      expect(command).toContain(path.join(folder, 'database.backup'));
      expect(Number(duration)).toBeLessThan(60);
    });

    test('stores one complete set, each object as the manifest says, readable for its owner alone', () => {
      const folder = run.outputs['backup-uri'] ?? '';
      expect(readdirSync(folder).sort()).toEqual([...OBJECTS, 'metadata.json'].sort());
      expect(manifest.objects.map(({ name }) => name)).toEqual(OBJECTS);
      for (const { name, sizeBytes, sha256 } of manifest.objects) {
        const bytes = fileOf(run, name);
        expect(bytes.byteLength).toBe(sizeBytes);
        expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
      }
      expect(readdirSync(folder).map((name) => statSync(path.join(folder, name)).mode & 0o777)).toEqual(
        Array(OBJECTS.length + 1).fill(0o600),
      );
      expect(statSync(folder).mode & 0o777).toBe(0o700);
    });

    test('writes documents that the published schemas describe', () => {
      expect(schemaErrors('metadata', manifest)).toEqual([]);
      expect(schemaErrors('contents', scenario.contents(run))).toEqual([]);
    });

    test('says in the manifest where and how it came about', () => {
      expect(manifest).toMatchObject({
        name: 'shop',
        label: 'manual',
        keepForever: false,
        scope: { content: 'all', wholeDatabase: true },
        encryption: { method: 'none' },
        archive: { format: 'custom', compression: 'zstd:1' },
        totals: { tables: 5, rows: 14_500, largeObjects: 0 },
        warnings: [],
        run: {
          repository: 'acme/shop',
          runId: '4242424242',
          url: 'https://github.com/acme/shop/actions/runs/4242424242/attempts/1',
        },
      });
      expect(manifest.checks.map(({ id, status }) => [id, status])).toEqual(CHECKS.map((id) => [id, 'passed']));
    });

    test('tells in the summary the verdict first, then checks, content, place, restore and time', () => {
      const summary = readable(run.summary);
      expect(summary).toMatch(/^## ✅ Proven backup of `?shop/);
      const headings = [...summary.matchAll(/^### (.*)$/gm)].map((match) => match[1]);
      expect(headings).toEqual([
        'What was checked',
        'What is inside',
        'Where it is',
        'How to restore it',
        'How long it took',
      ]);
      for (const id of CHECKS) expect(summary).toMatch(new RegExp(`${id}.*✅ passed`));
      expect(summary).toMatch(/public\.order_items.*9,000/);
      expect(summary).toContain('Not encrypted.');
      expect(summary).toContain(run.outputs['restore-command']);
      for (const { sha256 } of manifest.objects) expect(summary).toContain(sha256);
    });

    test('folds the log by phase, and annotates nothing where nothing is to be said', () => {
      expect(run.groups).toEqual(['Preflight', 'Snapshot', 'Dump, proof and upload', 'Store the set']);
      expect(run.annotations).toEqual([]);
      expect(run.maskedLog).toContain('5 of 5 tables');
      expect(run.maskedLog).toMatch(new RegExp(`Proven: ${manifest.id}, 5 tables, 14,500 rows`));
    });

    test('keeps names of tables out of what needs no key', () => {
      for (const name of ['metadata.json', 'RESTORE.md']) {
        const text = fileOf(run, name).toString('utf8');
        for (const table of NAMES) expect(text).not.toContain(table);
      }
    });
  });

  test('takes its label from the schedule or the input, in small letters, and is kept forever when told so', async () => {
    const before = scenario.state();
    const nightly = await scenario.run({ env: { GITHUB_EVENT_NAME: 'schedule' } });
    await expectProven(scenario, nightly, before);
    expect(scenario.manifest(nightly).label).toBe('nightly');
    expect(nightly.outputs['backup-id']).toMatch(/_nightly_[0-9a-z]{6}$/);
    const release = await scenario.run({ inputs: { label: 'Release_2.4.0-rc', 'keep-forever': 'true' } });
    expect(scenario.manifest(release)).toMatchObject({ label: 'release_2.4.0-rc', keepForever: true });
    expect(release.outputs['backup-id']).toMatch(/_release_2\.4\.0-rc_[0-9a-z]{6}$/);
  });

  test('goes into the series of its database when no name is given, and into two side by side', async () => {
    const before = scenario.state();
    await scenario.query('CREATE DATABASE "Second Shop" TEMPLATE shop', 'postgres');
    const url = scenario.url({ database: 'Second Shop' });
    const run = await scenario.run({ url, inputs: { name: '' } });
    await expectProven(scenario, run, before);
    expect(scenario.manifest(run).name).toMatch(/^second-shop-[0-9a-f]{8}$/);
    expect(run.outputs['backup-uri']).toContain(`${scenario.storage}/second-shop-`);
  });

  test('leaves the roles out when told so', async () => {
    const run = await scenario.run({ inputs: { globals: 'false' } });
    const manifest = scenario.manifest(run);
    expect(manifest.verdict).toBe('proven');
    expect(manifest.objects.map(({ name }) => name)).toEqual(OBJECTS.filter((name) => name !== 'globals.sql'));
    expect(manifest.checks.map(({ id }) => id)).not.toContain('globals');
    expect(fileOf(run, 'RESTORE.md').toString('utf8')).not.toContain('globals.sql');
  });

  test('reads the source a second time and counts critical tables when told so', async () => {
    const run = await scenario.run({ inputs: { verify: 'archive, source', 'critical-tables': 'orders\npublic.rev*' } });
    const { checks, verdict } = scenario.manifest(run);
    expect(verdict).toBe('proven');
    expect(checks.filter(({ id }) => id === 'source' || id === 'critical-tables')).toEqual([
      expect.objectContaining({ id: 'critical-tables', status: 'passed', reason: '2 critical tables hold rows' }),
      expect.objectContaining({ id: 'source', status: 'passed', reason: expect.stringContaining('5 of 5 tables') }),
    ]);
  });

  test('warns of a change against the last like backup, and is proven all the same', async () => {
    await scenario.query('CREATE DATABASE shrinking TEMPLATE shop', 'postgres');
    const options = { url: scenario.url({ database: 'shrinking' }), inputs: { name: 'shrinking' } };
    const first = await scenario.run(options);
    expect(first.annotations).toEqual([]);
    await scenario.query('DELETE FROM order_items; DELETE FROM reviews WHERE id > 20', 'shrinking');
    const before = scenario.state();
    // Which of two backups of one second is the newer one, nobody can tell.
    await sleep(1_000);
    const run = await scenario.run(options);
    await expectProven(scenario, run, before);
    const manifest = scenario.manifest(run);
    const codes = ['rows-changed', 'tables-shrank'];
    expect(run.annotations.map(({ kind, title }) => [kind, title])).toEqual(codes.map((code) => ['warning', code]));
    expect(manifest.warnings.map(({ code }) => code)).toEqual(codes);
    expect(schemaErrors('metadata', manifest)).toEqual([]);
    const [rows, tables] = run.annotations.map(({ message }) => message);
    expect(rows).toContain('fell from 14,500 to 4,020 (-72 %), more than 50 %');
    expect(tables).toContain('public.order_items: fell from 9,000 rows to 0 rows');
    expect(tables).toContain('public.reviews: fell from 1,500 rows to 20 rows');
    // Which backup it was compared with is said, once a warning.
    for (const message of [rows, tables]) expect(message?.split(first.outputs['backup-id'] ?? '')).toHaveLength(2);
    expect(JSON.stringify(manifest.warnings)).not.toMatch(/order_items|reviews/);
    expect(readable(run.summary)).toMatch(/⚠️ warning.*tables-shrank/);
    expect(JSON.parse(run.outputs.findings ?? '')).toHaveLength(2);
    const tolerant = await scenario.run({ ...options, inputs: { ...options.inputs, 'max-size-change-percent': '99' } });
    expect(tolerant.annotations).toEqual([]);
  });

  test('into a directory of a hosted runner must be allowed, and is then said to vanish', async () => {
    const inputs = { storage: '', encryption: '', 'allow-ephemeral': 'true' };
    const run = await scenario.run({ runner: 'github-hosted', inputs });
    expect(run.exitCode, run.maskedLog).toBe(0);
    expect(run.outputs['backup-uri']).toMatch(/\/work\/backups\/shop\/[^/]+$/);
    expect(run.annotations.map(({ kind, title }) => [kind, title])).toEqual([
      ['warning', 'ephemeral-storage'],
      ['notice', 'stored-plain'],
    ]);
    expectNoSecret(run, [scenario.url()]);
  });
});
