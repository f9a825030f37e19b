/** Records of drills on real storage: a directory, and an S3 server that enforces the policy of docs/setup/aws.md. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseDestination } from '../../src/domain/destination.ts';
import { serializeDrillRecord } from '../../src/domain/drill-record.ts';
import { expectedSeconds } from '../../src/drill/expected-time.ts';
import { readDrillRecords, restoredIds, writeDrillRecord } from '../../src/drill/records.ts';
import type { Storage } from '../../src/ports.ts';
import { openStorage } from '../../src/storage/open.ts';
import { writeBytes } from '../../src/storage/write-object.ts';
import { describeIf } from '../support/availability.ts';
import { drilled, SNAPSHOT_AT } from '../support/drill-records.ts';
import { namedFile } from '../support/markdown.ts';
import { BUCKET, type PolicyServer, type Statement, startPolicyServer, USER_ENV } from '../support/policy-server.ts';
import { schemaErrors } from '../support/published-schemas.ts';
import { SET_ID } from '../support/recovery-result.ts';
import { availabilityOf, availableS3Servers } from '../support/s3-servers.ts';
import { silentLog } from '../support/silent-log.ts';

const AT = '2026-12-01T04:00:00.000Z';
const OTHER = '20261122_020000_nightly_9x2mfd';
const clock = { now: () => new Date(AT), sleep: () => Promise.resolve() };

function open(line: string, env = {}): Storage {
  const { signal } = new AbortController();
  return openStorage(parseDestination(line), { env, log: silentLog, clock, signal });
}

const ofSet = (id: string) => ({ backup: { id, name: 'shop', snapshotAt: SNAPSHOT_AT } });

describe('Records of drills, in a directory', () => {
  let folder: string;
  let storage: Storage;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'drills-'));
    storage = open(folder);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const put = (key: string, text: string) => writeBytes(storage, key, Buffer.from(text));

  test('are written, and read newest first', async () => {
    const later = drilled('2026-12-02T04:00:00.000Z', { status: 'failed' }, ofSet(OTHER));
    const { uris, findings } = await writeDrillRecord([storage], drilled(AT), 'aaaaaa');
    await writeDrillRecord([storage], later, 'bbbbbb');
    expect(findings).toEqual([]);
    expect(uris).toEqual([join(folder, `shop/_drills/${SET_ID}/20261201_040000_aaaaaa.json`)]);
    expect(await readDrillRecords(storage, 'shop')).toEqual({ records: [later, drilled(AT)], findings: [] });
    expect((await readDrillRecords(storage, 'shop', [SET_ID])).records).toHaveLength(1);
    expect(await restoredIds(storage, 'shop')).toEqual({ ids: new Set([SET_ID]), findings: [] });
    expect((await restoredIds(storage, 'other')).ids.size).toBe(0);
  });

  test('say how long a restore will take: as the last one that passed', async () => {
    const parts = { log: silentLog, signal: new AbortController().signal };
    expect(await expectedSeconds(storage, 'shop', parts)).toBeUndefined();
    await writeDrillRecord([storage], drilled(AT), 'aaaaaa');
    await writeDrillRecord(
      [storage],
      drilled('2026-12-02T04:00:00.000Z', { status: 'failed' }, ofSet(OTHER)),
      'bbbbbb',
    );
    expect(await expectedSeconds(storage, 'shop', parts)).toBe(drilled(AT).timings.recoverySeconds);
    await put(`shop/_drills/${OTHER}/20261203_040000_cccccc.json`, 'nonsense');
    expect(await expectedSeconds(storage, 'shop', parts)).toBe(drilled(AT).timings.recoverySeconds);
  });

  test('are never written over', async () => {
    await writeDrillRecord([storage], drilled(AT), 'aaaaaa');
    const again = await writeDrillRecord([storage], drilled(AT, { status: 'failed' }), 'aaaaaa');
    expect(again).toMatchObject({ uris: [], findings: [{ code: 'drill-unrecorded', severity: 'error' }] });
    expect((await readDrillRecords(storage, 'shop')).records).toEqual([drilled(AT)]);
  });

  test('count only under the set and series that they name, and when they can be read', async () => {
    const text = serializeDrillRecord(drilled(AT));
    const name = '20261201_040000_aaaaaa.json';
    await put(`shop/_drills/${OTHER}/${name}`, text);
    await put(`twin/_drills/${SET_ID}/${name}`, text);
    await put(
      `shop/_drills/${SET_ID}/20261201_040000_bbbbbb.json`,
      text.replace('"verdict": "passed"', '"verdict": "fine"'),
    );
    await put(
      `shop/_drills/${SET_ID}/20261201_040000_cccccc.json`,
      text.replace('"schemaVersion": 1', '"schemaVersion": 9'),
    );
    await put(`shop/_drills/${SET_ID}/notes.json`, text);
    await put(`shop/_drills/${SET_ID}/20261201_040000_dddddd.json`, text.padEnd(300 * 1024, ' '));
    await put('shop/_drills/not-a-set/20261201_040000_aaaaaa.json', text);
    const { ids, findings } = await restoredIds(storage, 'shop');
    expect([...ids]).toEqual([]);
    expect(findings.map(({ code, severity }) => `${code} ${severity}`)).toEqual(
      Array(3).fill('drill-record-unreadable warning'),
    );
    expect(findings.map(({ seen }) => seen).join('\n')).toMatch(
      /it names shop\/20261121[\s\S]*newer version[\s\S]*verdict/,
    );
    expect((await restoredIds(storage, 'twin')).ids.size).toBe(0);
  });

  test('of a set with very many are read from the newest, up to a bound', async () => {
    for (let minute = 0; minute < 30; minute += 1) {
      const startedAt = `2026-12-01T04:${String(minute).padStart(2, '0')}:00.000Z`;
      await writeDrillRecord([storage], drilled(startedAt), 'aaaaaa');
    }
    const { records } = await readDrillRecords(storage, 'shop');
    expect(records).toHaveLength(20);
    expect(records[0]?.startedAt).toBe('2026-12-01T04:29:00.000Z');
  });
});

const versitygw = (await availableS3Servers()).find(({ name }) => name === 'versitygw');
describeIf(availabilityOf(versitygw), 'Records of drills, with the policy of the documentation', () => {
  const statements = JSON.parse(namedFile('docs/setup/aws.md', 'policy-drill.json')).Statement as Statement[];
  let s3: PolicyServer;
  let storage: Storage;

  beforeAll(async () => {
    s3 = await startPolicyServer();
    storage = open(s3.server.storageUri(BUCKET, 'postgres'), USER_ENV);
  });
  afterAll(async () => {
    await storage?.close();
    await s3?.stop();
  });

  const allow = (without = ''): Promise<void> => s3.allow(statements.filter(({ Sid }) => Sid !== without));

  test('are written and read with what it grants, and nothing else can be written', async () => {
    await allow();
    expect((await writeDrillRecord([storage], drilled(AT), 'aaaaaa')).findings).toEqual([]);
    const [key = ''] = await s3.bucket.keys();
    expect(schemaErrors('drill', JSON.parse((await s3.bucket.read(key)).toString('utf8')))).toEqual([]);
    expect((await restoredIds(storage, 'shop')).ids).toEqual(new Set([SET_ID]));
    for (const key of [`shop/${SET_ID}/metadata.json`, 'shop/_audit/x.json']) {
      await expect(writeBytes(storage, key, Buffer.from('{}'))).rejects.toMatchObject({ code: 'ERR_STORAGE_DENIED' });
    }
  });

  test('that cannot be written are an error, or a warning where another destination takes them', async () => {
    await allow('WriteVerdicts');
    const alone = await writeDrillRecord([storage], drilled(AT), 'bbbbbb');
    expect(alone).toMatchObject({
      uris: [],
      findings: [{ severity: 'error', action: expect.stringContaining('shop/_drills/') }],
    });
    const folder = mkdtempSync(join(tmpdir(), 'drills-'));
    try {
      const both = await writeDrillRecord([storage, open(folder)], drilled(AT), 'bbbbbb');
      expect(both).toMatchObject({ uris: [expect.stringContaining(folder)], findings: [{ severity: 'warning' }] });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.each(['ReadBackups', 'FindBackups'])(
    'that cannot be read without %s are a notice, and nothing counts as restored',
    async (right) => {
      await allow(right);
      const read = await restoredIds(storage, 'shop');
      expect(read.ids.size).toBe(0);
      expect(read.findings).toMatchObject([{ code: 'drills-unreadable', severity: 'notice' }]);
    },
  );
});
