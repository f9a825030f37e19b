/** What the user wants done with a proven copy, before anybody else sees it. */
import type { CommandContext } from '../command.ts';
import type { RecoveryInputs } from '../inputs/types.ts';
import type { TargetAccess } from './access.ts';
import { runAfterRestoreCommand, runAfterRestoreSql } from './after-restore.ts';
import type { Timeline } from './timeline.ts';

export interface AfterProofParts {
  inputs: RecoveryInputs;
  context: CommandContext;
  access: TargetAccess;
  timeline: Timeline;
  /** Variables that are one of them are not handed on to the user's command. */
  secrets: readonly string[];
}

/** `after-restore-sql`, then `after-restore-command`. Throws `ERR_AFTER_RESTORE`. */
export async function afterProof(parts: AfterProofParts, database: string): Promise<void> {
  const { inputs, context, access, timeline, secrets } = parts;
  const { afterRestoreSql: source, afterRestoreCommand: command } = inputs;
  const { signal, log, env } = context;
  if (source !== undefined) {
    await log.group('after-restore-sql', () =>
      access.use('after restore', database, ({ client }) => runAfterRestoreSql({ client, source, signal })),
    );
    timeline.note('after-restore-sql was run and committed');
  }
  if (command === undefined) return;
  const connection = access.connection(database);
  await log.group('after-restore-command', () =>
    runAfterRestoreCommand({ command, connection, env, secrets, log, signal }),
  );
  timeline.note('after-restore-command ended well');
}
