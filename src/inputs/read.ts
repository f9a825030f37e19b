/** The only reader of inputs and environment: from the runner's variables to one typed value per command. */
import type { Environment } from '../domain/destination.ts';
import { InputError, type InputProblem } from '../domain/errors.ts';
import { backupInputs } from './backup.ts';
import { nameProblems, variableOf } from './names.ts';
import { type CommandName, INPUTS, type InputSpec, type InputValues } from './spec.ts';
import type { Inputs } from './types.ts';
import { problemsOf } from './values.ts';

/**
 * Reads everything, touches nothing.
 * @throws InputError (`ERR_INPUT`) with all problems of the run at once; no message holds a secret
 */
export function readInputs(env: Environment): Inputs {
  const problems: InputProblem[] = [];
  const values = readValues(env, problems);
  if (values.command === undefined) throw new InputError(problems);
  problems.push(...nameProblems(env, INPUTS, values.command));
  const inputs = backupInputs(values, env, problems);
  if (inputs === undefined || problems.length > 0) throw new InputError(problems);
  return inputs;
}

/** What this run is to do, for the words of inputs that are wrong; `undefined` when not even that can be read. */
export function readCommand(env: Environment): CommandName | undefined {
  try {
    return readValue('command', INPUTS.command, env);
  } catch (error) {
    problemsOf('command', error);
    return undefined;
  }
}

/** Values whose input was wrong are missing. */
function readValues(env: Environment, problems: InputProblem[]): Partial<InputValues> {
  const values: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(INPUTS) as [string, InputSpec<unknown>][]) {
    try {
      values[name] = readValue(name, spec, env);
    } catch (error) {
      problems.push(...problemsOf(name, error));
    }
  }
  return values as Partial<InputValues>;
}

/** What the runner handed over for one input, parsed; throws what its parser throws. */
export function readValue<T>(name: string, spec: InputSpec<T>, env: Environment): T {
  const text = env[variableOf(name)] ?? '';
  return spec.parse(spec.verbatim === true ? text : text.trim(), env);
}
