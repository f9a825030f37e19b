/** The proof's own thread with real archives, whole and broken. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BackupError } from '../../src/domain/errors.ts';
import { type ArchiveProof, startArchiveProof } from '../../src/postgres/archive-proof.ts';
import { ArchiveReader } from '../../src/postgres/archive-reader.ts';
import { describeWith } from '../support/availability.ts';
import { type Clients, clientTools } from '../support/clients.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { runTool } from '../support/run-tool.ts';

const MAJOR = 17;
const CHUNK_BYTES = 64 * 1024;
const workerUrl = new URL('../../src/postgres/archive-proof-worker.ts', import.meta.url);
const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };
const clients = await clientTools(MAJOR);

/** Numbers of the processes that this one started and that run `program`. */
async function childrenRunning(program: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const [stat, exe] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'latin1').catch(() => ''),
      readlink(`/proc/${pid}/exe`).catch(() => ''),
    ]);
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 4).split(' ')[0]);
    if (parent === process.pid && path.basename(exe) === program) found.push(pid);
  }
  return found;
}

async function whileNone(look: () => Promise<string[]>): Promise<string[]> {
  for (;;) {
    const found = await look();
    if (found.length > 0) return found;
    await sleep(10);
  }
}

async function send(proof: ArchiveProof, archive: Uint8Array): Promise<void> {
  for (let at = 0; at < archive.length; at += CHUNK_BYTES) await proof.write(archive.subarray(at, at + CHUNK_BYTES));
}

function notProven(words: string | RegExp) {
  return expect.objectContaining({ code: 'ERR_NOT_PROVEN', message: expect.stringMatching(words) });
}

describeWith(clients, 'the proof on its own thread', ({ pgDump, pgRestore }: Clients) => {
  let server: PostgresServer;
  let folder: string;
  let archive: Buffer;

  const start = (pgRestorePath = pgRestore, signal = new AbortController().signal) =>
    startArchiveProof({ pgRestorePath, env, signal, workerUrl, stallSeconds: 30 });

  async function dump(...options: string[]): Promise<Buffer> {
    const file = path.join(folder, 'archive');
    await runTool(pgDump, ['-Fc', ...options, '-f', file, '-d', server.uri('proof')]);
    return readFile(file);
  }

  async function prove(bytes: Uint8Array, pgRestorePath = pgRestore) {
    const proof = start(pgRestorePath);
    try {
      await send(proof, bytes);
      return await proof.end();
    } finally {
      await proof.abort();
      expect(await childrenRunning('pg_restore')).toEqual([]);
    }
  }

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'archive-proof-'));
    server = await startPostgres({ major: MAJOR });
    await server.createDatabase('proof');
    await server.query(
      `CREATE TABLE first AS SELECT g AS id, md5(g::text) AS body FROM generate_series(1, 400000) g;
       CREATE TABLE second AS SELECT g AS id, md5((-g)::text) || md5(g::text) AS body FROM generate_series(1, 100000) g;
       CREATE SEQUENCE numbers; SELECT lo_from_bytea(5001, decode(repeat('00ff', 100000), 'hex'))`,
      'proof',
    );
    archive = await dump('-Z', 'gzip:1');
  });

  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('reports what the reader reads from the same archive', async () => {
    const { stdout } = await promisify(execFile)(pgRestore, ['-f', '-', path.join(folder, 'archive')], {
      encoding: 'buffer',
      maxBuffer: 1 << 30,
    });
    const reader = new ArchiveReader();
    reader.write(stdout);
    const report = await prove(archive);
    expect(report).toEqual(reader.end());
    expect(report.tables.map(({ name, rows }) => [name, rows])).toEqual([
      ['first', 400_000],
      ['second', 100_000],
    ]);
  });

  test('holds its writer back while pg_restore does not read', async () => {
    expect(archive.length).toBeGreaterThan(8 << 20);
    const proof = start();
    await proof.write(archive.subarray(0, CHUNK_BYTES));
    const [pid] = await whileNone(() => childrenRunning('pg_restore'));
    process.kill(Number(pid), 'SIGSTOP');
    let accepted = CHUNK_BYTES;
    const sending = (async () => {
      for (; accepted < archive.length; accepted += CHUNK_BYTES) {
        await proof.write(archive.subarray(accepted, accepted + CHUNK_BYTES));
      }
    })();
    await sleep(500);
    expect(accepted).toBeLessThan(6 << 20);
    process.kill(Number(pid), 'SIGCONT');
    await sending;
    expect((await proof.end()).tables).toHaveLength(2);
  });

  for (const share of [0.001, 0.3, 0.9, 0.999]) {
    test(`refuses an archive cut at ${share * 100} percent`, async () => {
      const cut = archive.subarray(0, Math.floor(archive.length * share));
      await expect(prove(cut)).rejects.toThrow(notProven(/pg_restore ended with exit code 1: pg_restore: error: /));
    });
  }

  test('refuses an archive with one byte flipped in compressed rows', async () => {
    const flipped = Buffer.from(archive);
    const middle = Math.floor(flipped.length / 2);
    flipped.writeUInt8(flipped.readUInt8(middle) ^ 0x10, middle);
    await expect(prove(flipped)).rejects.toThrow(notProven('pg_restore'));
  });

  test('refuses what is no archive, and nothing', async () => {
    await expect(prove(Buffer.from('SELECT 1;'.repeat(2_000_000)))).rejects.toThrow(notProven('magic string'));
    await expect(prove(Buffer.alloc(0))).rejects.toThrow(notProven('pg_restore ended with exit code 1'));
  });

  test('refuses an archive followed by other bytes', async () => {
    await expect(prove(Buffer.concat([archive, Buffer.alloc(8 << 20)]))).rejects.toThrow(
      notProven('before it had read the whole archive'),
    );
  });

  test('refuses an archive that the reader cannot take apart, and stops pg_restore', async () => {
    await expect(prove(await dump('--inserts', '-Z', '0'))).rejects.toThrow(notProven('INSERT INTO public.first'));
  });

  test('says so when pg_restore cannot be started', async () => {
    await expect(prove(archive, path.join(folder, 'no-pg_restore'))).rejects.toThrow(
      notProven('pg_restore could not be started: .*ENOENT'),
    );
  });

  test('says so when pg_restore is killed', async () => {
    const proof = start();
    await send(proof, archive.subarray(0, 1 << 20));
    const pids = await whileNone(() => childrenRunning('pg_restore'));
    for (const pid of pids) process.kill(Number(pid), 'SIGKILL');
    await expect(send(proof, archive).then(() => proof.end())).rejects.toThrow(notProven('ended by SIGKILL'));
  });

  test('leaves no process when it is given up, and can be given up twice', async () => {
    const proof = start();
    await send(proof, archive.subarray(0, 1 << 20));
    const ending = expect(proof.end()).rejects.toThrow(expect.objectContaining({ code: 'ERR_CANCELLED' }));
    await Promise.all([proof.abort(), proof.abort()]);
    await ending;
    expect(await childrenRunning('pg_restore')).toEqual([]);
    await expect(proof.write(archive)).rejects.toThrow(expect.objectContaining({ code: 'ERR_CANCELLED' }));
  });

  test('ends with the reason of its signal, before and while it runs', async () => {
    const reason = new BackupError('ERR_DEADLINE', 'Too late', { op: 'backup', hint: 'Allow more time.' });
    await expect(start(pgRestore, AbortSignal.abort(reason)).end()).rejects.toBe(reason);
    const stop = new AbortController();
    const proof = start(pgRestore, stop.signal);
    await send(proof, archive.subarray(0, 1 << 20));
    stop.abort(reason);
    await expect(proof.write(archive)).rejects.toBe(reason);
    await expect(proof.end()).rejects.toBe(reason);
    await proof.abort();
    expect(await childrenRunning('pg_restore')).toEqual([]);
  });
});
