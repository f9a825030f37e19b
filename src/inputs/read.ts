/** The only reader of inputs and environment: from the runner's variables to one typed value per command. */
import type { Environment } from '../domain/destination.ts';
import { InputError, type InputProblem } from '../domain/errors.ts';
import { backupInputs } from './backup.ts';
import { nameProblems, variableOf } from './names.ts';
import { INPUTS, type InputSpec, type InputValues } from './spec.ts';
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

/** Values whose input was wrong are missing. */
function readValues(env: Environment, problems: InputProblem[]): Partial<InputValues> {
  const values: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(INPUTS) as [string, InputSpec<unknown>][]) {
    const text = env[variableOf(name)] ?? '';
    try {
      values[name] = spec.parse(spec.verbatim === true ? text : text.trim(), env);
    } catch (error) {
      problems.push(...problemsOf(name, error));
    }
  }
  return values as Partial<InputValues>;
}
