import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildBundle, differingFiles, foreignModules } from '../support/bundle.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DIST = path.join(ROOT, 'dist');
const PROOF = path.join('proof', 'index.js');
const CACHE = path.join('cache', 'index.js');
const NODE_MAJOR = 24;

describe('dist/', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'dist-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('is byte for byte what the sources build', async () => {
    await buildBundle(folder);
    expect(differingFiles(DIST, folder)).toEqual([]);
  });

  test('that holds one other byte, one file less or one file more would be noticed', () => {
    cpSync(DIST, folder, { recursive: true });
    appendFileSync(path.join(folder, 'index.js'), ' ');
    rmSync(path.join(folder, 'package.json'));
    writeFileSync(path.join(folder, 'more.js'), '');
    expect(differingFiles(DIST, folder)).toEqual(['index.js', 'more.js', 'package.json']);
  });

  test('names no folder of the machine that built it', () => {
    for (const bundle of ['index.js', PROOF, CACHE]) {
      expect(readFileSync(path.join(DIST, bundle), 'utf8')).not.toContain(path.resolve(ROOT));
    }
  });

  test('needs nothing outside of itself but what pg and debug ask for and do without', () => {
    expect(foreignModules(readFileSync(path.join(DIST, 'index.js'), 'utf8'))).toEqual(['pg-native']);
    expect(foreignModules(readFileSync(path.join(DIST, CACHE), 'utf8'))).toEqual(['supports-color']);
  });

  test('holds nothing of others in the bundle of the proof, which has no licences beside it', () => {
    const bundle = readFileSync(path.join(DIST, PROOF), 'utf8');
    expect(foreignModules(bundle)).toEqual([]);
    expect(bundle).not.toContain('node_modules');
    expect(readFileSync(path.join(DIST, 'index.js'), 'utf8')).toContain('node_modules');
  });

  test('a require that the bundler could not resolve would be noticed', () => {
    const bundle = [
      'import { createRequire as x } from "module";',
      'module.exports = x.createRequire(import.meta.url)("node:fs");',
      'module.exports = eval("require")("left-pad");',
      'module.exports = createRequire(import.meta.url)("right-pad");',
      'import * as y from "top-pad";',
    ];
    expect(foreignModules(bundle.join('\n'))).toEqual(['left-pad', 'right-pad', 'top-pad']);
  });

  test('starts on the Node of the runners, away from node_modules, and says what is missing', () => {
    expect(process.versions.node).toMatch(new RegExp(`^${NODE_MAJOR}\\.`));
    cpSync(DIST, folder, { recursive: true });
    const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(folder, 'index.js')], {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: process.env.PATH ?? '', RUNNER_TEMP: folder, INPUT_COMMAND: 'backup' },
    });
    expect(stderr).toBe('');
    expect(stdout).toContain('::error');
    expect(stdout).toContain('database-url');
    expect(status).toBe(1);
  });

  test('is what action.yml starts, on the Node that it was tested with', () => {
    const action = readFileSync(path.join(ROOT, 'action.yml'), 'utf8');
    expect(action).toMatch(new RegExp(`^\\s+using: '?node${NODE_MAJOR}'?$`, 'm'));
    expect(action).toMatch(/^\s+main: '?dist\/index\.js'?$/m);
    expect(action).toMatch(/^\s+post: '?dist\/post\.js'?$/m);
    expect(readFileSync(path.join(ROOT, '.node-version'), 'utf8').trim()).toBe(String(NODE_MAJOR));
  });
});
