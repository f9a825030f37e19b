import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Check } from '../../src/domain/checks.ts';
import type { Contents } from '../../src/domain/contents.ts';
import { BackupError } from '../../src/domain/errors.ts';
import { smallTables } from '../../src/drill/alarm/sample.ts';
import { alarmDetectors } from '../../src/drill/alarm-detectors.ts';
import { type AlarmDetectors, type AlarmProofParts, proveTheAlarm } from '../../src/drill/prove-the-alarm.ts';
import type { TargetAccess } from '../../src/restore/access.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { allOf, describeIf } from '../support/availability.ts';
import { clientTools } from '../support/clients.ts';
import { availableMajors, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { contents, manifest } from '../support/set-documents.ts';
import { recordingLog } from '../support/silent-log.ts';

const TABLES = `
  CREATE TABLE customers (id int PRIMARY KEY, name text); INSERT INTO customers SELECT g, 'name ' || g FROM generate_series(1, 200) g;
  CREATE SCHEMA "a.b ""c"; CREATE TABLE "a.b ""c"."t*x?" (a text, b text); INSERT INTO "a.b ""c"."t*x?" VALUES ('x', NULL), ('ü', '');
  CREATE TABLE large AS SELECT g AS id, repeat('x', 1000) AS words FROM generate_series(1, 20000) g;`;

/** As contents.json of the drilled backup has them. */
const RECORDED = [
  { schema: 'public', name: 'customers', columns: ['id', 'name'], rows: 200, bytes: 2_500 },
  { schema: 'a.b "c', name: 't*x?', columns: ['a', 'b'], rows: 2, bytes: 9 },
  { schema: 'public', name: 'large', columns: ['id', 'words'], rows: 20_000, bytes: 20_000_000 },
].map((table) => ({ ...table, digest: 'ab'.repeat(16), sizeBytes: 0 }));

for (const major of [13, 15, 18]) rehearsalOf(major);

function rehearsalOf(major: number): void {
  const servers = availableMajors().includes(major) || { skipped: `no server of major ${major}` };
  describeIf(allOf(servers), `the alarm of a drill on a Postgres ${major}`, () => {
    const { signal } = new AbortController();
    let server: PostgresServer;
    let workDir: string;
    let parts: Omit<AlarmProofParts, 'detectors'>;
    let detectors: AlarmDetectors;
    const log = recordingLog();

    beforeAll(async () => {
      const tools = await clientTools(major);
      if ('skipped' in tools) throw new Error(tools.skipped);
      server = await startPostgres({ major });
      await server.query(TABLES);
      const client = { ...tools, env: {}, origin: 'test' };
      const context = { workDir: '', log, clock: systemClock, env: {}, signal };
      parts = {
        access: accessTo(server),
        database: 'postgres',
        contents: recorded(RECORDED),
        manifest: manifest(),
        tools: client as never,
        signal,
        context,
      };
      detectors = alarmDetectors({ ...context, tools: client as never });
    });

    beforeEach(async () => {
      workDir = await mkdtemp(path.join(os.tmpdir(), 'alarm-'));
      parts = { ...parts, context: { ...parts.context, workDir } };
      return () => rm(workDir, { recursive: true });
    });

    afterAll(() => server.stop());

    const prove = (more: Partial<AlarmProofParts> = {}): Promise<Check> =>
      proveTheAlarm({ ...parts, detectors, ...more });

    test('every broken copy is noticed, in seconds, and nothing is left in the database', async () => {
      const from = performance.now();
      expect(await prove()).toEqual({
        id: 'alarm',
        status: 'passed',
        reason: 'Each of 7 broken copies was noticed',
        details: [],
      });
      expect(performance.now() - from).toBeLessThan(5_000);
      expect(log.lines.every((line) => line.startsWith('rehearsal: '))).toBe(true);
    });

    test('where no table is small, rows are made for it and removed again', async () => {
      expect(await prove({ contents: recorded(RECORDED.slice(2)) })).toMatchObject({ status: 'passed' });
      expect(await server.query("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'db-backup%'")).toEqual([]);
    });

    const blind: [string, Partial<AlarmDetectors>, RegExp][] = [
      [
        'the checks of stored bytes',
        { fetch: (set, given, folder) => unchecked(detectors, set, given, folder) },
        /bit flipped in storage: was noticed only at the stage compare/,
      ],
      [
        'the comparison of rows',
        { compare: () => ({ id: 'tables', status: 'passed', reason: '', details: [] }) },
        /without the rows of one table: was taken for whole/,
      ],
      [
        'the choice of the newest',
        { select: (target, series) => blindSelect(detectors, target, series) },
        /older backup presented as the newest: was (taken for whole|noticed only at)/,
      ],
      [
        'the look at contents.json',
        { readContents: (set) => blindContents(detectors, set) },
        /metadata.json rewritten: was (taken for whole|noticed only at)/,
      ],
    ];

    test.each(blind)('without %s the drill fails with those words', async (_what, off, words) => {
      const check = await prove({ detectors: { ...detectors, ...off } });
      expect(check).toMatchObject({ id: 'alarm', status: 'failed', reason: expect.stringContaining('NOT noticed') });
      expect(check.details.join('\n')).toMatch(words);
    });

    test('detectors that refuse everything notice nothing', async () => {
      const refuse = (): never => {
        throw new BackupError('ERR_NOT_PROVEN', 'no', { op: 'read', hint: '' });
      };
      expect(await prove({ detectors: { ...detectors, read: refuse } })).toMatchObject({
        status: 'failed',
        reason: expect.stringContaining('A whole small copy was refused'),
      });
    });

    test('a copy that could not be read for another reason has not been noticed', async () => {
      let reads = 0;
      const full: AlarmDetectors['fetch'] = async (...given) => {
        reads += 1;
        if (reads > 1) throw new BackupError('ERR_STORAGE_FULL', 'the disk is full', { op: 'fetch', hint: '' });
        return await detectors.fetch(...given);
      };
      expect(await prove({ detectors: { ...detectors, fetch: full } })).toMatchObject({
        status: 'not-run',
        details: ['the disk is full'],
      });
    });

    test('an alarm that could not be delivered fails it, one of which that is not known makes it partial', async () => {
      const finding = {
        severity: 'notice',
        seen: 'It could not open an issue.',
        action: 'Add `issues: write`.',
      } as const;
      const delivery = (code: string) => async () => [{ code, ...finding }];
      expect(await prove({ delivery: delivery('alarm-impossible') })).toMatchObject({
        status: 'failed',
        details: ['It could not open an issue. Add `issues: write`.'],
      });
      expect(await prove({ delivery: delivery('alarm-unknown') })).toMatchObject({ status: 'partial' });
      expect(await prove({ delivery: async () => [] })).toMatchObject({ status: 'passed' });
    });

    test('copies that cannot be made leave it not-run', async () => {
      const gone = recorded([{ ...(RECORDED[0] as (typeof RECORDED)[number]), name: 'vanished' }]);
      expect(await prove({ contents: gone })).toMatchObject({
        status: 'not-run',
        details: [expect.stringContaining('vanished')],
      });
    });
  });
}

test('samples are the smallest tables with rows', () => {
  const names = smallTables(
    recorded([...RECORDED, { ...(RECORDED[0] as (typeof RECORDED)[number]), name: 'empty', rows: 0 }]),
  ).map(({ name }) => name);
  expect(names).toEqual(['t*x?', 'customers']);
});

function recorded(tables: Contents['tables']): Contents {
  return { ...contents(), tables };
}

/** The stored bytes as they are, whatever is recorded of them. */
async function unchecked(
  { fetch }: AlarmDetectors,
  set: Parameters<AlarmDetectors['fetch']>[0],
  given: Contents,
  folder: string,
): ReturnType<AlarmDetectors['fetch']> {
  return await fetch(set, given, folder).catch(() => ({
    kind: 'file' as const,
    format: 'custom' as const,
    path: set.copies[0].target.storage.uri(`${set.copies[0].folder}/database.backup`),
  }));
}

/** Takes the first folder's objects for what the folder says. */
async function blindSelect(
  { select }: AlarmDetectors,
  target: Parameters<AlarmDetectors['select']>[0],
  series: string,
) {
  return await select(target, series).catch(async () => {
    const folders: string[] = [];
    for await (const folder of target.storage.listFolders(`${series}/`)) folders.push(folder.replace(/\/$/, ''));
    const folder = folders.sort().at(-1) as string;
    const chunks: Buffer[] = [];
    for await (const chunk of await target.storage.get(`${folder}/metadata.json`)) chunks.push(chunk as Buffer);
    const given = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    const copy = { target, folder, uri: folder, manifest: given };
    return { kind: 'set' as const, manifest: given, series, copies: [copy] as const, findings: [] };
  });
}

async function blindContents({ readContents }: AlarmDetectors, set: Parameters<AlarmDetectors['readContents']>[0]) {
  return await readContents(set).catch(async () => {
    const [{ target, folder }] = set.copies;
    const chunks: Buffer[] = [];
    for await (const chunk of await target.storage.get(`${folder}/contents.json`)) chunks.push(chunk as Buffer);
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as Contents;
  });
}

/** The server without credentials: everybody is let in. */
function accessTo(server: PostgresServer): TargetAccess {
  const access = {
    childEnv: async (_tools: unknown, database: string) => ({
      PATH: '/usr/bin:/bin',
      PGHOST: server.host,
      PGPORT: String(server.port),
      PGUSER: 'postgres',
      PGDATABASE: database,
    }),
    use: async (_name: string, database: string, work: (session: { client: pg.Client }) => Promise<unknown>) => {
      const client = new pg.Client({ connectionString: server.uri(database) });
      await client.connect();
      try {
        return await work({ client });
      } finally {
        await client.end();
      }
    },
  };
  return access as unknown as TargetAccess;
}
