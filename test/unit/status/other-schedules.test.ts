/** What a backup says of drills, and a drill of backups. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Target } from '../../../src/backup/destinations.ts';
import { watchDrills } from '../../../src/backup/watch-drills.ts';
import type { CommandContext } from '../../../src/command.ts';
import { BackupError } from '../../../src/domain/errors.ts';
import { backupsSilent, drillsSilent } from '../../../src/domain/status/other-schedules.ts';
import { watchBackups } from '../../../src/drill/watch-backups.ts';
import type { Storage } from '../../../src/ports.ts';
import { clockAt, makeUpDrill, pruneBench } from '../../support/prune-bench.ts';
import { manifest } from '../../support/set-documents.ts';
import { silentLog } from '../../support/silent-log.ts';
import { backup, hoursAgo, NOW, nightly } from '../../support/status-facts.ts';

const codes = (findings: readonly { severity: string; code: string }[]) =>
  findings.map(({ severity, code }) => `${severity} ${code}`);
const context = { clock: clockAt(NOW), log: silentLog, signal: new AbortController().signal } as CommandContext;
const history = (count: number) => ({ manifests: Array.from({ length: count }, () => manifest()), findings: [] });
const denied = new BackupError('ERR_STORAGE_DENIED', 'no', { op: 'list', hint: 'grant it' });
const closed = {
  list: () => {
    throw denied;
  },
  listFolders: () => {
    throw denied;
  },
} as unknown as Storage;

describe('A backup says of drills', () => {
  test('that none ever was, that the last one is too long ago, or nothing', () => {
    expect(codes(drillsSilent('shop', undefined, NOW))).toEqual(['notice never-drilled']);
    expect(codes(drillsSilent('shop', hoursAgo(35 * 24), NOW))).toEqual([]);
    expect(codes(drillsSilent('shop', hoursAgo(35 * 24 + 1), NOW))).toEqual(['warning drill-overdue']);
  });

  test('what the names of their records tell, of a series that has a week of backups', async () => {
    const root = await mkdtemp(path.join(os.tmpdir(), 'watch-drills-'));
    const [storage] = pruneBench([root]).storages as [Storage];
    expect(await watchDrills(storage, 'shop', history(6), context)).toEqual([]);
    expect(codes(await watchDrills(storage, 'shop', history(7), context))).toEqual(['notice never-drilled']);
    await makeUpDrill(storage, backup(3).facts.id, hoursAgo(40 * 24).toISOString());
    expect(codes(await watchDrills(storage, 'shop', history(7), context))).toEqual(['warning drill-overdue']);
    await makeUpDrill(storage, backup(2).facts.id, hoursAgo(10).toISOString());
    expect(await watchDrills(storage, 'shop', history(7), context)).toEqual([]);
    await rm(root, { recursive: true, force: true });
  });

  test('nothing when it may not look', async () => {
    expect(await watchDrills(closed, 'shop', history(12), context)).toEqual([]);
  });
});

describe('A drill says of backups', () => {
  const ids = (hours: number) => nightly(6, hours).map(({ facts: { id } }) => id);

  test('that they have stopped, or nothing', () => {
    expect(codes(backupsSilent('shop', ids(36), NOW))).toEqual([]);
    expect(codes(backupsSilent('shop', ids(37), NOW))).toEqual(['warning runs-missed']);
    expect(codes(backupsSilent('shop', ids(37).slice(0, 3), NOW))).toEqual([]);
    expect(codes(backupsSilent('shop', ['notes', ...ids(37)], NOW))).toEqual(['warning runs-missed']);
  });

  test('nothing when it may not look', async () => {
    expect(await watchBackups({ storage: closed } as Target, 'shop', context)).toEqual([]);
  });
});
