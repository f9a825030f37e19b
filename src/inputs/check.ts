/** The inputs of `check`: rules between them, and their final form. */
import type { CheckSettings } from '../domain/check/judge.ts';
import type { Destination, Environment } from '../domain/destination.ts';
import type { InputProblem } from '../domain/errors.ts';
import { chooseStorage } from './destinations.ts';
import { isUsedBy } from './input.ts';
import { runnerEnvironment } from './runner-environment.ts';
import { INPUTS, type InputValues } from './spec.ts';
import type { CheckInputs } from './types.ts';

/** Inputs that are limits, and the checks that they belong to. */
const LIMITS = {
  'max-latency-ms': 'latency',
  'max-connections-percent': 'connections',
  'max-active-sessions': 'active-sessions',
  'max-transaction-minutes': 'long-transaction',
  'max-row-drop-percent': 'row-drop',
  'storage-limit-gb': 'database-size',
  'min-tables': 'min-tables',
} as const satisfies Partial<Record<keyof InputValues, string>>;

/** Adds what is wrong between inputs to `problems`. `undefined` when something is missing, which is told there then. */
export function checkInputs(
  values: Partial<InputValues>,
  env: Environment,
  problems: InputProblem[],
): CheckInputs | undefined {
  const destinations = chooseOptionalStorage(values, env, problems);
  problems.push(...withoutStorage(values), ...withoutTables(values));
  if (destinations === undefined || !isComplete(values)) return undefined;
  const { baseline, assertions } = values;
  return {
    command: 'check',
    ...(values.name === undefined ? {} : { name: values.name }),
    connection: values['database-url'],
    destinations,
    settings: settingsOf(values),
    strict: values.strict,
    criticalTables: values['critical-tables'],
    orphanChecks: values['orphan-checks'],
    expectedExtensions: values['expected-extensions'],
    ...(values['expected-schema'] === undefined ? {} : { expectedSchema: values['expected-schema'] }),
    ...(assertions === undefined ? {} : { assertions }),
    ...(baseline === undefined ? {} : { baseline }),
    ...(values['report-path'] === undefined ? {} : { reportPath: values['report-path'] }),
    dryRun: values['dry-run'],
    maxDurationMinutes: values['max-duration-minutes'],
    stallTimeoutSeconds: values['stall-timeout-seconds'],
    connectWindowSeconds: values['connect-window-seconds'],
    runner: runnerEnvironment(env),
  };
}

/** Without `storage` a check looks at the database alone, and keeps nothing. */
function chooseOptionalStorage(
  values: Partial<InputValues>,
  env: Environment,
  problems: InputProblem[],
): readonly Destination[] | undefined {
  if (values.storage?.length !== 0) return chooseStorage(values, env, problems);
  if (values['aws-role-to-assume'] !== undefined) {
    problems.push({
      input: 'aws-role-to-assume',
      message: 'nothing uses it: `storage` is empty. Remove one, or give the other.',
    });
  }
  return [];
}

function withoutStorage(values: Partial<InputValues>): InputProblem[] {
  if (values.storage?.length !== 0) return [];
  const needing = [
    ...(values.baseline === 'storage' ? ['baseline'] : []),
    ...(values['max-row-drop-percent'] === undefined ? [] : ['max-row-drop-percent']),
  ];
  return needing.map((input) => ({
    input,
    message: 'it compares with what is in `storage`, which is empty. If you named a variable there, check its name.',
  }));
}

/** Rows are held against the backup of critical tables alone: without one, the limit would look like a check and be none. */
function withoutTables(values: Partial<InputValues>): InputProblem[] {
  const input = 'max-row-drop-percent';
  if (values[input] === undefined || values['critical-tables']?.length !== 0) return [];
  return [{ input, message: 'nothing uses it: `critical-tables` is empty. Name the tables there, or remove this.' }];
}

function settingsOf(values: InputValues): CheckSettings {
  const given = Object.entries(LIMITS).flatMap(([input, code]) => {
    const limit = values[input as keyof typeof LIMITS];
    return limit === undefined ? [] : [[code, limit] as const];
  });
  const levels: Record<string, CheckSettings['levels'][string]> = {};
  const limits: Record<string, number> = Object.fromEntries(given);
  for (const choice of values.checks) {
    if ('level' in choice) levels[choice.name] = choice.level;
    else limits[choice.name] = choice.limit;
  }
  return { levels, limits };
}

/** Optional values are keys too, so a missing key is an input that was wrong. Those of other commands are not read here. */
function isComplete(values: Partial<InputValues>): values is InputValues {
  return Object.entries(INPUTS).every(([name, spec]) => !isUsedBy(spec, 'check') || name in values);
}
