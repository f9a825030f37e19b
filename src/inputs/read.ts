/** The only reader of inputs and environment: from the runner's variables to one typed value per command. */
import type { Environment } from '../domain/destination.ts';
import { InputError, type InputProblem } from '../domain/errors.ts';
import { backupInputs } from './backup.ts';
import { channelProblems } from './channel-rules.ts';
import { checkInputs } from './check.ts';
import { isUsedBy } from './input.ts';
import { nameProblems, variableOf } from './names.ts';
import { pruneInputs } from './prune.ts';
import { drillInputs, restoreInputs } from './recovery.ts';
import { type CommandName, INPUTS, type InputSpec, type InputValues } from './spec.ts';
import { statusInputs } from './status.ts';
import type { Inputs } from './types.ts';
import { problemsOf, rejected } from './values.ts';

/**
 * Reads everything, touches nothing.
 * @throws InputError (`ERR_INPUT`) with all problems of the run at once; no message holds a secret
 */
export function readInputs(env: Environment): Inputs {
  const problems: InputProblem[] = [];
  const command = attempt('command', INPUTS.command, env, problems);
  const values = readValues(command, env, problems);
  if (command === undefined) throw new InputError(problems);
  problems.push(...nameProblems(env, INPUTS, command), ...channelProblems(values));
  const inputs = FORMS[command](values, env, problems);
  if (inputs === undefined || problems.length > 0) throw new InputError(problems);
  return inputs;
}

/** What this run is to do, for the words of inputs that are wrong; `undefined` when not even that can be read. */
export function readCommand(env: Environment): CommandName | undefined {
  return givenValue('command', env);
}

/** One input by itself, for those who must speak when others are wrong; `undefined` when it is wrong too. */
export function givenValue<Name extends keyof InputValues>(
  name: Name,
  env: Environment,
): InputValues[Name] | undefined {
  try {
    return readValue(name, INPUTS[name] as unknown as InputSpec<InputValues[Name]>, env);
  } catch (error) {
    problemsOf(name, error);
    return undefined;
  }
}

const FORMS = {
  backup: backupInputs,
  restore: restoreInputs,
  drill: drillInputs,
  prune: pruneInputs,
  status: statusInputs,
  check: checkInputs,
} as const;

/** Of the inputs that `command` uses; without one, of all that are given. Values whose input was wrong are missing. */
function readValues(
  command: CommandName | undefined,
  env: Environment,
  problems: InputProblem[],
): Partial<InputValues> {
  const values: Record<string, unknown> = command === undefined ? {} : { command };
  for (const [name, spec] of Object.entries(INPUTS) as [string, InputSpec<unknown>][]) {
    const isNeeded = command === undefined ? env[variableOf(name)]?.trim() : isUsedBy(spec, command);
    if (!isNeeded || name === 'command') continue;
    const before = problems.length;
    const value = attempt(name, spec, env, problems);
    if (problems.length === before) values[name] = value;
  }
  return values as Partial<InputValues>;
}

/** `undefined` and a problem more when it is wrong. */
function attempt<T>(name: string, spec: InputSpec<T>, env: Environment, problems: InputProblem[]): T | undefined {
  try {
    return readValue(name, spec, env);
  } catch (error) {
    problems.push(...problemsOf(name, error));
    return undefined;
  }
}

/** What the runner handed over for one input, parsed; throws what its parser throws. */
export function readValue<T>(name: string, spec: InputSpec<T>, env: Environment): T {
  const text = env[variableOf(name)] ?? '';
  // As a passphrase it would be known to everybody, and as a directory it would be one of that name.
  if (/\$\{\{.*\}\}/s.test(text))
    throw rejected(`it holds an expression, \${{ … }}, that nothing replaced by its value.`);
  return spec.parse(spec.verbatim === true ? text : text.trim(), env);
}
