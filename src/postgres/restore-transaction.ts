/** Drops and restores in one transaction: whatever ends it, either the former content is there or the restored one. */
import { PassThrough, type Readable, Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BackupError } from '../domain/errors.ts';
import type { ClassifiedMessage } from '../domain/recovery.ts';
import { type RestoreEnd, restoreFailure } from '../domain/restore-failure.ts';
import { classifyCollected } from '../domain/restore-messages.ts';
import { messagesOf, psqlOf, type RestoreOptions, type RestoreRun, withList } from './restore.ts';
import { PSQL_ARGS, scriptArgs } from './restore-args.ts';
import { RestoreWatch, runRestoreProcess } from './restore-process.ts';
import { Restrict } from './restrict.ts';

export type TransactionOptions = Omit<RestoreOptions, 'criticalTables' | 'jobs'> & {
  /** Complete statements without semicolons, run first in the same transaction: what is dropped. */
  before: readonly string[];
  /** Asked over another connection when psql ended with COMMIT on its way; rejects when that cannot be told. */
  lookUp: (session: TransactionSession) => Promise<'committed' | 'undone'>;
  /** Called before it throws: whether the target is known to hold what it held before. */
  onFailure: (end: 'undone' | 'unknown') => void;
};

/** Where the transaction runs. */
export interface TransactionSession {
  /** Of the server's process. */
  pid: number;
  /** As `txid_current` gives it. */
  transactionId: string;
}

/** What is known of the transaction while it runs. */
interface Progress {
  session?: TransactionSession;
  /** Before that the server cannot have committed. */
  commitSent: boolean;
}

interface Ends {
  /** Absent when psql ended first. */
  dump?: RestoreEnd;
  psql: RestoreEnd;
}

/**
 * `pg_restore --single-transaction --file=-` writes a script whose one COMMIT is its last statement; psql runs it
 * after BEGIN and `before`, and stops at the first error. The end of the script is held back until pg_restore has
 * ended well, so what is cut short never reaches the COMMIT. No tablespaces are restored.
 * Resolves when the transaction was committed, also when psql was lost before it could say so. Throws
 * `ERR_RESTORE_FAILED` or the signal's reason otherwise, after `onFailure`.
 */
export async function runRestoreInOneTransaction(options: TransactionOptions): Promise<RestoreRun> {
  const { clock, archive, tools, plan, log } = options;
  if (archive.format === 'sql' || plan === undefined) throw plainDump();
  psqlOf(tools);
  const startedAt = clock.now().getTime();
  const watches = { dump: new RestoreWatch(), psql: new RestoreWatch() };
  const progress: Progress = { commitSent: false };
  let messages: ClassifiedMessage[];
  try {
    const ends = await withList(plan.whole ? undefined : plan.restored, options.workDir, (list) =>
      runBoth(list, watches, progress, options),
    );
    messages = messagesOfBoth(ends, watches, options);
  } catch (error) {
    const end = await endOf(progress, options);
    if (end !== 'committed') {
      options.onFailure(end);
      throw error;
    }
    log.info('psql was lost while the server committed. The server says that it is done.');
    const context = { targetMajor: options.targetMajor, parallel: false };
    messages = [watches.dump, watches.psql].flatMap(({ collector }) => classifyCollected(collector, context));
  }
  return {
    messages,
    phases: [{ phase: 'restore', seconds: (clock.now().getTime() - startedAt) / 1000 }],
    exitCode: 0,
  };
}

/** Throws `ERR_RESTORE_FAILED` unless both came to their end. */
function messagesOfBoth(
  ends: Ends,
  watches: { dump: RestoreWatch; psql: RestoreWatch },
  { targetMajor }: TransactionOptions,
): ClassifiedMessage[] {
  const failure = restoreFailure(ends.psql, watches.psql.collector.messages);
  if (failure !== undefined) throw failure;
  const sequential = { targetMajor, jobs: 1 };
  const messages = [
    ...(ends.dump === undefined ? [] : messagesOf(ends.dump, watches.dump, sequential)),
    ...messagesOf(ends.psql, watches.psql, sequential),
  ];
  if (ends.psql.code !== 0 || ends.dump?.code !== 0) throw cutShort(messages);
  return messages;
}

async function endOf(
  { session, commitSent }: Progress,
  { lookUp }: TransactionOptions,
): Promise<'committed' | 'undone' | 'unknown'> {
  if (!commitSent) return 'undone';
  if (session === undefined) return 'unknown';
  return await lookUp(session).catch(() => 'unknown' as const);
}

async function runBoth(
  list: string | undefined,
  watches: { dump: RestoreWatch; psql: RestoreWatch },
  progress: Progress,
  options: TransactionOptions,
): Promise<Ends> {
  const { archive, tools } = options;
  const context = { ...options, env: { ...options.env, ...tools.env } };
  const script = new PassThrough();
  // psql that ends early destroys it; what psql said is what counts then.
  script.on('error', () => undefined);
  const end = new HeldBack();
  script.write(
    `SET client_encoding = 'UTF8';\nBEGIN;\n${SESSION_SQL}\n${options.before.map((each) => `${each};\n`).join('')}`,
  );
  const running = runRestoreProcess(
    {
      file: psqlOf(tools),
      args: ['--tuples-only', '--no-align', ...PSQL_ARGS],
      stdin: script,
      onOutput: (output) => readSession(output, progress),
    },
    watches.psql,
    context,
  );
  running.catch(() => undefined);
  const choices = { ...options, ...(list === undefined ? {} : { list }) };
  const seekable = archive.kind === 'file';
  const dumping = runRestoreProcess(
    {
      file: tools.pgRestore,
      args: [...scriptArgs(choices), ...(seekable ? [archive.path] : [])],
      ...(seekable ? {} : { stdin: await archive.open() }),
      onOutput: (output) => pipeline(output, new Restrict(), end, script, { end: false }),
    },
    watches.dump,
    context,
  );
  const dumped = await Promise.allSettled([dumping]).then(([settled]) => settled);
  const isWhole = dumped.status === 'fulfilled' && dumped.value.code === 0;
  progress.commitSent = isWhole;
  script.end(isWhole ? end.bytes : '');
  const psql = await running;
  if (dumped.status === 'fulfilled') return { dump: dumped.value, psql };
  // psql that stops at an error takes pg_restore along; what psql said is the reason then.
  if (psql.code === 0) throw dumped.reason;
  return { psql };
}

/** Functions that every version knows; those that replace them came with 13. */
const SESSION_SQL = 'SELECT pg_catalog.pg_backend_pid(), pg_catalog.txid_current();';

/** The first line of psql's output; the others are what set_config and setval give. */
async function readSession(output: Readable, progress: Progress): Promise<void> {
  let text = '';
  for await (const chunk of output.setEncoding('utf8')) {
    if (progress.session !== undefined) continue;
    text += chunk;
    const [, pid, transactionId] = /^(\d+)\|(\d+)\n/.exec(text) ?? [];
    if (pid !== undefined && transactionId !== undefined) progress.session = { pid: Number(pid), transactionId };
  }
}

/** More than pg_restore writes after its COMMIT. */
const HELD_BYTES = 4096;

/** Keeps the end of a stream back. */
class HeldBack extends Transform {
  bytes: Buffer = Buffer.alloc(0);

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const all = Buffer.concat([this.bytes, chunk]);
    const at = Math.max(0, all.length - HELD_BYTES);
    this.bytes = Buffer.from(all.subarray(at));
    done(null, all.subarray(0, at));
  }
}

function cutShort(messages: readonly ClassifiedMessage[]): BackupError {
  const said = messages.filter(({ kind }) => kind !== 'harmless').map(({ text, reason }) => `${text} (${reason})`);
  return new BackupError(
    'ERR_RESTORE_FAILED',
    `The restore in one transaction failed: ${said.join('; ') || 'it did not come to its end'}`,
    { op: 'restore', hint: 'Mend what the message names and run it again.' },
  );
}

function plainDump(): BackupError {
  return new BackupError('ERR_RESTORE_FAILED', 'A plain SQL dump cannot replace a database in one transaction', {
    op: 'restore',
    hint: 'Restore it with `strategy: new-database` or `swap`.',
  });
}
