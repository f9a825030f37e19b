/** Where client tools are looked for in this run. */
import type { CommandContext } from '../command.ts';
import type { BackupInputs } from '../inputs/types.ts';
import { openClientCache } from '../postgres/client-cache.ts';
import { type ClientSearch, thisMachine } from '../postgres/client-tools.ts';

export type ClientSearchInputs = Pick<BackupInputs, 'aptRepository' | 'cacheClientTools' | 'runner'>;

export function clientSearch(inputs: ClientSearchInputs, context: CommandContext): ClientSearch {
  const { env, workDir, log, signal, clock, threads } = context;
  const { toolCache, tempDirectory } = inputs.runner;
  const cache = inputs.cacheClientTools
    ? openClientCache({ env, tempDirectory, workDir, workerUrl: threads.cache, log, signal })
    : undefined;
  return {
    ...thisMachine(env),
    repository: inputs.aptRepository,
    workDir,
    now: clock.now(),
    log,
    signal,
    ...(toolCache === undefined ? {} : { toolCache }),
    ...(cache === undefined ? {} : { cache }),
  };
}
