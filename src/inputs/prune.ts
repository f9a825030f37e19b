/** The inputs of `prune`: rules between them, and their final form. */
import type { Environment } from '../domain/destination.ts';
import type { InputProblem } from '../domain/errors.ts';
import { chooseStorage, EMPTY_ADVICE } from './destinations.ts';
import { retentionInputs } from './retention.ts';
import { runnerEnvironment } from './runner-environment.ts';
import type { InputValues } from './spec.ts';
import type { PruneInputs } from './types.ts';

/** Adds what is wrong between inputs to `problems`. `undefined` when something is missing, which is told there then. */
export function pruneInputs(
  values: Partial<InputValues>,
  env: Environment,
  problems: InputProblem[],
): PruneInputs | undefined {
  const destinations = chooseStorage(values, env, problems);
  const retention = retentionInputs(values, problems);
  const { name, lifecycle } = values;
  if ('name' in values && name === undefined) {
    problems.push({ input: 'name', message: `it is empty, and a prune is of one series alone. ${EMPTY_ADVICE}` });
  }
  const dryRun = values['dry-run'];
  const maxDurationMinutes = values['max-duration-minutes'];
  const stallTimeoutSeconds = values['stall-timeout-seconds'];
  if (destinations === undefined || retention === undefined || name === undefined) return undefined;
  if (
    lifecycle === undefined ||
    dryRun === undefined ||
    maxDurationMinutes === undefined ||
    stallTimeoutSeconds === undefined
  )
    return undefined;
  const runner = runnerEnvironment(env);
  return {
    command: 'prune',
    name,
    destinations,
    retention,
    lifecycle,
    dryRun,
    maxDurationMinutes,
    stallTimeoutSeconds,
    runner,
  };
}
