import { EventEmitter } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { secretsIn } from '../../src/inputs/secrets.ts';
import { watchForCancellation } from '../../src/runner/cancellation.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { type Console, RunLog, runnerConsole } from '../../src/runner/log.ts';
import { makeWorkDir, planWorkDir, removeWorkDir } from '../../src/runner/work-dir.ts';

/** Writes down what would be printed. */
class Paper implements Console {
  readonly lines: string[] = [];
  readonly masks: string[] = [];
  line = (text: string): void => void this.lines.push(text);
  progress = (text: string): void => void this.lines.push(`progress ${text}`);
  annotation = (kind: string, text: string, title?: string): void =>
    void this.lines.push(`${kind} [${title ?? ''}] ${text}`);
  debug = (text: string): void => void this.lines.push(`debug ${text}`);
  startGroup = (title: string): void => void this.lines.push(`group ${title}`);
  endGroup = (): void => void this.lines.push('endgroup');
  addMask = (text: string): void => void this.masks.push(text);
}

function logOnPaper(): { log: RunLog; paper: Paper } {
  const paper = new Paper();
  return { log: new RunLog(paper), paper };
}

describe('progress', () => {
  test('stays on one line in a terminal and is a line of its own elsewhere', () => {
    const terminal = new PassThrough();
    const console = runnerConsole(false, Object.assign(terminal, { isTTY: true }) as unknown as NodeJS.WriteStream);
    console.progress('1 of 5 tables');
    console.progress('2 of 5 tables');
    expect(terminal.read().toString()).toBe('\x1b[2K1 of 5 tables\r\x1b[2K2 of 5 tables\r');
  });

  test('is masked and cannot become a workflow command', () => {
    const { log, paper } = logOnPaper();
    log.mask('s3cr3t-word');
    log.progress('::set-output name=x::s3cr3t-word\nmore');
    expect(paper.lines).toEqual(['progress :\u200B:set-output name=x::*** more']);
  });
});

describe('the log', () => {
  test('prints no registered secret by any way, in any form', async () => {
    const { log, paper } = logOnPaper();
    log.mask('s3cr3t/w+rd');
    const forms = ['s3cr3t/w+rd', 's3cr3t%2Fw%2Brd', 's3cr3t%2fw%2brd', Buffer.from('s3cr3t/w+rd').toString('base64')];
    for (const form of forms) {
      log.info(`a ${form}`);
      log.notice(`b ${form}`);
      log.warning(`c ${form}`);
      log.error(`d ${form}`);
      log.debug(`e ${form}`);
      log.annotate('error', `f ${form}`, `g ${form}`);
      await log.group(`h ${form}`, async () => undefined);
      expect(log.redact(form)).toBe('***');
    }
    expect(paper.lines.join('\n')).not.toMatch(/s3cr3t|czNjcjN0/);
    expect(paper.lines[0]).toBe('a ***');
    expect(paper.masks).toEqual(expect.arrayContaining(forms));
  });

  test('would print what was never registered', () => {
    const { log, paper } = logOnPaper();
    log.info('s3cr3t/w+rd');
    expect(paper.lines).toEqual(['s3cr3t/w+rd']);
  });

  test('does not let text from outside become a command of the runner', () => {
    const { log, paper } = logOnPaper();
    log.info('harmless\n::set-output name=x::y\r  ::stop-commands::z\n##[add-mask]a');
    expect(paper.lines).toHaveLength(4);
    for (const line of paper.lines) expect(line).not.toMatch(/^\s*::|##\[/);
  });

  test('cuts an annotation to the length that the runner shows', () => {
    const { log, paper } = logOnPaper();
    log.annotate('error', 'x'.repeat(5000), 'long');
    expect(paper.lines[0]?.length).toBeLessThanOrEqual(4096 + 'error [long] '.length);
    expect(paper.lines[0]).toContain('the job summary has more');
  });

  test('ends a group whose body fails, and gives its error on', async () => {
    const { log, paper } = logOnPaper();
    await expect(log.group('Dump', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(paper.lines).toEqual(['group Dump', 'endgroup']);
  });
});

describe('secrets of a step', () => {
  test('are all found: connection, passwords, keys, and what was pasted into the wrong input', () => {
    const secrets = secretsIn({
      'INPUT_DATABASE-URL': 'postgresql://keeper:p%40ssw0rd-1@db.example.com/shop',
      'INPUT_AGE-PASSPHRASE': 'correct horse battery\n',
      'INPUT_AGE-RECIPIENTS': 'AGE-SECRET-KEY-1QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L',
      INPUT_STORAGE: 'https://user:storage-word@host/bucket',
      PGPASSWORD: 'pg-word-2',
      AWS_SECRET_ACCESS_KEY: 'aws-word-3',
      AWS_SESSION_TOKEN: 'aws-word-4',
      R2_SECRET_ACCESS_KEY: 'r2-word-5',
      AWS_ACCESS_KEY_ID: 'AKIAPUBLIC',
    });
    const expected = ['p%40ssw0rd-1', 'p@ssw0rd-1', 'correct horse battery', 'storage-word', 'pg-word-2', 'aws-word-3'];
    expect(secrets).toEqual(expect.arrayContaining([...expected, 'aws-word-4', 'r2-word-5']));
    expect(secrets.join('\n')).toMatch(/AGE-SECRET-KEY-1QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L/);
    expect(secrets).not.toContain('AKIAPUBLIC');
  });

  test('are found in a connection string that cannot be read', () => {
    expect(secretsIn({ 'INPUT_DATABASE-URL': 'mysql://keeper:wr0ng-kind@host/shop' })).toContain('wr0ng-kind');
  });

  test('do not blank the name of the database because the password is the same word', () => {
    const secrets = secretsIn({
      'INPUT_DATABASE-URL': 'postgresql://shop:shop@db.example.com/shop',
      PGPASSWORD: 'shop',
    });
    expect(secrets).not.toContain('shop');
    expect(secrets).toContain('postgresql://shop:shop@db.example.com/shop');
  });
});

describe('a cancellation', () => {
  test.each(['SIGINT', 'SIGTERM'])('by %s aborts with words', (name) => {
    const source = new EventEmitter();
    const cancellation = watchForCancellation(source);
    source.emit(name, name);
    expect(cancellation.signal.reason).toMatchObject({
      code: 'ERR_CANCELLED',
      message: `The run was cancelled (${name})`,
    });
    expect(cancellation.defect()).toBeUndefined();
  });

  test.each(['uncaughtException', 'unhandledRejection', 'beforeExit'])('by %s is a defect', (event) => {
    const source = new EventEmitter();
    const cancellation = watchForCancellation(source);
    source.emit(event, new TypeError('x is not a function'));
    expect(cancellation.signal.reason).toBe(cancellation.defect());
    expect(cancellation.defect()).toMatchObject({ code: 'ERR_INTERNAL' });
  });

  test('is not heard any more after the run', () => {
    const source = new EventEmitter();
    const cancellation = watchForCancellation(source);
    cancellation.close();
    expect(source.eventNames()).toEqual([]);
    expect(cancellation.signal.aborted).toBe(false);
  });

  test('ends a wait of the clock with its own reason', async () => {
    const reason = new Error('enough');
    await expect(systemClock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
    await expect(systemClock.sleep(1)).resolves.toBeUndefined();
  });
});

describe('the work folder', () => {
  test('is private, and gone after its removal however often it is asked for', async () => {
    const temp = mkdtempSync(path.join(os.tmpdir(), 'work-'));
    try {
      const workDir = planWorkDir(path.join(temp, 'not', 'there'));
      await makeWorkDir(workDir);
      expect(statSync(workDir).mode & 0o777).toBe(0o700);
      await removeWorkDir(workDir);
      await removeWorkDir(workDir);
      expect(existsSync(workDir)).toBe(false);
    } finally {
      rmSync(temp, { recursive: true, force: true });
    }
  });

  test.each(['/', '/home/keeper', 'db-backup-action-1', '/tmp/db-backup-action-1/..'])(
    'is never %s',
    async (folder) => {
      await expect(removeWorkDir(folder)).rejects.toThrow('is not a work folder');
    },
  );
});
