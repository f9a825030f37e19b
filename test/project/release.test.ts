/** The parts of a release that are not GitHub's, on a repository of three commits with an origin of its own. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readDocument } from '../support/markdown.ts';

const SCRIPT = fileURLToPath(new URL('../../.ci/release', import.meta.url));
const NODE = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));

describe('.ci/release', () => {
  let folder = '';
  let clone = '';

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'release-'));
    clone = path.join(folder, 'clone');
    git(folder, 'init', '--quiet', '--bare', 'origin');
    git(folder, 'clone', '--quiet', 'origin', 'clone');
    git(clone, 'switch', '--quiet', '--create', 'main');
    for (const name of ['.ci', 'src', 'dist']) mkdirSync(path.join(clone, name));
    copyFileSync(SCRIPT, path.join(clone, '.ci/release'));
    for (const name of ['action.yml', 'LICENSE', 'README.md', 'dist/index.js', 'secret-notes.txt'])
      write(name, `${name}\n`);
    commit('1.2.2');
    commit('1.2.3');
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function git(cwd: string, ...args: string[]): string {
    const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', '-c', 'commit.gpgsign=false'];
    const { status, stdout, stderr } = spawnSync('git', [...identity, ...args], { cwd, encoding: 'utf8' });
    if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
    return stdout.trim();
  }

  function write(name: string, text: string): void {
    writeFileSync(path.join(clone, name), text);
  }

  /** One commit on main, tagged and pushed; `other` says another version in one of the files. */
  function commit(version: string, other: Record<string, string> = {}): void {
    const json = (name: string) =>
      `${JSON.stringify({ name: 'db-backup-action', version: other[name] ?? version }, null, 2)}\n`;
    for (const name of ['package.json', 'package-lock.json']) write(name, json(name));
    write(
      'src/version.ts',
      `/** As package.json. */\nexport const VERSION = '${other['src/version.ts'] ?? version}';\n`,
    );
    git(clone, 'add', '.');
    git(clone, 'commit', '--quiet', '--message', version);
    git(clone, 'tag', `v${version}`);
    git(clone, 'push', '--quiet', 'origin', 'main', `v${version}`);
  }

  function release(...args: string[]) {
    const env = { ...process.env, PATH: `${NODE}:${process.env.PATH}` };
    const { status, stdout, stderr } = spawnSync('bash', ['.ci/release', ...args], {
      cwd: clone,
      encoding: 'utf8',
      env,
    });
    return { status, output: `${stdout}${stderr}` };
  }

  test('takes a tag on main that all versions agree with', () => {
    expect(release('check', 'v1.2.3')).toEqual({
      status: 0,
      output: `v1.2.3 is ${git(clone, 'rev-parse', 'v1.2.3')}.\n`,
    });
  });

  test.each(['package.json', 'package-lock.json', 'src/version.ts'])(
    'refuses a tag of which %s has another version',
    (file) => {
      commit('1.3.0', { [file]: '1.2.9' });
      const { status, output } = release('check', 'v1.3.0');
      expect(status).toBe(1);
      expect(output).toContain(`${file} of v1.3.0 says 1.2.9`);
    },
  );

  test('looks at the tag, and not at what lies in the folder', () => {
    write('src/version.ts', 'nothing');
    expect(release('check', 'v1.2.3').status).toBe(0);
  });

  test('refuses a tag that is not on main', () => {
    git(clone, 'switch', '--quiet', '--create', 'aside');
    git(clone, 'commit', '--quiet', '--allow-empty', '--message', 'aside');
    git(clone, 'tag', '--force', 'v1.2.3');
    expect(release('check', 'v1.2.3')).toMatchObject({ status: 1, output: expect.stringContaining('is not on main') });
  });

  test.each(['1.2.3', 'v1.2', 'v1.2.3-rc.1', 'v01.2.3', 'v1.2.3;id', ''])('refuses %j, which is no version', (tag) => {
    for (const part of ['check', 'pack', 'move-major']) {
      expect(release(part, tag, 'out')).toMatchObject({
        status: 1,
        output: expect.stringContaining('is not a version'),
      });
    }
  });

  test('refuses a tag that is not there', () => {
    expect(release('check', 'v9.9.9')).toMatchObject({
      status: 1,
      output: expect.stringContaining('git fetch --tags'),
    });
  });

  test('packs what a runner needs and nothing else, the same bytes every time', () => {
    expect(release('pack', 'v1.2.3', 'one').status).toBe(0);
    expect(release('pack', 'v1.2.3', 'two').status).toBe(0);
    const archive = (name: string) => readFileSync(path.join(clone, name, 'db-backup-action-1.2.3.tar.gz'));
    expect(archive('one').equals(archive('two'))).toBe(true);
    const names = spawnSync('tar', ['-tzf', '-'], { input: archive('one'), encoding: 'utf8' })
      .stdout.trim()
      .split('\n');
    const files = names
      .filter((name) => !name.endsWith('/'))
      .map((name) => name.replace('db-backup-action-1.2.3/', ''));
    expect(files.toSorted()).toEqual(['LICENSE', 'README.md', 'action.yml', 'dist/index.js']);
    const check = spawnSync('sha256sum', ['--check', 'SHA256SUMS'], { cwd: path.join(clone, 'one'), encoding: 'utf8' });
    expect(check).toMatchObject({ status: 0, stdout: 'db-backup-action-1.2.3.tar.gz: OK\n' });
  });

  test('moves the tag of the major version, whether it is there or not, and no other', () => {
    commit('2.0.0');
    expect(release('move-major', 'v1.2.3').output).toContain('v1 is v1.2.3 now.');
    commit('1.2.10');
    expect(release('move-major', 'v1.2.10').status).toBe(0);
    const origin = path.join(folder, 'origin');
    expect(git(origin, 'rev-parse', 'v1')).toBe(git(clone, 'rev-parse', 'v1.2.10'));
    expect(git(origin, 'tag', '--list')).not.toMatch(/^v2$/m);
  });

  test('never moves it back', () => {
    expect(release('move-major', 'v1.2.2')).toMatchObject({
      status: 1,
      output: expect.stringContaining('v1.2.3 is newer'),
    });
    expect(git(path.join(folder, 'origin'), 'tag', '--list')).not.toMatch(/^v1$/m);
  });

  test('says what to type when it is asked for nothing', () => {
    expect(release()).toMatchObject({ status: 1, output: expect.stringContaining('.ci/release check TAG') });
  });
});

describe('release.yml and docs/releasing.md', () => {
  test('use only parts that .ci/release has, and the workflow all of them', () => {
    const parts = (name: string) =>
      new Set([...readDocument(name).matchAll(/bash \.ci\/release ([a-z-]+)/g)].map((match) => match[1]));
    const known = new Set([...readDocument('.ci/release').matchAll(/^ {2}([a-z-]+)\) /gm)].map((match) => match[1]));
    expect(parts('.github/workflows/release.yml')).toEqual(known);
    for (const part of parts('docs/releasing.md')) expect(known).toContain(part);
  });
});
