/** The commands of docs/recipients.md, as they stand there, on a backup that was taken for a key made by them. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type AgeCli, stockAge } from '../support/age-cli.ts';
import { describeWith, programAvailable } from '../support/availability.ts';
import { type Scenario, startScenario } from '../support/backup-scenario.ts';
import { type Clients, clientTools } from '../support/clients.ts';
import { expectProven } from '../support/expect-run.ts';
import { fences, readDocument, section } from '../support/markdown.ts';

const document = readDocument('docs/recipients.md');
const [MAKE = ''] = fences(section(document, 'Make a key'), 'sh');
const [TRY = ''] = fences(section(document, 'Try the identities, twice a year'), 'sh');
const [ENCRYPT_ANEW = ''] = fences(section(document, 'Encrypt older backups anew'), 'sh');

async function needs(): Promise<{ clients: Clients; age: AgeCli } | { skipped: string }> {
  const jq = programAvailable('jq', ['--version'], 'apt-get install jq');
  const [clients, age] = [await clientTools(17), await stockAge()];
  if (jq !== true) return jq;
  if ('skipped' in clients) return clients;
  return 'skipped' in age ? age : { clients, age };
}

describeWith(await needs(), 'The commands of docs/recipients.md', ({ clients, age }) => {
  let scenario: Scenario;
  let set: string;
  let folder: string;

  function sh(script: string, cwd: string, env: Record<string, string> = {}) {
    const PATH = path.isAbsolute(age.age) ? `${path.dirname(age.age)}:${process.env.PATH}` : `${process.env.PATH}`;
    const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', script], {
      cwd,
      encoding: 'utf8',
      env: { PATH, ...env },
    });
    return { status, stdout, stderr };
  }

  function recipientOf(cwd: string, file: string): string {
    return sh(`age-keygen -y ${file}`, cwd).stdout.trim();
  }

  beforeAll(async () => {
    scenario = await startScenario(clients);
    const made = sh(MAKE, scenario.folder);
    expect(made.status, made.stderr).toBe(0);
    const recipient = made.stdout.trim();
    expect(recipient).toMatch(/^age1\w+$/);
    const run = await scenario.run({ inputs: { encryption: '', 'age-recipients': recipient } });
    await expectProven(scenario, run, new Map());
    set = run.outputs['backup-uri'] ?? '';
  });
  afterAll(() => scenario?.stop());
  beforeEach(() => {
    folder = mkdtempSync(path.join(scenario.folder, 'anew-'));
    cpSync(set, path.join(folder, 'old'), { recursive: true });
    cpSync(path.join(scenario.folder, 'backup-key.txt'), path.join(folder, 'old-key.txt'));
    expect(sh('age-keygen -o new-key.txt', folder).status).toBe(0);
    return () => rmSync(folder, { recursive: true, force: true });
  });

  const anew = () => sh(ENCRYPT_ANEW, folder, { NEW_RECIPIENT: recipientOf(folder, 'new-key.txt') });

  test('an identity is one line of as many characters as the document says', () => {
    const key = readFileSync(path.join(scenario.folder, 'backup-key.txt'), 'utf8').trim().split('\n').at(-1);
    expect(document.replaceAll(/\s+/g, ' ')).toContain(`one line of ${key?.length} characters`);
  });

  test('an identity is tried on the contents of a set, and a wrong one is told', () => {
    cpSync(path.join(folder, 'old-key.txt'), path.join(folder, 'old/backup-key.txt'));
    expect(sh(TRY, path.join(folder, 'old')).stdout).toBe(`"${path.basename(set)}"\n`);
    cpSync(path.join(folder, 'new-key.txt'), path.join(folder, 'old/backup-key.txt'));
    expect(sh(TRY, path.join(folder, 'old')).status).not.toBe(0);
  });

  test('a set that was encrypted anew opens with the new key alone, and its content is shown to be the same', () => {
    const { status, stdout, stderr } = anew();
    expect(status, stderr).toBe(0);
    expect(stdout).toContain('database.backup.age: the content is what was backed up');
    expect(stdout).toContain('globals.sql.age: the content is what was backed up');
    expect(sh('cd new && sha256sum -c SHA256SUMS', folder).status).toBe(0);
    expect(sh('age -d -i old-key.txt new/contents.json.age', folder).status).not.toBe(0);
    const list = sh(`age -d -i new-key.txt new/database.backup.age | '${clients.pgRestore}' --list`, folder);
    expect(list.stdout).toContain('TABLE DATA public orders');
  });

  test('a set that was cut short is not encrypted anew as if it were whole', () => {
    truncateSync(path.join(folder, 'old/database.backup.age'), 3_000);
    const { status, stdout } = anew();
    expect(status).not.toBe(0);
    expect(stdout).not.toContain('database.backup.age: the content');
  });

  test('a set whose archive is another than its contents.json says is noticed', () => {
    const other = `echo other | age -r ${recipientOf(folder, 'old-key.txt')} -o old/database.backup.age`;
    expect(sh(`rm old/database.backup.age; ${other}`, folder).status).toBe(0);
    const { status, stderr } = anew();
    expect(status).not.toBe(0);
    expect(stderr).toContain('database.backup.age differs');
  });
});
