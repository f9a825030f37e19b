/** RESTORE.md does what it says, as printed and with stock tools alone, and stops where something is wrong. */
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { generateHybridIdentity, generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { awsCommandLine } from '../../bench/aws-cli.ts';
import { type AgeCli, stockAge } from '../support/age-cli.ts';
import { allOf, describeWith, programAvailable } from '../support/availability.ts';
import { newBucket } from '../support/bucket.ts';
import { type Clients, clientTools } from '../support/clients.ts';
import { liveContent, recordedContent } from '../support/compare-databases.ts';
import { loadDatabase } from '../support/databases/index.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { guideScript } from '../support/restore-by-guide.ts';
import {
  backUp,
  expectSameContent,
  expectSameSchema,
  guideOf,
  type RoundTripStage,
  restore,
  setRoundTripStage,
} from '../support/round-trip.ts';
import type { ActionResult } from '../support/run-action.ts';
import { runTool } from '../support/run-tool.ts';
import { availableS3Servers, startVersitygw } from '../support/s3-servers.ts';

/** The newest major for everything; what is on every runner, but not on every machine, is asked for by name. */
async function needs(): Promise<Clients | { skipped: string }> {
  const programs = allOf(
    programAvailable('jq', ['--version'], 'apt-get install jq'),
    programAvailable('sha256sum', ['--version'], 'apt-get install coreutils'),
  );
  return programs === true ? clientTools(17) : programs;
}

describeWith(await needs(), 'RESTORE.md', (clients) => {
  let stage: RoundTripStage;
  beforeAll(async () => {
    stage = await setRoundTripStage(clients);
    await loadDatabase(stage.source, 'shop', 'shop');
    await stage.source.query(
      `CREATE SCHEMA billing; CREATE TABLE billing.invoices AS SELECT g AS id, 'no. ' || g AS note FROM generate_series(1, 50) g`,
      'shop',
    );
  });
  afterAll(() => stage?.stop());

  const source = (database = 'shop') => ({ server: stage.source, database, clients });

  async function keyFile(identity: string): Promise<string> {
    const file = path.join(stage.folder, 'identity.txt');
    await writeFile(file, `${identity}\n`, { mode: 0o600 });
    return file;
  }

  const exists = async (database: string): Promise<boolean> =>
    (await stage.target.query(`SELECT FROM pg_database WHERE datname = $1`, 'postgres', [database])).length > 0;

  describe('of a part of a database', () => {
    test.each([
      ['schemas', { schemas: 'public\nbilling' }, 'DROP SCHEMA public'],
      ['another schema', { schemas: 'billing' }, undefined],
      ['all but a schema', { 'exclude-schemas': 'billing' }, undefined],
      ['a table without its rows', { 'exclude-table-data': 'billing.*' }, undefined],
    ])('brings %s back', async (name, inputs, prepare) => {
      const run = await backUp(stage, 'shop', { inputs: { name: 'parts', ...inputs } });
      const restored = await restore(stage, guideOf(run), name);
      expect(await liveContent(restored, restored.contents)).toEqual(recordedContent(restored.contents));
      await expectSameSchema(restored, prepare);
    });

    test('brings tables back into schemas that it makes', async () => {
      const tables = 'public.customers\nbilling.*';
      const run = await backUp(stage, 'shop', { inputs: { name: 'parts', tables } });
      const restored = await restore(stage, guideOf(run), 'tables');
      expect(await liveContent(restored, restored.contents)).toEqual(recordedContent(restored.contents));
      expect(restored.contents.tables.map(({ name }) => name).sort()).toEqual(['customers', 'invoices']);
    });

    test('brings definitions alone back', async () => {
      const run = await backUp(stage, 'shop', { inputs: { name: 'parts', content: 'schema' } });
      const restored = await restore(stage, guideOf(run), 'definitions');
      await expectSameSchema(restored);
      expect(await stage.target.query('SELECT FROM orders', 'definitions')).toEqual([]);
    });

    test('fills a database that has its tables already with rows alone', async () => {
      const run = await backUp(stage, 'shop', { inputs: { name: 'parts', content: 'data' } });
      const restored = await restore(stage, guideOf(run), 'definitions');
      await expectSameContent(source(), restored);
    });
  });

  describe('of an encrypted backup', async () => {
    const age = await stockAge();

    describeWith(age, 'with the stock age tool', (cli: AgeCli) => {
      test('asks for the passphrase at a terminal, once a file, and does not show it', async () => {
        const passphrase = 'correct horse; battery "staple"';
        const run = await backUp(stage, 'shop', { inputs: { encryption: '', 'age-passphrase': passphrase } });
        const typed = { prompt: 'Enter passphrase', line: passphrase };
        const restored = await restore(stage, guideOf(run), 'passphrase', { programs: [cli.age], typed });
        await expectSameContent(source(), restored);
        expect(restored.output).toContain('All row counts are as they were');
        expect(restored.output).not.toContain(passphrase);
      });

      test('does not decrypt for another key, and makes no database', async () => {
        const recipient = await identityToRecipient(await generateIdentity());
        const run = await backUp(stage, 'shop', { inputs: { encryption: '', 'age-recipients': recipient } });
        const AGE_IDENTITY_FILE = await keyFile(await generateIdentity());
        const options = { programs: [cli.age], env: { AGE_IDENTITY_FILE } };
        await expect(restore(stage, guideOf(run), 'other_key', options)).rejects.toThrow(/no identity matched/);
        await expect(restore(stage, guideOf(run), 'other_key', { programs: [cli.age] })).rejects.toThrow(
          /AGE_IDENTITY_FILE: the file with the secret key/,
        );
        expect(await exists('other_key')).toBe(false);
      });
    });

    describeWith(await stockAge({ postQuantum: true }), 'with an age tool of post-quantum times', (cli: AgeCli) => {
      test('decrypts with a post-quantum key', async () => {
        const identity = await generateHybridIdentity();
        const recipient = await identityToRecipient(identity);
        const run = await backUp(stage, 'shop', { inputs: { encryption: '', 'age-recipients': recipient } });
        const AGE_IDENTITY_FILE = await keyFile(identity);
        const options = { programs: [cli.age], env: { AGE_IDENTITY_FILE } };
        await expectSameContent(source(), await restore(stage, guideOf(run), 'post_quantum', options));
      });
    });

    describeWith(await bucketTools(age), 'in a bucket', ({ aws, cli }) => {
      test('fetches it with the AWS command line, decrypts it and brings everything back', async () => {
        const server = await startVersitygw();
        const bucket = await newBucket(server, 'backups');
        try {
          const identity = await generateIdentity();
          const run = await backUp(stage, 'shop', {
            inputs: {
              storage: server.storageUri('backups', 'team a/postgres'),
              encryption: '',
              'age-recipients': await identityToRecipient(identity),
            },
            env: server.env,
          });
          const guide = await bucket.read(`team a/postgres/shop/${run.outputs['backup-id']}/RESTORE.md`);
          for (const secret of [server.accessKeyId, server.secretAccessKey]) expect(guide.includes(secret)).toBe(false);
          const env = { ...server.env, AGE_IDENTITY_FILE: await keyFile(identity) };
          const restored = await restore(stage, guide.toString('utf8'), 'from_bucket', {
            programs: [aws, cli.age],
            env,
          });
          await expectSameContent(source(), restored);
          await expectSameSchema(restored);
        } finally {
          bucket.close();
          await server.stop();
        }
      });
    });
  });

  async function bucketTools(age: AgeCli | { skipped: string }) {
    if ('skipped' in age) return age;
    const [versitygw] = await availableS3Servers();
    if (versitygw?.available !== true) return { skipped: versitygw?.reason ?? 'no versitygw' };
    const aws = await awsCommandLine();
    return 'skipped' in aws ? aws : { aws: aws.path, cli: age };
  }

  describe('of a database with settings of its own', () => {
    test.each([
      ['latin1', `ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'`],
      ['icu', `LOCALE_PROVIDER icu ICU_LOCALE 'de-u-co-phonebk' LC_COLLATE 'C' LC_CTYPE 'C'`],
      ['builtin', `LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C'`],
    ])('keeps encoding and collation: %s', async (name, options) => {
      await stage.source.createDatabase(name, `TEMPLATE template0 ${options}`);
      await stage.source.query(
        `CREATE TABLE "Straße" AS SELECT g AS "größe", 'Ä' || chr(223 + g) AS wort FROM generate_series(1, 20) g`,
        name,
      );
      const restored = await restore(stage, guideOf(await backUp(stage, name)), name);
      await expectSameContent(source(name), restored);
      const facts = `SELECT pg_encoding_to_char(encoding), datcollate, datctype, datlocprovider, datlocale FROM pg_database WHERE datname = '${name}'`;
      expect(await stage.target.query(facts)).toEqual(await stage.source.query(facts));
    });

    test('restores under a name that would be something else to a shell, to SQL and to libpq', async () => {
      const name = `host=evil '"\\ $(touch x) ;--`;
      const restored = await restore(stage, guideOf(await backUp(stage, 'shop')), name);
      expect(await liveContent(restored, restored.contents)).toEqual(recordedContent(restored.contents));
    });
  });

  describe('stops', () => {
    /** A copy of a set with one file changed, and the guide for where it lies now. */
    function spoiled(run: ActionResult, name: string, change: (bytes: Buffer) => Buffer, mendHash = false): string {
      const set = run.outputs['backup-uri'] ?? '';
      const copy = path.join(stage.folder, `spoiled-${path.basename(name)}-${mendHash}`);
      cpSync(set, copy, { recursive: true });
      const file = path.join(copy, name);
      const [before, after] = [readFileSync(file), change(readFileSync(file))];
      writeFileSync(file, after);
      const guide = guideOf(run).replaceAll(`'${set}'`, `'${copy}'`);
      return mendHash ? guide.replace(sha256(before), sha256(after)) : guide;
    }
    const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

    test('before anything is restored when one bit of a file is not what was stored', async () => {
      const run = await backUp(stage, 'shop');
      const guide = spoiled(run, 'database.backup', (bytes) => {
        bytes.writeUInt8(bytes.readUInt8(1000) ^ 1, 1000);
        return bytes;
      });
      await expect(restore(stage, guide, 'flipped')).rejects.toThrow(/database\.backup: FAILED/);
      expect(await exists('flipped')).toBe(false);
    });

    test('at a table that came back with other rows than were saved', async () => {
      const run = await backUp(stage, 'shop');
      const change = (bytes: Buffer): Buffer =>
        Buffer.from(bytes.toString('utf8').replace('"rows": 800,', '"rows": 801,'));
      const guide = spoiled(run, 'contents.json', change, true);
      await expect(restore(stage, guide, 'other_rows')).rejects.toThrow(/public\.customers: 800 rows instead of 801/);
    });

    test('at a database that is there already, and leaves it alone', async () => {
      await stage.target.createDatabase('busy');
      await stage.target.query('CREATE TABLE precious AS SELECT 1 AS id', 'busy');
      const run = await backUp(stage, 'shop');
      await expect(restore(stage, guideOf(run), 'busy')).rejects.toThrow(/database "busy" already exists/);
      expect(await stage.target.query('SELECT * FROM precious', 'busy')).toEqual([{ id: 1 }]);
    });
  });

  test('has a short form for people in a hurry, which the output gives', async () => {
    const run = await backUp(stage, 'shop');
    const env = {
      PATH: `${clients.bin}:${process.env.PATH}`,
      PGHOST: stage.target.host,
      PGPORT: String(stage.target.port),
      PGUSER: 'postgres',
      NEW_DATABASE: 'hurry',
    };
    const command = run.outputs['restore-command'] ?? '';
    await runTool('bash', ['-c', command], env);
    const contents = JSON.parse(readFileSync(path.join(run.outputs['backup-uri'] ?? '', 'contents.json'), 'utf8'));
    const live = await liveContent({ server: stage.target, database: 'hurry', clients }, contents);
    expect(live).toEqual(recordedContent(contents));
    await expect(runTool('bash', ['-c', command], env), 'into a database that exists').rejects.toThrow(
      /already exists/,
    );
    expect(await liveContent({ server: stage.target, database: 'hurry', clients }, contents)).toEqual(live);
  });

  test('pasted by hand, goes not on into a database that is not empty', async () => {
    const run = await backUp(stage, 'shop');
    await stage.target.createDatabase('taken');
    await stage.target.query('CREATE TABLE precious AS SELECT 1 AS id', 'taken');
    const folder = mkdtempSync(path.join(os.tmpdir(), 'pasted-'));
    const env = {
      PATH: `${clients.bin}:${process.env.PATH}`,
      PGHOST: stage.target.host,
      PGPORT: String(stage.target.port),
      PGUSER: 'postgres',
      TARGET_DATABASE: 'taken',
      BACKUP_DIR: folder,
    };
    // No `set -e`: a shell in which somebody pastes goes on after an error.
    const pasted = `${guideScript(guideOf(run))}\ntrue`;
    const said = await runTool('bash', ['-c', `{ ${pasted}\n} 2>&1`], env);
    rmSync(folder, { recursive: true });
    expect(said).toMatch(/taken is not empty; nothing was restored/);
    expect(said).not.toContain('All row counts are as they were');
    const tables = await stage.target.query(
      "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
      'taken',
    );
    expect(tables).toEqual([{ relname: 'precious' }]);
  });
});

async function oldAndNew(): Promise<{ old: Clients; young: Clients } | { skipped: string }> {
  const [old, young] = [await clientTools(13), await clientTools(18)];
  if ('skipped' in old) return old;
  return 'skipped' in young ? young : { old, young };
}

describeWith(await oldAndNew(), 'RESTORE.md of Postgres 13', ({ old, young }) => {
  test('brings its database back on a server of major 18, with the tools of that', async () => {
    const stage = await setRoundTripStage(old);
    const server = await startPostgres({ major: 18 });
    try {
      await loadDatabase(stage.source, 'awkward', 'awkward');
      const run = await backUp(stage, 'awkward');
      const restored = await restore({ ...stage, clients: young, target: server }, guideOf(run), 'awkward');
      await expectSameContent({ server: stage.source, database: 'awkward', clients: old }, restored);
      await expectSameSchema(restored);
    } finally {
      await server.stop();
      await stage.stop();
    }
  });
});
