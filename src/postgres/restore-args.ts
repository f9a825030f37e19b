/** Arguments of pg_restore and psql. Nothing secret: the connection comes through libpq's environment. */
import type { EntryPlan } from '../domain/entry-plan.ts';
import type { QualifiedName } from '../domain/relations.ts';
import { criticalEntries } from '../domain/restore-order.ts';
import type { TocEntry } from '../domain/toc.ts';

export interface RestoreChoices {
  owner: 'keep' | 'drop';
  privileges: 'keep' | 'drop';
}

/** One run of pg_restore. */
export interface RestorePass {
  sections: readonly ('pre-data' | 'data' | 'post-data')[];
  /** Absent: everything of these sections. */
  entries?: readonly TocEntry[];
  /** When it is over, the critical tables can be read. */
  endsCritical: boolean;
}

/**
 * One run for everything, or three where some tables come first: all definitions, then rows and keys of those tables,
 * then the rest. No entry is in two of them. A stream cannot be read out of order, so there it is always one.
 */
export function restorePasses(
  plan: Pick<EntryPlan, 'restored' | 'whole'>,
  criticalTables: readonly QualifiedName[],
  seekable: boolean,
): RestorePass[] {
  const first = seekable && criticalTables.length > 0 ? criticalEntries(plan.restored, criticalTables) : [];
  if (first.length === 0) {
    return [{ sections: [], ...(plan.whole ? {} : { entries: plan.restored }), endsCritical: false }];
  }
  const ids = new Set(first.map(({ dumpId }) => dumpId));
  const rest = plan.restored.filter(({ dumpId }) => !ids.has(dumpId));
  return [
    { sections: ['pre-data'], entries: plan.restored, endsCritical: false },
    { sections: [], entries: first, endsCritical: true },
    { sections: ['data', 'post-data'], entries: rest, endsCritical: false },
  ];
}

/** Never `--clean`, never `--create`, never `--exit-on-error`: everything that can be restored is, and all is listed. */
export function restoreArgs(pass: RestorePass, options: RestoreChoices & { jobs: number; list?: string }): string[] {
  return [
    '--no-password',
    '--verbose',
    // Empty: the database that the environment names.
    '--dbname=',
    ...(options.jobs > 1 ? [`--jobs=${options.jobs}`] : []),
    ...pass.sections.map((section) => `--section=${section}`),
    ...(options.list === undefined ? [] : [`--use-list=${options.list}`]),
    ...rights(options),
  ];
}

/** As one script in one transaction, with nothing of the server's in it. */
export function scriptArgs(options: RestoreChoices & { list?: string }): string[] {
  return [
    '--file=-',
    '--single-transaction',
    // A tablespace that is missing would undo everything.
    '--no-tablespaces',
    ...(options.list === undefined ? [] : [`--use-list=${options.list}`]),
    ...rights(options),
  ];
}

/** Stops at the first error; reads no start-up file and no other script than its standard input. */
export const PSQL_ARGS = ['--no-psqlrc', '--no-password', '--quiet', '--set=ON_ERROR_STOP=1', '--file=-'];

function rights({ owner, privileges }: RestoreChoices): string[] {
  return [...(owner === 'drop' ? ['--no-owner'] : []), ...(privileges === 'drop' ? ['--no-privileges'] : [])];
}

/** A list for `--use-list`. */
export function useList(entries: readonly TocEntry[]): string {
  return entries.map(({ line }) => `${line}\n`).join('');
}
