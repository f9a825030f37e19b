/** Pure: what a restore would do, for a dry run. */
import type { RecoveryDryRun } from '../command.ts';
import { countOf, fewOf, formatBytes, listWords } from '../domain/words.ts';
import type { BringBackParts } from './bring-back.ts';

const NAMED = 20;

/** @param safetySeries where the safety backup would go; absent when none is wanted */
export function describePlan(
  parts: Pick<BringBackParts, 'inputs' | 'found' | 'settled'> & { safetySeries?: string },
): RecoveryDryRun['plan'] {
  const { inputs, found, settled, safetySeries } = parts;
  const { strategy, entries, drop, jobs, tools } = settled;
  const archive = found.documents?.contents.plainObjects.find(({ role }) => role === 'archive');
  const size = archive === undefined ? '' : `, ${formatBytes(archive.sizeBytes)}`;
  const leftOut = (entries?.leftOut ?? []).map(({ what, why }) => `${what}: ${why}`);
  return [
    [
      'backup',
      `${found.source.id} from ${found.source.uri}${size}, taken ${found.source.snapshotAt ?? 'at an unknown time'}`,
    ],
    ...strategy.steps.map(([what, words]) =>
      what === 'saved' && safetySeries !== undefined
        ? ([what, `${words}, kept for ever, in the series ${safetySeries}`] as const)
        : ([what, words] as const),
    ),
    ...(drop?.steps ?? []),
    [
      'restore',
      `${entries === undefined ? 'the whole dump' : countOf(entries.restored.length, 'entry', 'entries')} by pg_restore ${tools.version}, ${strategy.streamArchive ? 'one connection' : countOf(jobs, 'connection')}`,
    ],
    ...((entries?.rolesToCreate.length ?? 0) > 0
      ? [['roles', `created without passwords: ${listWords(entries?.rolesToCreate ?? [], { most: NAMED })}`] as const]
      : []),
    ...fewOf(leftOut, NAMED).map((words) => ['left out', words] as const),
    ['proof', 'every row, sequence, large object and definition is read back and compared with what was recorded'],
    ...(inputs.afterRestoreSql === undefined ? [] : [['after it', 'after-restore-sql, in one transaction'] as const]),
    ...(inputs.afterRestoreCommand === undefined ? [] : [['after it', 'after-restore-command'] as const]),
  ];
}
