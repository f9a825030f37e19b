/** Where a drill restores: the server that was given, if it holds nothing, or one of the drill's own. */
import { clientSearch } from '../backup/client-search.ts';
import type { CommandContext } from '../command.ts';
import type { ConnectionRequest } from '../domain/connection.ts';
import { BackupError } from '../domain/errors.ts';
import type { RecoveryPhase, RecoverySource } from '../domain/recovery.ts';
import { notThrowaway, type TargetFacts } from '../domain/target.ts';
import type { DrillInputs } from '../inputs/types.ts';
import { startEphemeralServer } from '../postgres/server/start.ts';
import type { Supervisor } from '../runner/supervisor.ts';

export interface ThrowawayParts {
  inputs: DrillInputs;
  context: CommandContext;
  source: RecoverySource;
  /** Fails when the server ends in mid-run. */
  supervisor: Supervisor;
  /** End the server. */
  resources: AsyncDisposableStack;
}

export interface Throwaway {
  connection: ConnectionRequest;
  /** What it took to start one; empty where one was given. */
  phases: readonly RecoveryPhase[];
}

/** Throws `ERR_DRILL_SERVER` when none was given and none can be had. */
export async function throwawayServer(parts: ThrowawayParts): Promise<Throwaway> {
  const { inputs, context } = parts;
  if (inputs.target !== undefined) return { connection: inputs.target, phases: [] };
  const { clock, log } = context;
  const begun = clock.now().getTime();
  const connection = await log.group('Server', () => startOwnServer(parts));
  const seconds = Math.max(0, (clock.now().getTime() - begun) / 1000);
  return { connection, phases: [{ phase: 'server', seconds }] };
}

async function startOwnServer(parts: ThrowawayParts): Promise<ConnectionRequest> {
  const { inputs, context, source, supervisor, resources } = parts;
  const { env, workDir, log, clock, signal } = context;
  if (source.major === undefined) {
    throw new BackupError('ERR_DRILL_SERVER', 'A dump made by other means does not say which Postgres it came from', {
      op: 'start a server',
      hint: 'Give `target-database-url`, such as a service container of the right version.',
    });
  }
  const search = clientSearch(inputs, context);
  const server = await startEphemeralServer({ major: source.major, workDir, env, search, signal, log, clock });
  resources.defer(() => server.stop());
  supervisor.watch(server.lost);
  log.info(`Postgres ${server.version} was started for this drill alone`);
  return server.connection;
}

/** Throws `ERR_TARGET_NOT_EMPTY` for a server that somebody may want to keep. */
export function assertThrowaway(facts: TargetFacts): void {
  const holds = notThrowaway(facts);
  if (holds === undefined) return;
  throw new BackupError('ERR_TARGET_NOT_EMPTY', holds, {
    op: 'look at the target',
    hint: 'Name an empty database of a throwaway server in `target-database-url`, such as a service container, or leave it out: then the drill starts a server of its own.',
  });
}
