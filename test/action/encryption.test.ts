/** Backups that only the holder of a key can read: the stock tool opens them, and nothing in the open gives them away. */
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Decrypter, generateHybridIdentity, generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AgeCli, stockAge } from '../support/age-cli.ts';
import { describeWith } from '../support/availability.ts';
import { type Scenario, type ScenarioRun, startScenario } from '../support/backup-scenario.ts';
import { type Clients, clientTools } from '../support/clients.ts';
import { expectNoSecret, expectProven, readable } from '../support/expect-run.ts';
import { schemaErrors } from '../support/published-schemas.ts';
import { runTool } from '../support/run-tool.ts';

const OBJECTS = ['RESTORE.md', 'contents.json.age', 'database.backup.age', 'globals.sql.age', 'metadata.json'];
/** Of the shop: none may be read where no key is needed. */
const NAMES = ['customers', 'products', 'order_items', 'reviews', 'order_totals', 'best_sellers', 'order_status'];
const PASSPHRASE = 'six words, a comma: and "quotes"';

async function needs(): Promise<{ clients: Clients; age: AgeCli } | { skipped: string }> {
  const [clients, age] = [await clientTools(17), await stockAge()];
  if ('skipped' in clients) return clients;
  return 'skipped' in age ? age : { clients, age };
}

describeWith(await needs(), 'An encrypted backup', ({ clients, age }) => {
  let scenario: Scenario;
  beforeAll(async () => {
    scenario = await startScenario(clients);
  });
  afterAll(() => scenario?.stop());

  const setOf = (run: ScenarioRun): string => run.outputs['backup-uri'] ?? '';

  async function encrypted(inputs: Record<string, string>): Promise<ScenarioRun> {
    const before = scenario.state();
    const run = await scenario.run({ inputs: { encryption: '', ...inputs } });
    await expectProven(scenario, run, before);
    expect(readdirSync(setOf(run)).sort()).toEqual(OBJECTS);
    return run;
  }

  /** With the stock tool; the archive is listed by the stock pg_restore. */
  async function openWith(run: ScenarioRun, identity: string): Promise<{ contents: unknown; tables: string[] }> {
    const key = path.join(scenario.folder, 'identity.txt');
    await writeFile(key, `${identity}\n`, { mode: 0o600 });
    const open = (name: string) => runTool(age.age, ['-d', '-i', key, path.join(setOf(run), name)]);
    const archive = path.join(scenario.folder, 'database.backup');
    await runTool(age.age, ['-d', '-i', key, '-o', archive, path.join(setOf(run), 'database.backup.age')]);
    const list = await runTool(clients.pgRestore, ['--list', archive]);
    expect(await open('globals.sql.age')).toContain('CREATE ROLE backup;');
    return {
      contents: JSON.parse(await open('contents.json.age')),
      tables: [...list.matchAll(/TABLE DATA \S+ (\S+)/g)].map((match) => match[1] ?? '').sort(),
    };
  }

  test('for two recipients is opened by either of their keys alone', async () => {
    const identities = [await generateIdentity(), await generateIdentity()];
    const recipients = await Promise.all(identities.map(identityToRecipient));
    const run = await encrypted({ 'age-recipients': `# ops and break-glass\n${recipients.join('\n')}` });
    expect(scenario.manifest(run).encryption).toEqual({ method: 'age', recipients });
    for (const identity of identities) {
      const { contents, tables } = await openWith(run, identity);
      expect(schemaErrors('contents', contents)).toEqual([]);
      expect(tables).toEqual(['customers', 'order_items', 'orders', 'products', 'reviews']);
      expectNoSecret(run, [identity]);
    }
    await expect(openWith(run, await generateIdentity())).rejects.toThrow(/age ended with 1/);
    for (const recipient of recipients) expect(readable(run.summary)).toContain(recipient);
  });

  test('shows no name of a table in what needs no key', async () => {
    const recipient = await identityToRecipient(await generateIdentity());
    const run = await encrypted({ 'age-recipients': recipient });
    for (const name of OBJECTS) {
      const text = readFileSync(path.join(setOf(run), name)).toString('latin1');
      for (const table of NAMES) expect(text, `${name} holds ${table}`).not.toContain(table);
    }
    const manifest = scenario.manifest(run);
    expect(schemaErrors('metadata', manifest)).toEqual([]);
    expect(Object.keys(manifest.tableStats.tables)).toHaveLength(5);
    expect(manifest.objects.map(({ name }) => name)).not.toContain('database.backup');
  });

  test('for a post-quantum recipient is opened by its key', async () => {
    const identity = await generateHybridIdentity();
    const recipient = await identityToRecipient(identity);
    const run = await encrypted({ 'age-recipients': recipient });
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    const contents = await decrypter.decrypt(readFileSync(path.join(setOf(run), 'contents.json.age')), 'text');
    expect(schemaErrors('contents', JSON.parse(contents))).toEqual([]);
    expect(readFileSync(path.join(setOf(run), 'RESTORE.md'), 'utf8')).toContain('`age` 1.3.0 or newer');
  });

  test('with a passphrase is opened by it, and the passphrase is nowhere to be read', async () => {
    const run = await encrypted({ 'age-passphrase': `${PASSPHRASE}\n` });
    expect(scenario.manifest(run).encryption).toEqual({ method: 'age-passphrase' });
    const decrypter = new Decrypter();
    decrypter.addPassphrase(PASSPHRASE);
    for (const name of ['contents.json.age', 'globals.sql.age']) {
      expect(await decrypter.decrypt(readFileSync(path.join(setOf(run), name)), 'text')).toMatch(
        /"schemaVersion"|CREATE ROLE/,
      );
    }
    expect(readable(run.summary)).toContain('Encrypted with a passphrase.');
    expect(run.masks).toContain(PASSPHRASE);
    expectNoSecret(run, [PASSPHRASE]);
  });
});
