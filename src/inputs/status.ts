/** The inputs of `status` in their final form. */
import type { Environment } from '../domain/destination.ts';
import type { InputProblem } from '../domain/errors.ts';
import { chooseStorage } from './destinations.ts';
import { runnerEnvironment } from './runner-environment.ts';
import type { InputValues } from './spec.ts';
import type { StatusInputs } from './types.ts';

const GB = 1_000_000_000;

/** `undefined` when something is missing, which is told in `problems` then. */
export function statusInputs(
  values: Partial<InputValues>,
  env: Environment,
  problems: InputProblem[],
): StatusInputs | undefined {
  const destinations = chooseStorage(values, env, problems);
  const { name } = values;
  const maxAgeHours = values['max-age-hours'];
  const maxDrillAgeDays = values['max-drill-age-days'];
  const expectedEveryHours = values['expected-every'];
  const budget = values['storage-budget-gb'];
  const verifyStoredDays = values['verify-stored-days'];
  const maxDurationMinutes = values['max-duration-minutes'];
  const stallTimeoutSeconds = values['stall-timeout-seconds'];
  const expectedNames = values['expected-names'];
  const failOn = values['fail-on'];
  const cacheManifests = values['cache-manifests'];
  const other = expectedNames?.find((expected) => name !== undefined && expected !== name);
  if (other !== undefined) {
    problems.push({
      input: 'expected-names',
      message: `it names ${other}, and with \`name\` only ${name} is looked at. Remove one of both.`,
    });
  }
  if (destinations === undefined || maxAgeHours === undefined || maxDrillAgeDays === undefined) return undefined;
  if (maxDurationMinutes === undefined || stallTimeoutSeconds === undefined) return undefined;
  if (expectedNames === undefined || failOn === undefined || cacheManifests === undefined) return undefined;
  return {
    command: 'status',
    ...(name === undefined ? {} : { name }),
    ...{ expectedNames, destinations, failOn, cacheManifests, maxDurationMinutes, stallTimeoutSeconds },
    limits: {
      ...{ maxAgeHours, maxDrillAgeDays },
      ...(expectedEveryHours === undefined ? {} : { expectedEveryHours }),
      ...(budget === undefined ? {} : { budgetBytes: budget * GB }),
    },
    ...(verifyStoredDays === undefined ? {} : { verifyStoredDays }),
    ...(values.dashboard === undefined ? {} : { dashboardPath: values.dashboard }),
    runner: runnerEnvironment(env),
  };
}
