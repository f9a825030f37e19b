/** Plans that wait for a second person, found in directories: which records count, and places that cannot be read. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Target } from '../../src/backup/destinations.ts';
import { auditKey, serializeAudit } from '../../src/domain/audit.ts';
import { parseDestination } from '../../src/domain/destination.ts';
import { BackupError } from '../../src/domain/errors.ts';
import { readPlans } from '../../src/restore/second-person.ts';
import { openStorage } from '../../src/storage/open.ts';
import { auditFinished, auditPlanned, auditStarted } from '../support/audit-records.ts';
import { silentLog } from '../support/silent-log.ts';

const clock = { now: () => new Date(), sleep: () => Promise.resolve() };
const AT = new Date('2026-11-21T03:15:00.000Z');
const { signal } = new AbortController();

describe('Plans that wait for a second person', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'plans-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function place(name: string): Target {
    const destination = parseDestination(join(folder, name));
    return { destination, storage: openStorage(destination, { env: {}, log: silentLog, clock, signal }) };
  }
  /** A place that answers nothing but an error. */
  function down(name: string): Target {
    const target = place(name);
    const error = new BackupError('ERR_STORAGE_DENIED', 'It may not list there.', { op: 'list', hint: 'Allow it.' });
    const list = (): never => {
      throw error;
    };
    return { ...target, storage: { ...target.storage, location: join(folder, name), list } };
  }
  function put(name: string, key: string, text: string): void {
    const file = join(folder, name, key);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, text);
  }
  const key = (random: string, part: 'planned' | 'started' = 'planned', series: string | undefined = 'shop') =>
    auditKey(series, AT, random, part);
  const record = serializeAudit(auditPlanned());

  test('are read from every place, the newest first, and nothing else is', async () => {
    put('a', key('aaaaaa'), record);
    put(
      'b',
      auditKey('shop', new Date(AT.getTime() + 60_000), 'bbbbbb', 'planned'),
      serializeAudit(auditPlanned({ startedAt: '2026-11-21T03:16:00.000Z' })),
    );
    put('b', key('cccccc'), record);
    put('b', key('dddddd', 'started'), serializeAudit(auditStarted()));
    put('b', 'shop/_audit/20261121_031500_dddddd.finished.json', serializeAudit(auditFinished()));
    put('b', 'shop/_audit/notes.planned.json', record);
    put('b', key('eeeeee', 'planned', 'crm'), record);
    const { plans, findings } = await readPlans([place('a'), place('b')], 'shop', signal);
    expect(findings).toEqual([]);
    expect(plans.map(({ uri }) => uri.slice(folder.length))).toEqual([
      '/a/shop/_audit/20261121_031500_aaaaaa.planned.json',
      '/b/shop/_audit/20261121_031600_bbbbbb.planned.json',
      '/b/shop/_audit/20261121_031500_cccccc.planned.json',
    ]);
    expect(plans[0]?.record).toEqual(auditPlanned());
  });

  test('of no series lie in the folder of all', async () => {
    put('a', auditKey(undefined, AT, 'aaaaaa', 'planned'), record);
    expect((await readPlans([place('a')], undefined, signal)).plans).toHaveLength(1);
    expect((await readPlans([place('a')], 'shop', signal)).plans).toEqual([]);
  });

  test.each([
    ['is no JSON', '{', 'is not JSON'],
    ['is of another kind', serializeAudit(auditStarted()), 'fingerprint is missing'],
    [
      'has the time of another name',
      serializeAudit(auditPlanned({ startedAt: '2026-11-21T03:15:01.000Z' })),
      'of 2026-11-21T03:15:01',
    ],
    [
      'has a fingerprint that is not its own',
      record.replace(auditPlanned().fingerprint, '0'.repeat(12)),
      'not that of its parts',
    ],
  ])('one that %s does not count, and is told', async (_what, text, words) => {
    put('a', key('aaaaaa'), text);
    const { plans, findings } = await readPlans([place('a')], 'shop', signal);
    expect(plans).toEqual([]);
    expect(findings).toMatchObject([
      { code: 'plan-unreadable', severity: 'warning', seen: expect.stringContaining(words) },
    ]);
  });

  test('one that is larger than any record is not read', async () => {
    put('a', key('aaaaaa'), record + ' '.repeat(300_000));
    expect(await readPlans([place('a')], 'shop', signal)).toEqual({ plans: [], findings: [] });
  });

  test('a place that cannot be read is a warning, and the error when there is no other', async () => {
    put('a', key('aaaaaa'), record);
    const { plans, findings } = await readPlans([down('b'), place('a')], 'shop', signal);
    expect(plans).toHaveLength(1);
    expect(findings).toMatchObject([{ code: 'plans-unreadable', severity: 'warning', action: 'Allow it.' }]);
    await expect(readPlans([down('b'), down('c')], 'shop', signal)).rejects.toMatchObject({
      code: 'ERR_STORAGE_DENIED',
    });
  });
});
