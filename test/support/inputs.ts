/** Inputs as a runner hands them over, and what is said of them. */
import { expect } from 'vitest';
import { InputError } from '../../src/domain/errors.ts';
import { variableOf } from '../../src/inputs/names.ts';
import { readInputs } from '../../src/inputs/read.ts';
import { INPUTS } from '../../src/inputs/spec.ts';
import type { BackupInputs } from '../../src/inputs/types.ts';

export const RECIPIENT = 'age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj';
export const OTHER_RECIPIENT = 'age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg';
export const URL = 'postgresql://keeper:s3cr3t-word@db.example.com/shop';
export const GOOD = { 'database-url': URL, storage: 's3://acme-backups/postgres', 'age-recipients': RECIPIENT };

/** What the runner makes of a `with:` block: every declared input is there, empty when it was not given. */
export function step(given: Record<string, string>, env: Record<string, string> = {}): Record<string, string> {
  const declared = Object.keys(INPUTS).map((name) => [variableOf(name), '']);
  const named = Object.entries(given).map(([name, value]) => [variableOf(name), value]);
  return { GITHUB_ACTIONS: 'true', ...env, ...Object.fromEntries([...declared, ...named]) };
}

export function problems(given: Record<string, string>, env: Record<string, string> = {}): string[] {
  try {
    readInputs(step(given, env));
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as InputError).problems.map(({ input, message }) => `${input}: ${message}`);
  }
  return [];
}

/** Of a step whose command is `backup`. */
export function backupInputsOf(env: Record<string, string>): BackupInputs {
  const inputs = readInputs(env);
  if (inputs.command !== 'backup') throw new Error(`${inputs.command} was read`);
  return inputs;
}
