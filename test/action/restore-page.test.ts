/** docs/restore.md: what stands there to be typed does what the page says, on what the action left. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { planPause } from '../../src/domain/pause.ts';
import { pausedMark } from '../../src/domain/restore-mark.ts';
import { readProperties } from '../../src/postgres/databases.ts';
import { describeWith, programAvailable } from '../support/availability.ts';
import { type Bucket, newBucket } from '../support/bucket.ts';
import { makeToolCache, type ToolCache } from '../support/client-shims.ts';
import { loadDatabase } from '../support/databases/index.ts';
import { fences, readDocument, section } from '../support/markdown.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { type ActionResult, runAction } from '../support/run-action.ts';
import { type S3Server, startVersitygw } from '../support/s3-servers.ts';
import { stockTools } from '../support/stock-tools.ts';

const page = readDocument('docs/restore.md');
const ROOT = path.join(import.meta.dirname, '../..');
/** As the page writes them. */
const [BUCKET, ID, HOST] = ['acme-backups', '20261121_020000_nightly_k3v9qa', 'db.example.com'];

const jq = programAvailable('jq', ['--version'], 'apt-get install jq');

describeWith(jq === true ? await stockTools() : jq, 'The page for 3 a.m.', ({ clients, age, aws }) => {
  let server: PostgresServer;
  let s3: S3Server;
  let bucket: Bucket;
  let tools: ToolCache;
  let folder: string;
  let keyFile: string;
  let backup: ActionResult;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'page-'));
    keyFile = path.join(folder, 'backup-key.txt');
    server = await startPostgres({ major: 17 });
    s3 = await startVersitygw();
    bucket = await newBucket(s3, BUCKET);
    tools = await makeToolCache(clients);
    await loadDatabase(server, 'shop', 'shop');
    const identity = await generateX25519Identity();
    writeFileSync(keyFile, `${identity}\n`, { mode: 0o600 });
    backup = await act({
      'database-url': server.uri('shop'),
      'age-recipients': await identityToRecipient(identity),
    });
  });
  afterAll(async () => {
    bucket?.close();
    await Promise.all([server?.stop(), s3?.stop(), tools?.remove()]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** A run that must end well. */
  async function act(inputs: Readonly<Record<string, string>>): Promise<ActionResult> {
    const run = await runAction({
      inputs: { name: 'shop', storage: s3.storageUri(BUCKET, 'postgres'), ...inputs },
      env: { ...s3.env, RUNNER_TOOL_CACHE: tools.folder },
    });
    expect(run.exitCode, run.maskedLog).toBe(0);
    return run;
  }

  const restore = (inputs: Readonly<Record<string, string>> = {}) =>
    act({ command: 'restore', 'target-database-url': server.uri('shop'), 'age-identity': keyFile, ...inputs });

  /** The blocks of a section with what is an example there replaced by what is here. */
  function typed(heading: string, language: string): string[] {
    return fences(section(page, heading), language).map((block) =>
      block
        .replaceAll(ID, backup.outputs['backup-id'] ?? '')
        .replaceAll('/path/to/backup-key.txt', keyFile)
        .replaceAll('/srv/restore', path.join(folder, 'by-hand'))
        .replaceAll('admin@', `${server.superuser}@`)
        .replaceAll('PGUSER=admin', `PGUSER=${server.superuser}`)
        .replaceAll(`${HOST}/`, `${server.host}:${server.port}/`)
        .replaceAll(HOST, server.host)
        .replaceAll('?region=eu-central-1', s3.storageUri(BUCKET, 'postgres').replace(/^[^?]*/, '')),
    );
  }

  function shell(script: string, cwd = folder): string {
    const programs = [
      clients.bin,
      path.dirname(process.execPath),
      ...[age.age, aws.path].filter(path.isAbsolute).map((file) => path.dirname(file)),
    ];
    const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', script], {
      cwd,
      encoding: 'utf8',
      env: {
        ...s3.env,
        AWS_ENDPOINT_URL: s3.endpoint,
        PATH: [...programs, process.env.PATH].join(':'),
        HOME: process.env.HOME,
        PGHOST: server.host,
        PGPORT: String(server.port),
        PGUSER: server.superuser,
        PGPASSWORD: 'not needed',
        RUNNER_TOOL_CACHE: tools.folder,
      },
    });
    expect(status, `${script}\n${stdout}${stderr}`).toBe(0);
    return stdout;
  }

  const rowsOf = async (database: string): Promise<number> => {
    const [row] = await server.query<{ count: number }>('SELECT count(*)::int AS count FROM orders', database);
    return row?.count ?? -1;
  };
  const names = async (): Promise<string[]> =>
    (await server.query<{ datname: string }>('SELECT datname FROM pg_database ORDER BY 1')).map(
      ({ datname }) => datname,
    );

  test('lists the backups with what must be known of each', () => {
    const [list = ''] = typed('Which backup', 'sh');
    const id = backup.outputs['backup-id'];
    expect(shell(list).trim()).toMatch(new RegExp(`^${id} {2}proven {2}\\S+Z {2}14500 rows$`));
  });

  test('restores with stock tools alone', async () => {
    const [commands = ''] = typed('Without GitHub', 'sh');
    shell(commands);
    expect(await rowsOf('shop_restored')).toBe(await rowsOf('shop'));
  });

  test('runs the action without GitHub, as a dry run first', () => {
    const [, commands = ''] = typed('Without GitHub', 'sh');
    const said = shell(`${commands.replace('node dist', `node ${ROOT}/dist`)}`);
    expect(said).toContain('Dry run: nothing was touched. A restore would be:');
  });

  test('copies rows over from a restored database', async () => {
    const { outputs } = await restore();
    const [rows, tables] = [await rowsOf('shop'), ['order_items', 'reviews']];
    for (const table of tables) await server.query(`ALTER TABLE ${table} DISABLE TRIGGER ALL`, 'shop');
    await server.query(`SET session_replication_role = replica; DELETE FROM orders WHERE id % 7 = 0`, 'shop');
    expect(await rowsOf('shop')).toBeLessThan(rows);
    const [commands = ''] = typed('Copy rows over', 'sh');
    const restored = outputs['restored-database'] ?? '';
    shell(commands.replace(/^(RESTORED_URL=.*\/).*$/m, `$1${restored}`).replace('2026-11-20', '1970-01-01'));
    expect(await rowsOf('shop')).toBe(rows);
    await server.query(`DROP DATABASE "${restored}"`);
  });

  test('swaps back, and both databases are whole', async () => {
    await server.query('CREATE TABLE written_since (id int)', 'shop');
    await restore({ strategy: 'swap', 'safety-backup': 'false' });
    const written = async () =>
      (await server.query<{ table: string | null }>(`SELECT to_regclass('written_since')::text AS table`, 'shop'))[0]
        ?.table;
    expect(await written()).toBeNull();
    const [commands = ''] = typed('After a swap', 'sh');
    shell(commands);
    expect(await written()).toBe('written_since');
    const id = backup.outputs['backup-id'];
    expect(await names()).toContain(`shop_restored_${id}`);
    expect(await names()).not.toContain(`shop_before_${id}`);
    await server.query(`DROP DATABASE "shop_restored_${id}"`);
  });

  test('says how to give access back by hand', async () => {
    const connect = () => server.connect('postgres');
    const look = async () => {
      const client = await connect();
      try {
        return await readProperties(client, 'shop');
      } finally {
        await client.end();
      }
    };
    await server.query(`COMMENT ON DATABASE shop IS 'the shop'`);
    const before = await look();
    if (before === undefined) throw new Error('there is no shop');
    // Both means of a pause at once: a superuser's, and those of an owner.
    const bySuperuser = planPause(before, true, 'postgres');
    const byOwner = planPause(before, false, 'postgres');
    const note = JSON.stringify({ ...byOwner.note, ...bySuperuser.note, revoked: byOwner.note.revoked });
    const mark = `COMMENT ON DATABASE shop IS '${pausedMark(note).replaceAll("'", "''")}'`;
    for (const sql of [...bySuperuser.statements, ...byOwner.statements, mark]) await server.query(sql);
    const [question = ''] = typed('Nobody can connect any more', 'sql');
    const [answer] = await server.query<{ shobj_description: string }>(question);
    const told = answer?.shobj_description ?? '';
    for (const words of ['"connectionLimit":-1', '"revoked":[', '"comment":"the shop"']) expect(told).toContain(words);
    const [lines = ''] = fences(section(page, 'Nobody can connect any more'), 'text');
    for (const line of lines.trim().split('\n'))
      await server.query(line.replace(/;.*$/, '').replace('NULL', `'the shop'`));
    expect(await look()).toEqual(before);
  });
});
