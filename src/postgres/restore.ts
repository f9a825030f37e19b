/** Runs pg_restore, or psql for a plain dump, into an empty database. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { EntryPlan } from '../domain/entry-plan.ts';
import { BackupError } from '../domain/errors.ts';
import type { ClassifiedMessage, RecoveryPhase } from '../domain/recovery.ts';
import type { QualifiedName } from '../domain/relations.ts';
import { type RestoreEnd, restoreFailure } from '../domain/restore-failure.ts';
import { classifyCollected } from '../domain/restore-messages.ts';
import type { ClientTools } from './client-tools.ts';
import { PSQL_ARGS, type RestorePass, restoreArgs, restorePasses, useList } from './restore-args.ts';
import { openFile, type RestoreContext, RestoreWatch, runRestoreProcess } from './restore-process.ts';
import type { RestoreSource } from './restore-source.ts';
import { Restrict } from './restrict.ts';

export interface RestoreOptions extends RestoreContext {
  archive: RestoreSource;
  /** Of `planEntries`; a plain dump has none and is restored as it is. */
  plan?: Pick<EntryPlan, 'restored' | 'whole'>;
  /** Of at least the archive's major: see `restoreClientMajor`. */
  tools: ClientTools;
  targetMajor: number;
  /** Connections at once; only a file can be restored by more than one. */
  jobs: number;
  owner: 'keep' | 'drop';
  privileges: 'keep' | 'drop';
  /** Restored before all others, from a file. */
  criticalTables: readonly QualifiedName[];
  /** For lists of entries. */
  workDir: string;
}

export interface RestoreRun {
  messages: ClassifiedMessage[];
  /**
   * `restore`: until the last rows were loaded; `index`: from then on. Under several jobs indexes of some tables are
   * built while others are loaded: that time is in `restore`.
   */
  phases: RecoveryPhase[];
  /** From the beginning until rows and keys of all critical tables were there. */
  criticalTablesSeconds?: number;
  /** Of the last run; 1 as well where all errors were harmless. */
  exitCode: number;
}

/**
 * Restores everything that can be restored and lists every error: who restores at night wants all of them at once, and
 * an error in one object seldom spoils the others. Only what makes going on pointless ends it early: a full disk, a
 * target that takes no writes. psql, for plain dumps, stops at the first error.
 * Throws `ERR_RESTORE_FAILED` when the run did not come to its end; what was restored till then stays.
 */
export async function runRestore(options: RestoreOptions): Promise<RestoreRun> {
  const { clock, archive } = options;
  const watch = new RestoreWatch();
  const startedAt = clock.now().getTime();
  const since = (time: number): number => (time - startedAt) / 1000;
  let criticalAt: number | undefined;
  let end: RestoreEnd | undefined;
  const passes: RestorePass[] =
    archive.format === 'sql' || options.plan === undefined
      ? [{ sections: [], endsCritical: false }]
      : restorePasses(options.plan, options.criticalTables, archive.kind === 'file');
  for (const pass of passes) {
    end = await runPass(pass, watch, options);
    const failure = restoreFailure(end, watch.collector.messages);
    if (failure !== undefined) throw failure;
    if (endedEarly(end)) break;
    if (pass.endsCritical) criticalAt = clock.now().getTime();
  }
  const endedAt = clock.now().getTime();
  const loadedAt = watch.dataUntil ?? endedAt;
  return {
    messages: messagesOf(end as RestoreEnd, watch, options),
    phases: [
      { phase: 'restore', seconds: since(loadedAt) },
      { phase: 'index', seconds: since(endedAt) - since(loadedAt) },
    ],
    ...(criticalAt === undefined ? {} : { criticalTablesSeconds: since(criticalAt) }),
    exitCode: end?.code ?? 1,
  };
}

/** Classified, and one more where a program failed without a word that says so. */
export function messagesOf(
  end: RestoreEnd,
  watch: RestoreWatch,
  { targetMajor, jobs }: { targetMajor: number; jobs: number },
): ClassifiedMessage[] {
  const messages = classifyCollected(watch.collector, { targetMajor, parallel: jobs > 1 });
  if (!endedEarly(end) || messages.some(({ kind }) => kind !== 'harmless')) return messages;
  const text = `${end.program} ended with exit code ${end.code}`;
  return [...messages, { kind: 'unknown', text, reason: 'it did not say that it came to the end of the archive' }];
}

/** pg_restore counts the errors that it passed over as its last words; without those it gave up. */
function endedEarly({ code, stderr }: RestoreEnd): boolean {
  return code !== 0 && !/errors ignored on restore: \d+$/m.test(stderr);
}

async function runPass(pass: RestorePass, watch: RestoreWatch, options: RestoreOptions): Promise<RestoreEnd> {
  const { archive, tools, env } = options;
  const context = { ...options, env: { ...env, ...tools.env } };
  if (archive.format === 'sql') {
    const script = await open(archive);
    const restrict = new Restrict();
    script.once('error', (error) => restrict.destroy(error));
    const stdin = script.pipe(restrict);
    return await runRestoreProcess({ file: psqlOf(tools), args: PSQL_ARGS, stdin }, watch, context);
  }
  return await withList(pass.entries, options.workDir, async (list) => {
    const seekable = archive.kind === 'file';
    // pg_restore knows no parallel restore from tar.
    const jobs = seekable && archive.format !== 'tar' ? options.jobs : 1;
    const args = restoreArgs(pass, { ...options, jobs, ...(list === undefined ? {} : { list }) });
    const program = { file: tools.pgRestore, args: seekable ? [...args, archive.path] : args };
    const source = seekable ? {} : { stdin: await archive.open() };
    return await runRestoreProcess({ ...program, ...source }, watch, context);
  });
}

async function open(archive: RestoreSource): Promise<Readable> {
  return archive.kind === 'file' ? openFile(archive.path) : await archive.open();
}

/** Throws `ERR_RESTORE_FAILED`. */
export function psqlOf(tools: ClientTools): string {
  if (tools.psql !== undefined) return tools.psql;
  throw new BackupError(
    'ERR_RESTORE_FAILED',
    `There is no psql of version ${tools.version} beside ${tools.pgRestore}, and this restore needs it`,
    {
      op: 'restore',
      hint: `Install the whole package postgresql-client-${tools.major}; psql is part of it.`,
    },
  );
}

/** Gives the path of a list of these entries, which is removed afterwards; nothing where there is no list. */
export async function withList<T>(
  entries: RestorePass['entries'],
  workDir: string,
  work: (list: string | undefined) => Promise<T>,
): Promise<T> {
  if (entries === undefined) return await work(undefined);
  const folder = await mkdtemp(path.join(workDir, 'restore-'));
  try {
    const list = path.join(folder, 'list');
    await writeFile(list, useList(entries));
    return await work(list);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
