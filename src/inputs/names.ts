/** Which inputs were given at all: unknown ones, and those that the chosen command does not use. */

import { closeNames } from '../domain/close-names.ts';
import type { Environment } from '../domain/destination.ts';
import type { InputProblem } from '../domain/errors.ts';
import type { CommandName, InputSpecs } from './input.ts';

const PREFIX = 'INPUT_';

/** The variable in which the runner hands an input on: spaces become `_`, letters capitals, and nothing else changes. */
export function variableOf(input: string): string {
  return PREFIX + input.replaceAll(' ', '_').toUpperCase();
}

/**
 * The runner only warns of an input that action.yml does not declare, and the one that was meant stays empty. So any
 * is an error, whatever its value. `specs` are all inputs there are.
 */
export function nameProblems(env: Environment, specs: InputSpecs, command: CommandName): InputProblem[] {
  const known = new Map(Object.entries(specs).map(([name, spec]) => [variableOf(name), { name, spec }]));
  const problems: InputProblem[] = [];
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith(PREFIX) || value === undefined) continue;
    const input = known.get(variable);
    if (input === undefined) {
      const name = variable.slice(PREFIX.length).toLowerCase();
      problems.push({ input: name, message: unknownInput(name, Object.keys(specs)) });
    } else if (value.trim() !== '' && input.spec.commands?.includes(command) === false) {
      const users = input.spec.commands.map((user) => `\`${user}\``).join(' and ');
      problems.push({
        input: input.name,
        message: `the command \`${command}\` does not use it; it belongs to ${users}. Remove it.`,
      });
    }
  }
  return problems;
}

function unknownInput(name: string, known: readonly string[]): string {
  const close = closeNames(name, known);
  if (close.length === 0) return 'there is no such input. The README lists all of them.';
  return `there is no such input. Did you mean ${close.map((one) => `\`${one}\``).join(' or ')}?`;
}
