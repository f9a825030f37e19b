/** Where backups are, or go: rules for `storage` that more than one command has. */
import { type Destination, type Environment, resolveS3, usesRole, withRole } from '../domain/destination.ts';
import type { InputProblem } from '../domain/errors.ts';
import { isWorkflow } from './runner-environment.ts';
import type { InputValues } from './spec.ts';
import type { BackupInputs } from './types.ts';
import { problemsOf } from './values.ts';

/** Where backups are when nothing is said. */
const DEFAULT_DIRECTORY: Destination = { kind: 'directory', path: 'backups' };

export const EMPTY_ADVICE =
  'A variable or secret that does not exist arrives as an empty string: if you named one, check its name and that it is set for this repository and environment.';

/**
 * In a workflow the default directory lies in the workspace, which the next checkout cleans, and `storage` may be empty
 * by mistake: there it must be written, or `allow-ephemeral` must say that losing it is fine.
 */
export function chooseStorage(
  values: Partial<InputValues>,
  env: Environment,
  problems: InputProblem[],
): BackupInputs['destinations'] | undefined {
  if (values.storage === undefined) return undefined;
  const role = values['aws-role-to-assume'];
  if (role !== undefined && !values.storage.some(usesRole)) problems.push(UNUSED_ROLE);
  const [first, ...more] = values.storage.map((destination) => withRole(destination, role));
  if (first === undefined) {
    if (!isWorkflow(env) || values['allow-ephemeral'] === true) return [DEFAULT_DIRECTORY];
    problems.push({
      input: 'storage',
      message: `it is empty. ${EMPTY_ADVICE} Write s3://bucket/prefix, or the path of a directory that outlives the run; only to try it out, set \`allow-ephemeral: true\`.`,
    });
    return undefined;
  }
  for (const given of [first, ...more]) {
    if (given.kind !== 's3') continue;
    try {
      resolveS3(given, env);
    } catch (error) {
      problems.push(...problemsOf('storage', error));
    }
  }
  return [first, ...more];
}

const UNUSED_ROLE: InputProblem = {
  input: 'aws-role-to-assume',
  message: 'no destination uses it: none is a bucket without `credentials=`. Remove one or the other.',
};
