/** Files of the repository that a check needs: all are read before anything else is asked. */
import { readFile } from 'node:fs/promises';
import type { Assertion } from '../domain/assertions.ts';
import { type CheckRecord, parseCheckRecord } from '../domain/check/record.ts';
import { parseSchemaList } from '../domain/check/schema-list.ts';
import { BackupError, InputError, type InputProblem, messageOf } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { readAssertions } from '../drill/assertions.ts';
import type { CheckInputs } from '../inputs/types.ts';
import { noBaseline } from './records.ts';

/** Each is `undefined` when nobody asked for it. */
export interface CheckFiles {
  assertions: readonly Assertion[] | undefined;
  /** Lines of the file `expected-schema`. */
  expectedSchema: readonly string[] | undefined;
  /** Of the file `baseline`, or the notice that there is none yet. */
  baseline: CheckRecord | Finding | undefined;
}

/** @throws BackupError `ERR_INPUT` with what is wrong in all of them, not in the first alone */
export async function readCheckFiles({ assertions, expectedSchema, baseline }: CheckInputs): Promise<CheckFiles> {
  const faults: { input: string; error: BackupError }[] = [];
  const attempt = async <Source, T>(input: string, source: Source | undefined, read: (from: Source) => Promise<T>) => {
    if (source === undefined) return undefined;
    try {
      return await read(source);
    } catch (error) {
      if (!(error instanceof BackupError) || error.code !== 'ERR_INPUT') throw error;
      faults.push({ input, error });
      return undefined;
    }
  };
  const files: CheckFiles = {
    assertions: await attempt('assertions', assertions, readAssertions),
    expectedSchema: await attempt('expected-schema', expectedSchema, readExpectedSchema),
    baseline: await attempt('baseline', baseline === 'storage' ? undefined : baseline?.file, readFileRecord),
  };
  const [fault] = faults;
  if (fault === undefined) return files;
  throw faults.length === 1 ? fault.error : new InputError(faults.map(problemOf));
}

/** Each file has its own way out, so the hint is told with it. */
function problemOf({ input, error }: { input: string; error: BackupError }): InputProblem {
  return { input, message: `${error.message}. ${error.hint}` };
}

async function readExpectedSchema(file: string): Promise<string[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new BackupError('ERR_INPUT', `The file of \`expected-schema\` cannot be read: ${messageOf(cause)}`, {
      op: 'read expected-schema',
      hint: 'Check the path; it counts from the workspace, and the job must have checked the repository out before. A run with `report-path` writes such a list beside its report.',
      cause,
    });
  }
  return parseSchemaList(text);
}

async function readFileRecord(file: string): Promise<CheckRecord | Finding> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return noBaseline(`${file} does not exist`);
    throw notARecord(`The file of \`baseline\` cannot be read: ${messageOf(error)}`, error);
  }
  try {
    return parseCheckRecord(text);
  } catch (error) {
    throw notARecord(`The file of \`baseline\` is not the record of a check: ${messageOf(error)}`, error);
  }
}

function notARecord(message: string, cause: unknown): BackupError {
  return new BackupError('ERR_INPUT', message, {
    op: 'read the baseline',
    hint: 'Give the `.json` file that a run with `report-path` wrote beside its report.',
    cause,
  });
}
