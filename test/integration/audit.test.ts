/** Audit records on real storage: directories, and an S3 server that enforces the policy of docs/setup/aws.md. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Target } from '../../src/backup/destinations.ts';
import type { RunNews } from '../../src/command.ts';
import { type AuditFinished, auditKey, parseAudit, parseAuditKey } from '../../src/domain/audit.ts';
import { parseDestination } from '../../src/domain/destination.ts';
import { BackupError } from '../../src/domain/errors.ts';
import type { Strategy } from '../../src/domain/recovery.ts';
import type { RunnerEnvironment } from '../../src/inputs/types.ts';
import { type AuditParts, occasionOf, openAudit } from '../../src/restore/audit.ts';
import { putAudit } from '../../src/restore/audit-records.ts';
import { readPlans } from '../../src/restore/second-person.ts';
import { Timeline } from '../../src/restore/timeline.ts';
import { rememberTold } from '../../src/restore/told.ts';
import { openStorage } from '../../src/storage/open.ts';
import { auditPlanned, auditStarted } from '../support/audit-records.ts';
import { describeIf } from '../support/availability.ts';
import { namedFile } from '../support/markdown.ts';
import { BUCKET, type PolicyServer, type Statement, startPolicyServer, USER_ENV } from '../support/policy-server.ts';
import { schemaErrors } from '../support/published-schemas.ts';
import { OCCASION, recoveryOf, restoreNews, SAFETY_BACKUP } from '../support/recovery-result.ts';
import { availabilityOf, availableS3Servers } from '../support/s3-servers.ts';
import { silentLog } from '../support/silent-log.ts';

const ENDED = new Date('2026-11-21T03:17:41.000Z');
const clock = { now: () => ENDED, sleep: () => Promise.resolve() };

function open(line: string, env = {}, signal = new AbortController().signal): Target {
  const destination = parseDestination(line);
  return { destination, storage: openStorage(destination, { env, log: silentLog, clock, signal }) };
}

function partsOf(targets: readonly Target[], strategy: Strategy = 'swap', env = {}): AuditParts {
  const { schemaVersion: _, command: __, ...record } = auditStarted({ strategy });
  return {
    targets,
    series: 'shop',
    record,
    clock,
    signal: new AbortController().signal,
    openForTheEnd: ({ destination }) =>
      openStorage(destination, { env, log: silentLog, clock, signal: new AbortController().signal }),
  };
}

const restored = { recovery: recoveryOf({ strategy: 'swap' }), safetyBackup: SAFETY_BACKUP };

describe('The audit of a restore, in directories', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'audit-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const place = (name: string): string => join(folder, name);
  const namesIn = (name: string): string[] => readdirSync(place(`${name}/shop/_audit`)).sort();
  const finishedIn = (name: string): AuditFinished =>
    parseAudit('finished', readFileSync(place(`${name}/shop/_audit/${namesIn(name)[0]}`), 'utf8'));
  /** A file where the folder should be: nobody can write below it, not even root. */
  const refusing = (name: string): Target => {
    writeFileSync(place(name), '');
    return open(place(name));
  };

  test('is there at every destination before it goes on, and has the same name at its end', async () => {
    const audit = await openAudit(partsOf([open(place('a')), open(place('b'))]));
    for (const name of ['a', 'b']) {
      const [started = '', ...more] = namesIn(name);
      expect(more).toEqual([]);
      expect(parseAuditKey(`shop/_audit/${started}`)).toMatchObject({ part: 'started', series: 'shop' });
      const text = readFileSync(place(`${name}/shop/_audit/${started}`), 'utf8');
      expect(parseAudit('started', text)).toEqual(auditStarted());
      expect(schemaErrors('audit', JSON.parse(text))).toEqual([]);
      expect(audit.uris).toContain(place(`${name}/shop/_audit/${started}`));
    }
    expect(audit.findings).toEqual([]);

    expect(await audit.finished(restored)).toEqual([]);
    const [finished = '', started = ''] = namesIn('a');
    expect(finished.replace('finished', 'started')).toBe(started);
    expect(namesIn('b')).toEqual([finished, started]);
    const text = readFileSync(place(`a/shop/_audit/${finished}`), 'utf8');
    expect(schemaErrors('audit', JSON.parse(text))).toEqual([]);
    const { id, uri } = SAFETY_BACKUP;
    expect(parseAudit('finished', text)).toMatchObject({
      ...auditStarted(),
      finishedAt: ENDED.toISOString(),
      outcome: 'restored',
      verdict: 'passed',
      formerDatabase: 'shop_before_k3v9qa',
      safetyBackup: { id, uri },
      timings: { totalSeconds: 160.4, criticalTablesSeconds: 61 },
    });
  });

  test('of a restore that failed has the code, the stage and what is safe, but no words of the error', async () => {
    const audit = await openAudit(partsOf([open(place('a'))]));
    const error = new BackupError('ERR_SWAP_FAILED', 'public.secret_table is locked', { op: 'swap', hint: 'Wait.' });
    const { checks } = recoveryOf({ details: ['public.secret_table'] });
    const news = restoreNews('swap', { stage: 'replacing', safetyBackup: SAFETY_BACKUP, checks });
    expect(await audit.finished({ error, news })).toEqual([]);
    const record = finishedIn('a');
    expect(record.outcome).toBe('failed');
    expect(record.failure?.code).toBe('ERR_SWAP_FAILED');
    expect(record.failure?.stage).toBe('replacing');
    expect(record.failure?.words).toContain('both renames are one transaction');
    expect(record.timings.totalSeconds).toBe(161);
    expect(record.safetyBackup?.id).toBe(SAFETY_BACKUP.id);
    expect(record.checks.map(({ id }) => id)).toEqual(['archive', 'tables']);
    expect(JSON.stringify(record)).not.toContain('secret_table');
    expect(record.verdict).toBeUndefined();
  });

  test('of whatever was thrown before anything was told is one of looking', async () => {
    const audit = await openAudit(partsOf([open(place('a'))]));
    await audit.finished({ error: 'only text', news: { stage: 'committed' } });
    expect(finishedIn('a').failure).toMatchObject({ code: 'ERR_INTERNAL', stage: 'looking' });
  });

  test('goes on with a warning when one destination of several refuses, at its beginning and at its end', async () => {
    const audit = await openAudit(partsOf([refusing('a'), open(place('b'))]));
    expect(audit.uris).toHaveLength(1);
    const warning = { code: 'audit-not-written', severity: 'warning', seen: expect.stringContaining(place('a')) };
    expect(audit.findings).toMatchObject([warning]);
    expect(await audit.finished(restored)).toMatchObject([warning]);
    expect(namesIn('b')).toHaveLength(2);
  });

  test.each(['swap', 'in-place'] as const)(
    'that nobody takes refuses a %s, and says that nothing was touched',
    async (strategy) => {
      const parts = partsOf([refusing('a'), refusing('b')], strategy);
      await expect(openAudit(parts)).rejects.toMatchObject({
        code: expect.stringMatching(/^ERR_STORAGE/),
        message: expect.stringContaining('No destination took the audit record, so nothing was touched.'),
        hint: expect.stringContaining('`_audit/`'),
      });
    },
  );

  test('that nobody takes is a warning for a new database, and its end never rejects', async () => {
    const audit = await openAudit(partsOf([refusing('a')], 'new-database'));
    expect(audit.uris).toEqual([]);
    expect(audit.findings).toHaveLength(1);
    const findings = await audit.finished(restored);
    expect(findings).toMatchObject([{ code: 'audit-not-written', severity: 'warning' }]);
    expect(findings[0]?.action).toContain('in the log of its run only');
  });

  test('whose storage cannot even be opened at its end warns', async () => {
    const openForTheEnd = (): never => {
      throw new BackupError('ERR_INPUT', 'the credentials are gone', { op: 'open', hint: 'Set them.' });
    };
    const audit = await openAudit({ ...partsOf([open(place('a'))]), openForTheEnd });
    expect(await audit.finished(restored)).toMatchObject([
      { seen: expect.stringContaining('the credentials are gone') },
    ]);
  });

  test('of a cancelled run is written all the same at its end, and is not begun after the cancellation', async () => {
    const cancelled = new AbortController();
    const target = open(place('a'), {}, cancelled.signal);
    const parts = { ...partsOf([target]), signal: cancelled.signal };
    const audit = await openAudit(parts);
    const reason = new BackupError('ERR_CANCELLED', 'The run was cancelled', { op: 'run', hint: 'Run it again.' });
    cancelled.abort(reason);
    expect(await audit.finished({ error: reason, news: restoreNews('swap', { stage: 'restoring' }) })).toEqual([]);
    expect(finishedIn('a').failure).toMatchObject({ code: 'ERR_CANCELLED', stage: 'restoring' });
    await expect(openAudit({ ...parts, ...{ record: { ...parts.record, strategy: 'new-database' } } })).rejects.toBe(
      reason,
    );
  });

  test("of a foreign dump lies in the destination's own folder", async () => {
    const { series: _, ...parts } = partsOf([open(place('a'))]);
    const audit = await openAudit(parts);
    expect(audit.uris[0]).toMatch(new RegExp(`^${place('a')}/_audit/20261121_031500_[0-9a-z]{6}\\.started\\.json$`));
  });

  test('of two restores of one second does not mix', async () => {
    const parts = partsOf([open(place('a'))]);
    const [first, second] = await Promise.all([openAudit(parts), openAudit(parts)]);
    await first.finished(restored);
    await second.finished(restored);
    expect(namesIn('a')).toHaveLength(4);
  });
});

describe('Who and when', () => {
  test('is the account of GitHub, or that of the machine', () => {
    const at = { now: new Date(OCCASION.startedAt), version: '1.0.0', reason: OCCASION.reason };
    expect(occasionOf({ run: OCCASION.run }, at)).toEqual(OCCASION);
    const again = { ...OCCASION.run, triggeringActor: 'hubot' } as RunnerEnvironment['run'];
    expect(occasionOf({ run: again }, at)).toMatchObject({ actor: 'octocat', triggeringActor: 'hubot' });
    const desk = occasionOf({ run: null }, { ...at, reason: undefined });
    expect(desk.actor).not.toBe('');
    expect(desk).not.toHaveProperty('reason');
  });

  test('what was done is told as it is noted', () => {
    const told: Partial<RunNews>[] = [];
    const timeline = new Timeline({ clock, tell: (more) => told.push(more) });
    timeline.note('one');
    timeline.note('two');
    expect(timeline.entries).toEqual([
      { at: ENDED.toISOString(), what: 'one' },
      { at: ENDED.toISOString(), what: 'two' },
    ]);
    expect(told.map((more) => more.timeline?.length)).toEqual([1, 2]);
  });

  test('what was told is remembered, and told on', () => {
    const heard: Partial<RunNews>[] = [];
    const tell = (more: Partial<RunNews>): void => void heard.push(more);
    const { context, told } = rememberTold({ clock, tell } as unknown as Parameters<typeof rememberTold>[0]);
    context.tell({ stage: 'looking', name: 'shop' });
    context.tell({ stage: 'restoring' });
    expect(told).toEqual({ stage: 'restoring', name: 'shop' });
    expect(heard).toHaveLength(2);
  });
});

const versitygw = (await availableS3Servers()).find(({ name }) => name === 'versitygw');
describeIf(
  availabilityOf(versitygw),
  'The audit of a restore, on an S3 server with the policy of the documentation',
  () => {
    const statements = JSON.parse(namedFile('docs/setup/aws.md', 'policy-restore.json')).Statement as Statement[];
    let s3: PolicyServer;

    beforeAll(async () => {
      s3 = await startPolicyServer();
    });
    afterAll(() => s3?.stop());

    const allow = (without = ''): Promise<void> => s3.allow(statements.filter(({ Sid }) => Sid !== without));
    const target = (): Target => open(s3.server.storageUri(BUCKET, 'postgres'), USER_ENV);

    test('is written with what that policy grants, in a series and outside of one', async () => {
      await allow();
      const parts = partsOf([target()], 'swap', USER_ENV);
      const { series: _, ...foreign } = parts;
      for (const each of [parts, foreign]) {
        const audit = await openAudit(each);
        expect(audit.findings).toEqual([]);
        expect(await audit.finished(restored)).toEqual([]);
      }
      const keys = await s3.bucket.keys();
      expect(keys.filter((key) => key.startsWith('postgres/shop/_audit/'))).toHaveLength(2);
      expect(keys.filter((key) => key.startsWith('postgres/_audit/'))).toHaveLength(2);
      for (const key of keys)
        expect(schemaErrors('audit', JSON.parse((await s3.bucket.read(key)).toString('utf8')))).toEqual([]);
    });

    test('of a plan that waits for a second person is written and found with what that policy grants', async () => {
      await allow();
      const [place, key] = [target(), auditKey('shop', new Date(auditPlanned().startedAt), 'aaaaaa', 'planned')];
      await putAudit(place.storage, key, auditPlanned());
      const { plans, findings } = await readPlans([place], 'shop', new AbortController().signal);
      expect(findings).toEqual([]);
      expect(plans).toEqual([{ uri: place.storage.uri(key), record: auditPlanned() }]);
      await place.storage.close();
    });

    test('that policy lets nobody write anything but audit records, and lets sets be read', async () => {
      await allow();
      const { storage } = target();
      const key = 'shop/20261121_020000_nightly_k3v9qa/metadata.json';
      const writer = await storage.create(key);
      await expect(writer.write(Buffer.from('{}')).then(() => writer.commit())).rejects.toMatchObject({
        code: 'ERR_STORAGE_DENIED',
      });
      await writer.abort();
      const [audit = ''] = await s3.bucket.keys();
      const { length } = await s3.bucket.read(audit);
      expect(length).toBeGreaterThan(100);
      expect(await storage.stat(audit.replace('postgres/', ''))).toMatchObject({ sizeBytes: length });
      await storage.close();
    });

    test('is refused without the right to write it, and names that right', async () => {
      await allow('WriteAuditRecords');
      await expect(openAudit(partsOf([target()], 'in-place', USER_ENV))).rejects.toMatchObject({
        code: 'ERR_STORAGE_DENIED',
        message: expect.stringContaining('nothing was touched'),
        hint: expect.stringMatching(/s3:PutObject.*`_audit\/`/),
      });
      const audit = await openAudit(partsOf([target()], 'new-database', USER_ENV));
      expect(audit.findings).toMatchObject([{ code: 'audit-not-written', severity: 'warning' }]);
    });
  },
);
