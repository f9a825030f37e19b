/** The status of a directory: what it reads, and what it makes of what is wrong there. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Storage } from '../../src/ports.ts';
import { readBytes, writeBytes } from '../../src/storage/write-object.ts';
import { idOf, makeUpSet, pruneBench } from '../support/prune-bench.ts';
import { type StatusBench, statusBench } from '../support/status-bench.ts';
import { codes, DAY_MS, daysAgo, fill, NOW, placeSet } from '../support/status-storages.ts';
import { keysOf } from '../support/storage-bench.ts';

describe('The status of a directory', () => {
  let root: string;
  let storage: Storage;
  let bench: StatusBench;
  beforeEach(async () => {
    root = await mkdtemp(path.join(os.tmpdir(), 'status-'));
    [storage] = pruneBench([root]).storages as [Storage];
    bench = statusBench([root]);
    return () => rm(root, { recursive: true, force: true });
  });

  test('is well, and writes nothing', async () => {
    const ids = await fill(storage);
    const before = await keysOf(storage);
    const { report } = await bench.status();
    expect(report).toMatchObject({ level: 'info', destinations: [{ location: root, sets: 5 }] });
    expect(report.series[0]).toMatchObject({
      name: 'shop',
      newestProven: { id: ids[4], locations: [root] },
      newestRestored: { id: ids[3] },
      lastDrill: { verdict: 'passed', backupId: ids[3] },
      drillSuccessPercent: 100,
      cadenceHours: 24,
    });
    expect(await keysOf(storage)).toEqual(before);
  });

  test('tells series of similar names apart, and looks at one alone when it is named', async () => {
    await fill(storage, 'prod');
    await makeUpSet(storage, { at: daysAgo(9), series: 'prod-eu' });
    const all = await bench.status();
    expect(all.report.series.map(({ name, level }) => `${name} ${level}`)).toEqual(['prod info', 'prod-eu critical']);
    const one = await bench.status({ name: 'prod' });
    expect(one.report.series.map(({ name, backups }) => `${name} ${backups.length}`)).toEqual(['prod 5']);
    expect(codes(await bench.status({ name: 'pro' }))).toEqual(['critical series-missing']);
  });

  test('is not misled by manifests that are broken, truncated, too new, foreign, those of another set, or 100 MB', async () => {
    const ids = await fill(storage);
    const other = await makeUpSet(storage, { at: daysAgo(20), series: 'other' });
    const stolen = await readBytes(storage, `other/${other}/metadata.json`);
    const texts = ['not JSON', '{"schemaVersion":1,"id":', '{"schemaVersion":99}', '{"Version":"2012-10-17"}', stolen];
    for (const [index, text] of [...texts, Buffer.alloc(100 * 1024 * 1024, ' ')].entries()) {
      const id = await makeUpSet(storage, { at: daysAgo(0), random: `zzzzz${index}` }, ['metadata.json']);
      await writeBytes(storage, `shop/${id}/metadata.json`, Buffer.from(text));
    }
    const { report } = await bench.status({ name: 'shop' });
    expect(report.series[0]?.newestProven?.id).toBe(ids[4]);
    const told = report.findings.filter(({ level }) => level === 'warning');
    expect(told.map(({ code }) => code)).toEqual(Array.from({ length: 6 }, () => 'manifest-unreadable'));
    expect(told.map(({ seen }) => seen).join('\n')).toContain('newer version');
    expect(told.map(({ seen }) => seen).join('\n')).toContain('100 MiB');
  });

  test('takes a proven set that is not whole for unproven', async () => {
    const ids = await fill(storage);
    await makeUpSet(storage, { at: new Date(NOW.getTime() - 60_000).toISOString() }, ['database.backup.age']);
    const result = await bench.status();
    expect(codes(result)).toEqual(['critical copy-damaged', 'warning failed-since-proven']);
    expect(result.report.series[0]?.newestProven?.id).toBe(ids[4]);
  });

  test('with keys that are hostile shows none of them as it is', async () => {
    await fill(storage);
    const hostile = [
      'shop/%2e%2e',
      'shop/a b',
      'shop/x%0ainjected::error::',
      'shop/<script>alert(1)',
      `shop/${'x'.repeat(200)}`,
    ];
    for (const key of hostile) await writeBytes(storage, key, Buffer.from('mine'));
    const result = await bench.status();
    expect(result.report.level).toBe('info');
    const [finding] = result.report.findings.filter(({ code }) => code === 'unknown-objects');
    expect(finding?.seen).toContain('5 objects');
    expect(finding?.seen.length).toBeLessThan(800);
  });

  test('with a clock two days wrong says so, and counts nothing that seems to come from the future', async () => {
    await fill(storage);
    const late = await bench.status({ now: new Date(NOW.getTime() + 2 * DAY_MS) });
    expect(codes(late)).toEqual(['critical backup-too-old', 'warning runs-missed']);
    const early = await bench.status({ now: new Date(NOW.getTime() - 2 * DAY_MS) });
    expect(codes(early)).toContain('warning from-the-future');
    expect(early.report.series[0]?.newestProven?.id).toBe(idOf({ at: daysAgo(2) }));
  });

  test('with a second destination that is behind names it', async () => {
    const second = await mkdtemp(path.join(os.tmpdir(), 'status-second-'));
    const [copy] = pruneBench([second]).storages as [Storage];
    await fill(storage);
    for (const days of [4, 3]) await makeUpSet(copy, { at: daysAgo(days) });
    const result = await statusBench([root, second]).status();
    expect(codes(result)).toEqual(['warning copy-behind']);
    expect(result.report.findings[0]?.seen).toContain(`${second} lacks the newest 3 proven backups`);
    expect(result.report.findings.map(({ code }) => code)).toContain('copies-share');
    await rm(second, { recursive: true, force: true });
  });

  test('that is not there at all is no status', async () => {
    const none = path.join(root, 'none');
    await expect(statusBench([none]).status()).resolves.toMatchObject({
      report: { level: 'critical', findings: [{ code: 'nothing-there', seen: expect.stringContaining(none) }] },
    });
  });
});

test('10,000 sets are looked at in half a minute', async () => {
  const root = await mkdtemp(path.join(os.tmpdir(), 'status-large-'));
  try {
    for (let hours = 0; hours < 10_000; hours += 1) placeSet(root, idOf({ at: daysAgo(hours / 24) }));
    const started = performance.now();
    const { report } = await statusBench([root]).status();
    expect(performance.now() - started).toBeLessThan(30_000);
    expect(report).toMatchObject({ level: 'warning', destinations: [{ sets: 10_000 }] });
    expect(report.series[0]).toMatchObject({ cadenceHours: 1 });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}, 180_000);
