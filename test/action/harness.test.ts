import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { withTables } from '../../docs/generate.ts';
import { runAction } from '../support/run-action.ts';
import { parseCommand, parseFileCommand, parseOutput } from '../support/workflow-commands.ts';

const ENTRY = fileURLToPath(new URL('../support/action-under-test/scripted.ts', import.meta.url));
const POST_ENTRY = fileURLToPath(new URL('../support/action-under-test/post.ts', import.meta.url));
const INPUTS = {
  'database-url': 'postgresql://keeper:s3cr3t-word@db.example.com/shop',
  storage: 's3://acme-backups/postgres',
  encryption: 'none',
};

function play(script: string, more: Parameters<typeof runAction>[0] = {}) {
  return runAction({
    entry: ENTRY,
    postEntry: POST_ENTRY,
    inputs: INPUTS,
    ...more,
    env: { SCRIPT: script, ...more?.env },
  });
}

describe('a run as the runner starts it', () => {
  test('that succeeds ends with 0, outputs, a summary and nothing left behind', async () => {
    const run = await play('succeed');
    expect(run).toMatchObject({ exitCode: 0, stderr: '', filesLeftBehind: [], exported: { env: {}, path: [] } });
    expect(run.post).toMatchObject({ exitCode: 0, annotations: [] });
    expect(run.outputs).toMatchObject({
      verdict: 'proven',
      rows: '20500',
      'restore-command': 'age -d\npg_restore # ***',
    });
    expect(run.outputs).not.toHaveProperty('forged');
    expect(run.commands.map(({ name }) => name)).not.toContain('set-output');
    expect(run.annotations).toEqual([{ kind: 'warning', title: 'size-changed', message: 'It shrank.\nLook.' }]);
    expect(run.groups).toEqual(['Dump']);
    expect(run.maskedLog).toContain('reading shop with ***');
    expect(run.summary).toMatch(/^## ✅ Proven backup/);
    expect(Object.keys(run.state)).toEqual(['news', 'workDir', 'reported']);
  });

  test('masks every form of the secrets before it prints anything else, and prints none of them', async () => {
    const run = await play('succeed');
    const first = run.commands.findIndex(({ name }) => name !== 'add-mask');
    expect(run.commands.slice(0, first).length).toBeGreaterThan(2);
    expect(run.masks).toEqual(expect.arrayContaining([INPUTS['database-url'], 's3cr3t-word']));
    expect(run.stdout.replaceAll(/^::add-mask::.*$/gm, '') + run.summary + JSON.stringify(run.outputs)).not.toMatch(
      /s3cr3t/,
    );
  });

  test('that is stored but not proven sets its outputs and is red', async () => {
    const run = await play('unproven');
    expect(run).toMatchObject({ exitCode: 1, outputs: { verdict: 'unproven' }, filesLeftBehind: [] });
    expect(run.annotations.at(-1)?.title).toContain('ERR_NOT_PROVEN');
    expect(run.summary).toMatch(/^## ❌ Unproven backup/);
    expect(run.summary).not.toMatch(/s3cr3t/);
  });

  test('that fails says what happened, what is safe and what to do', async () => {
    const run = await play('fail');
    expect(run).toMatchObject({ exitCode: 1, outputs: {}, filesLeftBehind: [] });
    expect(run.annotations.map(({ kind }) => kind)).toEqual(['warning', 'error']);
    expect(run.annotations[1]).toMatchObject({ title: 'The backup of "shop" failed (ERR_DUMP_FAILED)' });
    expect(run.annotations[1]?.message).toContain('Because: password authentication failed for ***');
    expect(run.summary).toContain('Nothing of this backup became visible');
    expect(run.summary).toContain('size-changed');
    expect(run.stdout.replaceAll(/^::add-mask::.*$/gm, '') + run.summary).not.toMatch(/s3cr3t/);
  });

  test('with wrong inputs is told all of them, and its post step is one', async () => {
    const run = await play('succeed', { inputs: { 'database-url': '', bucket: 'x' } });
    expect(run).toMatchObject({ exitCode: 1, outputs: {}, filesLeftBehind: [], state: { reported: 'true' } });
    expect(run.annotations).toHaveLength(1);
    expect(run.annotations[0]?.title).toContain('ERR_INPUT');
    for (const name of ['database-url', 'storage', 'bucket'])
      expect(run.annotations[0]?.message).toContain(`- ${name}: `);
    expect(run.summary).toContain('3 inputs are wrong');
    expect(run.post).toMatchObject({ exitCode: 0, annotations: [] });
  });

  test('with a URL that cannot be read masks it all the same', async () => {
    const run = await play('succeed', { inputs: { ...INPUTS, 'database-url': 'mysql://keeper:wr0ng-kind@host/shop' } });
    expect(run.masks).toContain('wr0ng-kind');
    expect(run.annotations[0]?.message).toContain('MySQL');
  });

  test('prints no mask where no runner would take it away', async () => {
    const run = await play('succeed', { env: { GITHUB_ACTIONS: '' } });
    expect(run.exitCode).toBe(0);
    expect(run.stdout + run.summary).not.toMatch(/s3cr3t|add-mask/);
  });
});

describe('a run that is disturbed', () => {
  test('by a cancellation says so and cleans up', async () => {
    const run = await play('wait', { onLine: (line, action) => line === 'waiting' && action.cancel() });
    expect(run).toMatchObject({ exitCode: 1, signal: null, filesLeftBehind: [] });
    expect(run.annotations[0]?.title).toContain('ERR_CANCELLED');
    expect(run.seconds).toBeLessThan(7);
  });

  test('by an error that nobody caught ends, and tells it without secrets', async () => {
    const run = await play('crash');
    expect(run).toMatchObject({ exitCode: 1, stderr: '', filesLeftBehind: [] });
    expect(run.annotations[0]?.message).toContain('TypeError: *** is not a function');
    expect(run.seconds).toBeLessThan(10);
  });

  test('by having nothing left to wait for is red', async () => {
    const run = await play('stop');
    expect(run).toMatchObject({ exitCode: 1, filesLeftBehind: [] });
    expect(run.annotations[0]?.message).toContain('nothing left to wait for');
  });

  test('by its sudden death is cleaned up by the post step', async () => {
    const run = await play('die');
    expect(run).toMatchObject({ exitCode: null, signal: 'SIGKILL', filesLeftBehind: [], post: { exitCode: 0 } });
    const unposted = await play('die', { post: false });
    expect(unposted.filesLeftBehind).toHaveLength(2);
    expect(unposted.filesLeftBehind[1]).toMatch(/^db-backup-action-[\w-]+\/pgpass$/);
  });

  test('by nothing, but too slow, is ended with what it printed', async () => {
    await expect(play('wait', { timeoutMs: 2_000 })).rejects.toThrow(/did not end within 2000 ms.*waiting/s);
  });
});

describe('the harness reads what the runner reads:', () => {
  test('commands with properties and escapes, and lines that are none', () => {
    expect(parseCommand('::error title=a%3Ab%2Cc,file=x::one%0Atwo%25')).toEqual({
      name: 'error',
      properties: { title: 'a:b,c', file: 'x' },
      message: 'one\ntwo%',
    });
    expect(parseCommand('  ::group::Dump')?.message).toBe('Dump');
    expect(parseCommand('see ::error::')).toBeUndefined();
    expect(parseCommand('\u200B::error::x')).toBeUndefined();
  });

  test('masks from the line on that asks for them, each line of a secret by itself', () => {
    const { maskedLog, annotations } = parseOutput('a one\n::add-mask::one%0A two \na one\n::error::b two\n');
    expect(maskedLog.split('\n')).toEqual(['a one', 'a ***', '##[error]b ***']);
    expect(annotations).toEqual([{ kind: 'error', title: '', message: 'b ***' }]);
  });

  test('file commands in both notations', () => {
    expect(parseFileCommand('a=1=2\nb<<END\nx\n\ny\nEND\nc=\n')).toEqual({ a: '1=2', b: 'x\n\ny', c: '' });
    expect(() => parseFileCommand('b<<END\nx\n')).toThrow('not ended');
  });
});

describe('docs/generate.ts --check', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));

  test('finds action.yml and the README to be what the sources say', () => {
    execFileSync(process.execPath, ['docs/generate.ts', '--check'], { cwd: root, stdio: 'pipe' });
  });

  test('would find one that is not', () => {
    expect(() => withTables('no markers')).toThrow('has no <!-- inputs:start -->');
    const old = '<!-- inputs:start -->\nold\n<!-- inputs:end -->\n<!-- outputs:start -->\n<!-- outputs:end -->\n';
    expect(withTables(old)).not.toBe(old);
    expect(withTables(withTables(old))).toBe(withTables(old));
  });
});
