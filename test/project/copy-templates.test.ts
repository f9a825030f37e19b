/** .github/copy-templates.sh: what an organisation gets. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const GITHUB = fileURLToPath(new URL('../../.github', import.meta.url));
const TEMPLATES = path.join(GITHUB, 'workflow-templates');
const NAMES = readdirSync(TEMPLATES).toSorted();

describe('.github/copy-templates.sh', () => {
  let clone = '';

  beforeEach(() => {
    clone = mkdtempSync(path.join(os.tmpdir(), 'dot-github-'));
    spawnSync('git', ['init', '--quiet'], { cwd: clone });
  });

  afterEach(() => rmSync(clone, { recursive: true, force: true }));

  function copy(...args: string[]) {
    const { status, stderr } = spawnSync('bash', [path.join(GITHUB, 'copy-templates.sh'), ...args], {
      encoding: 'utf8',
    });
    return { status, stderr };
  }

  const copied = (name: string) => readFileSync(path.join(clone, 'workflow-templates', name), 'utf8');
  const original = (name: string) => readFileSync(path.join(TEMPLATES, name), 'utf8');

  test('copies every template and its properties as they are', () => {
    expect(copy(clone)).toEqual({ status: 0, stderr: '' });
    expect(readdirSync(path.join(clone, 'workflow-templates')).toSorted()).toEqual(NAMES);
    for (const name of NAMES) expect(copied(name), name).toBe(original(name));
  });

  test.each(['acme/backups@v1', 'acme/db-backup-action@0123456789abcdef0123456789abcdef01234567 # v1.0.0'])(
    'names the action as %s wherever it is named, and changes nothing else',
    (action) => {
      expect(copy(clone, action).status).toBe(0);
      for (const name of NAMES) {
        const repository = action.split('@')[0] ?? '';
        const expected = original(name)
          .replaceAll('org/db-backup-action@v1', action)
          .replaceAll('of org/db-backup-action.', `of ${repository}.`);
        expect(copied(name), name).toBe(expected);
        expect(copied(name), name).not.toContain('org/db-backup-action');
      }
    },
  );

  test('copies over what was committed, and nothing over what was not', () => {
    expect(copy(clone).status).toBe(0);
    expect(copy(clone)).toMatchObject({ status: 1, stderr: expect.stringContaining('not committed') });
    const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', '-c', 'commit.gpgsign=false'];
    spawnSync('git', ['add', '.'], { cwd: clone });
    spawnSync('git', [...identity, 'commit', '--quiet', '--message', 'templates'], { cwd: clone });
    expect(copy(clone, 'acme/backups@v1').status).toBe(0);
    expect(copied('restore.yml')).toContain('uses: acme/backups@v1\n');
    writeFileSync(path.join(clone, 'workflow-templates/restore.yml'), 'ours');
    expect(copy(clone).status).toBe(1);
    expect(copied('restore.yml')).toBe('ours');
  });

  test.each(['acme', 'acme/backups', 'acme/backups@v1 && id', 'acme/backups@v1|e id'])(
    'refuses %j as a name of the action',
    (action) => {
      expect(copy(clone, action)).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('is not owner/repository@version'),
      });
      expect(existsSync(path.join(clone, 'workflow-templates'))).toBe(false);
    },
  );

  test('refuses a folder that is no clone, and says what to type without one', () => {
    rmSync(path.join(clone, '.git'), { recursive: true });
    expect(copy(clone)).toMatchObject({ status: 1, stderr: expect.stringContaining('is not a clone') });
    expect(copy()).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Type: bash .github/copy-templates.sh'),
    });
  });
});
