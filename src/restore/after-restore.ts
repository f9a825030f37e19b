/** What a user has done to a copy once it is proven: SQL in one transaction, and a command with its address. */
import { readFile } from 'node:fs/promises';
import type pg from 'pg';
import { type ConnectionRequest, connectionUri, secretForms } from '../domain/connection.ts';
import { BackupError, messageOf } from '../domain/errors.ts';
import { controlsTransaction, sqlStatements } from '../domain/sql/statements.ts';
import { lineOf } from '../domain/sql/tokens.ts';
import type { TextOrFile } from '../inputs/types.ts';
import type { Log } from '../ports.ts';
import { runScript, type ScriptFailure } from '../postgres/script.ts';
import { serverWords } from '../postgres/server-words.ts';
import { endedBy } from '../postgres/session.ts';
import { type ProcessEnd, startProcess } from '../runner/process.ts';

const SQL_OP = 'run after-restore-sql';
const COMMAND_OP = 'run after-restore-command';
const LINES_TOLD = 10;
const LINE_CHARACTERS = 300;
/** Not inherited: inputs and state of the action, the source's address, tokens that are the action's own. */
const OWN_VARIABLES =
  /^(INPUT_|STATE_|PG[A-Z]|GITHUB_STATE$|ACTIONS_RUNTIME_TOKEN$|ACTIONS_ID_TOKEN_REQUEST_TOKEN$|[A-Z0-9_]*_(SECRET_ACCESS_KEY|SESSION_TOKEN)$)/;

export interface AfterRestoreSql {
  client: pg.Client;
  source: TextOrFile;
  signal: AbortSignal;
}

/**
 * The text that will be run: of a file its content. Reads it before anything is restored, so that a wrong one is
 * found early.
 * @throws BackupError `ERR_AFTER_RESTORE` when it cannot be read, or would begin or end a transaction itself
 */
export async function readAfterRestoreSql(source: TextOrFile): Promise<string> {
  const text = 'text' in source ? source.text : await readScript(source.file);
  const { statements, unclosed } = sqlStatements(text);
  if (unclosed !== undefined) throw refused(`${unclosed.what} that begins in line ${unclosed.line} is never closed`);
  const control = statements.find(controlsTransaction);
  if (control !== undefined) {
    const word = control.tokens[0]?.text.toUpperCase();
    throw refused(
      `line ${control.line} holds ${word}, but all of it runs in one transaction that the action begins and ends`,
    );
  }
  const command = /^[^\S\r\n]*\\/m.exec(text);
  const isCode =
    command !== null &&
    statements.some(({ tokens }) => tokens.some(({ at }) => at === command.index + command[0].length - 1));
  if (isCode) throw refused(`line ${lineOf(text, command.index)} holds a command of psql, which only psql understands`);
  return text;
}

/**
 * Runs it in one transaction and commits. Nothing of it stays when any statement fails.
 * @throws BackupError `ERR_AFTER_RESTORE` with the statement's number and line
 */
export async function runAfterRestoreSql({ client, source, signal }: AfterRestoreSql): Promise<void> {
  const text = await readAfterRestoreSql(source);
  const failure = await endedBy(client, signal, () => runScript(client, text));
  signal.throwIfAborted();
  if (failure !== undefined) throw scriptError(text, failure);
}

async function readScript(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).replace(/^\uFEFF/, '');
  } catch (cause) {
    throw new BackupError('ERR_AFTER_RESTORE', `The file of after-restore-sql cannot be read: ${messageOf(cause)}`, {
      op: SQL_OP,
      hint: 'Check the path; it counts from the workspace, and the job must have checked the repository out before.',
      cause,
    });
  }
}

function refused(why: string): BackupError {
  return new BackupError('ERR_AFTER_RESTORE', `after-restore-sql is not run: ${why}`, {
    op: SQL_OP,
    hint: 'Correct `after-restore-sql`. Nothing of it was run.',
  });
}

function scriptError(text: string, failure: ScriptFailure): BackupError {
  const { error, state } = failure;
  if (state === 'escaped') {
    return new BackupError('ERR_AFTER_RESTORE', 'after-restore-sql ended the transaction that it runs in', {
      op: SQL_OP,
      hint: 'Drop the copy: a part of the script may be committed in it, and a part may not. Take what ends transactions out of it.',
    });
  }
  const hint =
    state === 'rolled-back'
      ? 'Nothing of the script was kept. Correct it, then run this again.'
      : 'The session was lost while the server committed: look whether the script was kept, or drop the copy and run this again.';
  const message = `after-restore-sql failed ${whereFailed(text, failure)}: ${serverWords(error)}`;
  return new BackupError('ERR_AFTER_RESTORE', message, { op: SQL_OP, hint, cause: error });
}

/** `in statement 3 of 5 (line 12)`; a deferred constraint fails at the end of the transaction. */
function whereFailed(text: string, { done, position }: ScriptFailure): string {
  const { statements } = sqlStatements(text);
  if (done >= statements.length) return 'when it was committed';
  // The server counts characters, a string of JavaScript has two units for some.
  const before = Array.from(text).slice(0, (position ?? 1) - 1);
  const line = position === undefined ? statements[done]?.line : lineOf(text, before.join('').length);
  return `in statement ${done + 1} of ${statements.length}${line === undefined ? '' : ` (line ${line})`}`;
}

export interface AfterRestoreCommand {
  /** For a shell, as the user wrote it. */
  command: string;
  /** To the copy; its one host with the password. */
  connection: ConnectionRequest;
  /** Of this process, to be handed on but for what is the action's own. */
  env: Readonly<Record<string, string | undefined>>;
  /** Secrets of this run, as `secretsIn` gives them: variables that are one of them are not handed on. */
  secrets: readonly string[];
  log: Log;
  /** Of the deadline and of cancelling: ends the command and all that it started. */
  signal: AbortSignal;
}

/**
 * Runs the command in the folder of this process, by bash where there is one (`-eo pipefail`), else by sh (`-e`), with
 * the address of the copy as `DATABASE_URL`. What it prints goes to the log.
 * @throws BackupError `ERR_AFTER_RESTORE` with its exit code and its last lines; or the signal's reason
 */
export async function runAfterRestoreCommand(parts: AfterRestoreCommand): Promise<void> {
  const { command, connection, log, signal } = parts;
  const uri = connectionUri(connection);
  for (const form of [uri, ...secretForms(uri), ...secretForms(connection)]) log.mask(form);
  const env = { ...inherited(parts.env, parts.secrets), DATABASE_URL: uri };
  const last = new LastLines(log);
  const end = await runShell(command, env, last, signal);
  signal.throwIfAborted();
  if (end.code === 0) return;
  const how = end.signal === null ? `exit code ${end.code}` : `the signal ${end.signal}`;
  const said = last.text === '' ? '' : `. Its last lines:\n${last.text}`;
  throw new BackupError('ERR_AFTER_RESTORE', `after-restore-command ended with ${how}${said}`, {
    op: COMMAND_OP,
    hint: 'Read what it printed, above in the log. The copy itself was restored and proven before it ran.',
  });
}

async function runShell(
  command: string,
  env: Record<string, string>,
  last: LastLines,
  signal: AbortSignal,
): Promise<ProcessEnd> {
  const shells = [
    ['bash', '--noprofile', '--norc', '-eo', 'pipefail', '-c', command],
    ['sh', '-e', '-c', command],
  ] as const;
  for (const [file, ...args] of shells) {
    const child = startProcess(file, args, {
      env,
      signal,
      stdout: 'pipe',
      ownGroup: true,
      onStderrLine: (line) => last.add(line),
    });
    readLines(child.stdout, (line) => last.add(line));
    try {
      return await child.ended;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || file === 'sh') throw noShell(error);
    }
  }
  throw noShell(undefined);
}

function noShell(cause: unknown): BackupError {
  return new BackupError('ERR_AFTER_RESTORE', `after-restore-command could not be started: ${messageOf(cause)}`, {
    op: COMMAND_OP,
    hint: 'It needs bash or sh in PATH. The copy itself was restored and proven.',
    cause,
  });
}

/** A line that never ends is cut into pieces. */
function readLines(stream: NodeJS.ReadableStream | null, onLine: (line: string) => void): void {
  let partial = '';
  stream?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (partial + text).split('\n');
    partial = lines.pop() ?? '';
    for (const line of lines) onLine(line);
    if (partial.length < 64 * 1024) return;
    onLine(partial);
    partial = '';
  });
  stream?.on('end', () => {
    if (partial !== '') onLine(partial);
  });
}

class LastLines {
  readonly #log: Log;
  readonly #lines: string[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  add(line: string): void {
    this.#log.info(line);
    if (line.trim() === '') return;
    this.#lines.push(line.length > LINE_CHARACTERS ? `${line.slice(0, LINE_CHARACTERS)}…` : line);
    if (this.#lines.length > LINES_TOLD) this.#lines.shift();
  }

  get text(): string {
    return this.#lines.join('\n');
  }
}

function inherited(env: AfterRestoreCommand['env'], secrets: readonly string[]): Record<string, string> {
  const own = new Set(secrets);
  const kept = Object.entries(env).flatMap(([name, value]) => {
    if (value === undefined || OWN_VARIABLES.test(name) || own.has(value)) return [];
    return [[name, value] as const];
  });
  return Object.fromEntries(kept);
}
