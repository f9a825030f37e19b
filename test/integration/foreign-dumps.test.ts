/** Dumps that pg_dump made without this action, in every form in which people keep them. */
import { readdirSync } from 'node:fs';
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DecryptionKeys } from '../../src/crypto/decryption.ts';
import { fetchArchive, openArchiveHead } from '../../src/restore/fetch-archive.ts';
import type { FetchedArchive, FetchParts } from '../../src/restore/fetched.ts';
import { writeBytes } from '../../src/storage/write-object.ts';
import { type AgeCli, stockAge } from '../support/age-cli.ts';
import { describeIf, describeWith, programAvailable, testIf } from '../support/availability.ts';
import { newBucket } from '../support/bucket.ts';
import { type Clients, clientTools } from '../support/clients.ts';
import { loadDatabase } from '../support/databases/index.ts';
import { codes, FetchBench, measured } from '../support/fetch-bench.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { runTool } from '../support/run-tool.ts';
import { failure } from '../support/s3-fault-bench.ts';
import { availabilityOf, availableS3Servers, startVersitygw } from '../support/s3-servers.ts';
import { cutShort, flipByte } from '../support/spoil.ts';

const clients = await clientTools(17);
const age = await stockAge();
const [s3] = await availableS3Servers();
const gpg = programAvailable('gpg', ['--version'], 'apt-get install gnupg');
const pzstd = programAvailable('pzstd', ['--version'], 'apt-get install zstd');
const gzip = programAvailable('gzip', ['--version'], 'apt-get install gzip');
const zstd = programAvailable('zstd', ['--version'], 'apt-get install zstd');

describeWith(clients, 'a dump made by other means', (tools: Clients) => {
  let dumps: string;
  let identity: string;
  let count = 0;
  /** Of the dump without anything around it. */
  const plain: Record<string, string> = {};

  beforeAll(async () => {
    dumps = await mkdtemp(path.join(os.tmpdir(), 'dumps-'));
    identity = await generateX25519Identity();
    const server = await startPostgres({ major: 17 });
    try {
      await loadDatabase(server, 'shop', 'shop');
      const dump = (format: string, name: string) =>
        runTool(tools.pgDump, ['-d', server.uri('shop'), `-F${format}`, '-f', file(name)]);
      await dump('p', 'shop.sql');
      await dump('c', 'shop.backup');
      await dump('t', 'shop.tar');
      await dump('d', 'shop.dir');
      await runTool(tools.pgDumpall, ['-d', server.uri('shop'), '-f', file('all.sql')]);
    } finally {
      await server.stop();
    }
    for (const name of ['shop.sql', 'shop.backup', 'shop.tar']) plain[name] = (await measured(file(name))).sha256;
  });
  afterAll(() => rm(dumps, { recursive: true, force: true }));

  const file = (name: string): string => path.join(dumps, name);

  interface Fetch {
    keys?: DecryptionKeys;
    over?: Partial<FetchParts>;
    bench?: FetchBench;
  }

  /** As the command does it, with a directory of backups that the dump does not lie in. */
  async function fetch(location: string, { keys, over, bench = new FetchBench([file('backups')]) }: Fetch = {}) {
    const workDir = file(`work-${++count}`);
    await mkdir(workDir);
    const dump = await bench.select(location);
    expect(dump.kind).toBe('foreign');
    const fetched = await fetchArchive(dump, undefined, keys, bench.parts(workDir, over));
    return { ...fetched, workDir, dump };
  }

  function pathOf({ archive }: FetchedArchive): string {
    if (archive.kind !== 'file') throw new Error('it is not on the disk');
    return archive.path;
  }

  describe('on this machine', () => {
    test.each([
      ['shop.sql', 'sql'],
      ['shop.backup', 'custom'],
      ['shop.tar', 'tar'],
      ['shop.dir', 'directory'],
    ])('%s is used where it lies', async (name, format) => {
      const fetched = await fetch(file(name));
      expect(fetched.archive).toEqual({ kind: 'file', format, path: file(name) });
      expect(readdirSync(fetched.workDir)).toEqual([]);
      expect([...fetched.findings, ...codes(fetched.dump.findings)]).toEqual(['foreign-dump']);
    });

    test('its name is nobody’s matter', async () => {
      await copyFile(file('shop.backup'), file('misnamed.sql.gz'));
      expect((await fetch(file('misnamed.sql.gz'))).archive).toMatchObject({ format: 'custom' });
    });

    testIf(gzip, 'gzip is taken off, of SQL and of archives, in several members too', async () => {
      for (const name of ['shop.sql', 'shop.backup', 'shop.tar']) {
        await runTool('sh', ['-c', `gzip -c '${file(name)}' > '${file(`${name}.gz`)}'`]);
        const fetched = await fetch(file(`${name}.gz`));
        expect((await measured(pathOf(fetched))).sha256).toBe(plain[name]);
      }
      await runTool('sh', [
        '-c',
        `(head -c 5000 '${file('shop.sql')}' | gzip -c; tail -c +5001 '${file('shop.sql')}' | gzip -c) > '${file('two.gz')}'`,
      ]);
      expect((await measured(pathOf(await fetch(file('two.gz'))))).sha256).toBe(plain['shop.sql']);
    });

    testIf(zstd, 'zstd is taken off', async () => {
      await runTool('zstd', ['-q', '-k', file('shop.sql'), '-o', file('shop.sql.zst')]);
      const fetched = await fetch(file('shop.sql.zst'));
      expect(fetched.archive).toMatchObject({ format: 'sql' });
      expect(fetched.phases.map(({ phase }) => phase)).toEqual(['fetch', 'decrypt']);
      expect((await measured(pathOf(fetched))).sha256).toBe(plain['shop.sql']);
    });

    testIf(pzstd, 'all frames of a file by pzstd are read, not the first alone', async () => {
      const large = file('large.sql');
      const sql = await readFile(file('shop.sql'));
      await writeFile(large, Buffer.concat([Buffer.from('-- by hand\n'), ...Array.from({ length: 60 }, () => sql)]));
      await runTool('pzstd', ['-q', '-p', '4', '-k', large, '-o', file('large.sql.zst')]);
      expect(await measured(pathOf(await fetch(file('large.sql.zst'))))).toEqual(await measured(large));
    });
  });

  describeWith(age, 'encrypted with age', ({ age: program }: AgeCli) => {
    test('it is decrypted, whatever is in it', async () => {
      const recipient = await identityToRecipient(identity);
      const keys = { identities: [identity] };
      await runTool(program, ['-r', recipient, '-o', file('shop.backup.age'), file('shop.backup')]);
      expect((await measured(pathOf(await fetch(file('shop.backup.age'), { keys })))).sha256).toBe(
        plain['shop.backup'],
      );
      await runTool('sh', ['-c', `gzip -c '${file('shop.sql')}' | '${program}' -r ${recipient} -o '${file('x.age')}'`]);
      expect((await measured(pathOf(await fetch(file('x.age'), { keys })))).sha256).toBe(plain['shop.sql']);
    });

    test('without a key or with another one nothing is written', async () => {
      const none = await failure(fetch(file('shop.backup.age')));
      expect(none).toMatchObject({ code: 'ERR_DECRYPT', hint: expect.stringContaining('age-identity') });
      const keys = { identities: [await generateX25519Identity()] };
      expect(await failure(fetch(file('shop.backup.age'), { keys }))).toMatchObject({ code: 'ERR_DECRYPT' });
      expect(readdirSync(file(`work-${count}`))).toEqual([]);
    });

    test('cut short or changed it is refused', async () => {
      const keys = { identities: [identity] };
      for (const spoil of [(name: string) => cutShort(name, 100), (name: string) => flipByte(name)]) {
        await copyFile(file('shop.backup.age'), file('spoiled.age'));
        await spoil(file('spoiled.age'));
        expect(await failure(fetch(file('spoiled.age'), { keys }))).toMatchObject({ code: 'ERR_BACKUP_DAMAGED' });
      }
    });
  });

  describeIf(gpg, 'encrypted with gpg', () => {
    let home: string;
    const env = () => ({ PATH: process.env.PATH ?? '', GNUPGHOME: home });
    beforeAll(async () => {
      home = await mkdtemp(path.join(os.tmpdir(), 'gpg-'));
      const make = ['--batch', '--passphrase', '', '--quick-generate-key', 'keeper@example.com', 'default', 'default'];
      await runTool('gpg', make, env());
      const encrypt = ['--batch', '--no-auto-key-locate', '--trust-model', 'always', '-r', 'keeper@example.com', '-o'];
      await runTool('gpg', [...encrypt, file('shop.sql.gpg'), '-e', file('shop.sql')], env());
      await runTool('gpg', [...encrypt, file('shop.backup.asc'), '--armor', '-e', file('shop.backup')], env());
      const phrase = ['--batch', '--pinentry-mode', 'loopback', '--passphrase', 'five random words', '-o'];
      await runTool('gpg', [...phrase, file('phrase.gpg'), '-c', file('shop.backup')], env());
    });
    afterAll(async () => {
      await runTool('gpgconf', ['--kill', 'gpg-agent'], env());
      await rm(home, { recursive: true, force: true });
    });

    test('the keyring of the job decrypts', async () => {
      for (const [name, of] of [
        ['shop.sql.gpg', 'shop.sql'],
        ['shop.backup.asc', 'shop.backup'],
      ] as const) {
        const fetched = await fetch(file(name), { over: { env: env() } });
        expect((await measured(pathOf(fetched))).sha256).toBe(plain[of]);
      }
    });

    test('a passphrase decrypts, never stands in an argument, and no file of it is left', async () => {
      const keys = { passphrase: 'five random words' };
      const fetched = await fetch(file('phrase.gpg'), { keys, over: { env: env() } });
      expect((await measured(pathOf(fetched))).sha256).toBe(plain['shop.backup']);
      expect(await readdir(path.join(fetched.workDir, 'gpg'))).toEqual([]);
    });

    test('a wrong passphrase, a missing key and a missing gpg are told apart', async () => {
      const wrong = await failure(
        fetch(file('phrase.gpg'), { keys: { passphrase: 'other words' }, over: { env: env() } }),
      );
      expect(wrong).toMatchObject({ code: 'ERR_DECRYPT', hint: expect.stringContaining('Check the passphrase') });
      expect(wrong.message).not.toContain('other words');
      const empty = file('empty-keyring');
      await mkdir(empty, { mode: 0o700 });
      const noKey = await failure(fetch(file('shop.sql.gpg'), { over: { env: { ...env(), GNUPGHOME: empty } } }));
      expect(noKey).toMatchObject({ code: 'ERR_DECRYPT', hint: expect.stringContaining('--import') });
      const noGpg = await failure(fetch(file('shop.sql.gpg'), { over: { env: { PATH: '/nowhere' } } }));
      expect(noGpg).toMatchObject({ code: 'ERR_DECRYPT', hint: expect.stringContaining('gnupg') });
    });

    test('changed bytes are refused', async () => {
      await copyFile(file('shop.sql.gpg'), file('spoiled.gpg'));
      await flipByte(file('spoiled.gpg'));
      const error = await failure(fetch(file('spoiled.gpg'), { over: { env: env() } }));
      expect(error.code).toMatch(/^ERR_(DECRYPT|BACKUP_DAMAGED|INPUT)$/);
    });
  });

  describe('that is not whole', () => {
    test.each([
      ['gzip', 'cut short', 'gzip -c', (name: string) => cutShort(name, 3)],
      ['gzip', 'changed', 'gzip -c', (name: string) => flipByte(name)],
      ['zstd', 'cut short', 'zstd -qc', (name: string) => cutShort(name, 3)],
      ['zstd', 'changed', 'zstd -qc', (name: string) => flipByte(name)],
    ])('%s %s is refused', async (name, _how, command, spoil) => {
      await runTool('sh', ['-c', `${command} '${file('shop.sql')}' > '${file(`spoiled.${name}`)}'`]);
      await spoil(file(`spoiled.${name}`));
      expect(await failure(fetch(file(`spoiled.${name}`)))).toMatchObject({ code: 'ERR_BACKUP_DAMAGED' });
    });

    test('a plain dump without its last line comes with a warning', async () => {
      await copyFile(file('shop.sql'), file('cut.sql'));
      await cutShort(file('cut.sql'), 300);
      expect(codes((await fetch(file('cut.sql'))).findings)).toEqual(['dump-without-end']);
      await runTool('sh', ['-c', `gzip -c '${file('cut.sql')}' > '${file('cut.sql.gz')}'`]);
      expect(codes((await fetch(file('cut.sql.gz'))).findings)).toEqual(['dump-without-end']);
    });
  });

  test('a dump of a whole server, a tar of a folder and a web page are refused with what to do', async () => {
    expect((await failure(fetch(file('all.sql')))).message).toContain('pg_dumpall');
    await runTool('tar', ['-C', dumps, '-czf', file('folder.tgz'), 'shop.dir']);
    expect((await failure(fetch(file('folder.tgz')))).message).toMatch(/inside folder\.tgz \(gzip\).*tar -x/);
    await writeFile(file('page.sql'), '<html>403 Forbidden</html>');
    expect(await failure(fetch(file('page.sql')))).toMatchObject({ code: 'ERR_INPUT' });
  });

  test('without room it is checked and streamed; a tar cannot be', async () => {
    const over = { freeBytes: async () => 0 };
    await runTool('sh', [
      '-c',
      `gzip -c '${file('shop.backup')}' > '${file('room.gz')}'; gzip -c '${file('shop.tar')}' > '${file('tar.gz')}'`,
    ]);
    const { archive, findings, workDir } = await fetch(file('room.gz'), { over });
    if (archive.kind !== 'stream') throw new Error('it is no stream');
    expect(archive.format).toBe('custom');
    for (const _time of [1, 2]) expect((await measured(await archive.open())).sha256).toBe(plain['shop.backup']);
    expect(codes(findings)).toEqual(['archive-streamed']);
    expect(readdirSync(workDir)).toEqual([]);
    expect(await failure(fetch(file('tar.gz'), { over }))).toMatchObject({ code: 'ERR_TARGET_UNFIT' });
  });

  test('its beginning is read without the rest', async () => {
    await runTool('sh', ['-c', `gzip -c '${file('shop.backup')}' > '${file('head.gz')}'`]);
    const bench = new FetchBench([file('backups')]);
    const head = await openArchiveHead(await bench.select(file('head.gz')), undefined, bench.parts(dumps));
    const [piece] = (await head.take(1).toArray()) as [Buffer];
    head.destroy();
    expect(piece.subarray(0, 5).toString('latin1')).toBe('PGDMP');
  });

  describeIf(availabilityOf(s3), 'in a bucket', () => {
    test('a file and a folder come to the disk whole, and pg_restore reads them', async () => {
      const server = await startVersitygw();
      const bucket = await newBucket(server, 'dumps');
      const bench = new FetchBench([server.storageUri('dumps', 'team')], { env: server.env });
      const [target] = bench.targets as [(typeof bench.targets)[0]];
      try {
        await writeBytes(target.storage, 'old/shop.backup', await readFile(file('shop.backup')));
        for (const name of await readdir(file('shop.dir'))) {
          await writeBytes(target.storage, `old/shop.dir/${name}`, await readFile(path.join(file('shop.dir'), name)));
        }
        const custom = await fetch('old/shop.backup', { bench });
        expect((await measured(pathOf(custom))).sha256).toBe(plain['shop.backup']);
        expect(custom.from).toBe('s3://dumps/team/old/shop.backup');
        const folder = await fetch('s3://dumps/team/old/shop.dir', { bench });
        expect(folder.archive).toMatchObject({ kind: 'file', format: 'directory' });
        const sql = await runTool(tools.pgRestore, ['-f', '-', pathOf(folder)]);
        expect(sql.match(/^COPY /gm)?.length).toBe(
          (await readFile(file('shop.sql'), 'utf8')).match(/^COPY /gm)?.length,
        );
        const error = await failure(fetch('old/shop.dir', { bench, over: { freeBytes: async () => 0 } }));
        expect(error.code).toBe('ERR_TARGET_UNFIT');
      } finally {
        await bench.close();
        bucket.close();
        await server.stop();
      }
    });
  });

  test('a folder that is copied keeps its files', async () => {
    await cp(file('shop.dir'), file('copy.dir'), { recursive: true });
    await rm(path.join(file('copy.dir'), 'toc.dat'));
    await expect(fetch(file('copy.dir'))).rejects.toMatchObject({ code: 'ERR_BACKUP_NOT_FOUND' });
  });
});
