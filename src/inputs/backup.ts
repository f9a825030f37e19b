/** The inputs of `backup`: rules between them, and their final form. */
import type { Destination, Environment } from '../domain/destination.ts';
import type { InputProblem } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { conditionProblems } from './check-values.ts';
import { chooseStorage, EMPTY_ADVICE } from './destinations.ts';
import { isUsedBy } from './input.ts';
import { RETENTION_NAMES, retentionInputs } from './retention.ts';
import { isWorkflow, runnerEnvironment } from './runner-environment.ts';
import { INPUTS, type InputValues } from './spec.ts';
import type { BackupInputs, EncryptionChoice, RetentionInputs } from './types.ts';

/** Adds what is wrong between inputs to `problems`. `undefined` when something is missing, which is told there then. */
export function backupInputs(
  values: Partial<InputValues>,
  env: Environment,
  problems: InputProblem[],
): BackupInputs | undefined {
  const destinations = chooseStorage(values, env, problems);
  const encryption = chooseEncryption(values, destinations, env, problems);
  problems.push(...scopeProblems(values), ...conditionProblems(values['critical-tables']));
  const pruneAfterBackup = pruneAfter(values, problems);
  if (destinations === undefined || encryption === undefined || !isComplete(values)) return undefined;
  return {
    command: 'backup',
    ...(values.name === undefined ? {} : { name: values.name }),
    connection: values['database-url'],
    destinations,
    encryption: encryption.choice,
    label: values.label,
    keepForever: values['keep-forever'],
    ...(values['reuse-within-minutes'] === undefined ? {} : { reuseWithinMinutes: values['reuse-within-minutes'] }),
    dryRun: values['dry-run'],
    scope: {
      content: values.content,
      schemas: values.schemas,
      excludeSchemas: values['exclude-schemas'],
      tables: values.tables,
      excludeTables: values['exclude-tables'],
      excludeTableData: values['exclude-table-data'],
    },
    ...(values.compression === undefined ? {} : { compression: values.compression }),
    globals: values.globals,
    verifySource: values.verify.includes('source'),
    verifyRestore: values.verify.includes('restore'),
    criticalTables: values['critical-tables'],
    maxSizeChangePercent: values['max-size-change-percent'],
    lockTimeoutSeconds: values['lock-timeout-seconds'],
    maxDurationMinutes: values['max-duration-minutes'],
    stallTimeoutSeconds: values['stall-timeout-seconds'],
    connectWindowSeconds: values['connect-window-seconds'],
    allowEmpty: values['allow-empty'],
    allowEphemeral: values['allow-ephemeral'],
    acceptNewSource: values['accept-new-source'],
    aptRepository: { uri: values['postgres-apt-mirror'], key: values['postgres-apt-key'] },
    cacheClientTools: values['cache-client-tools'],
    ...(pruneAfterBackup === undefined ? {} : { pruneAfterBackup }),
    notices: encryption.notices,
    runner: runnerEnvironment(env),
  };
}

/** Optional values are keys too, so a missing key is an input that was wrong. Those of other commands are not read here. */
function isComplete(values: Partial<InputValues>): values is InputValues {
  return Object.entries(INPUTS).every(([name, spec]) => !isUsedBy(spec, 'backup') || name in values);
}

/** The policy is given for nothing else, so that one without `prune-after-backup` was meant to do something. */
function pruneAfter(values: Partial<InputValues>, problems: InputProblem[]): RetentionInputs | undefined {
  if (values['prune-after-backup'] === true) return retentionInputs(values, problems);
  for (const input of RETENTION_NAMES) {
    const value = values[input];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    problems.push({
      input,
      message: 'a backup removes nothing by itself. Set `prune-after-backup: true` too, or remove this.',
    });
  }
  return undefined;
}

interface ChosenEncryption {
  choice: EncryptionChoice;
  notices: Finding[];
}

/** Plain storage is never the outcome of an empty variable where it matters: it must be said, or be a trial. */
function chooseEncryption(
  values: Partial<InputValues>,
  destinations: readonly Destination[] | undefined,
  env: Environment,
  problems: InputProblem[],
): ChosenEncryption | undefined {
  if (!('encryption' in values && 'age-recipients' in values && 'age-passphrase' in values)) return undefined;
  const recipients = values['age-recipients'] ?? [];
  const passphrase = values['age-passphrase'];
  const wrong = (input: string, message: string): undefined => {
    problems.push({ input, message });
    return undefined;
  };
  if (recipients.length > 0 && passphrase !== undefined) {
    return wrong('age-passphrase', 'age-recipients is given too, and they exclude each other. Remove one of them.');
  }
  const key = recipients.length > 0 ? 'age-recipients' : passphrase !== undefined ? 'age-passphrase' : undefined;
  if (values.encryption === 'none' && key !== undefined) {
    return wrong('encryption', `it says none, and ${key} is given too. Remove one of them.`);
  }
  if (recipients.length > 0) return { choice: { method: 'age', recipients }, notices: [] };
  if (passphrase !== undefined) return { choice: { method: 'age-passphrase', passphrase }, notices: [] };
  if (values.encryption === 'none') return { choice: { method: 'none' }, notices: [] };
  if (values.encryption === 'age') {
    return wrong('age-recipients', `it is empty, and so is age-passphrase, but encryption says age. ${EMPTY_ADVICE}`);
  }
  if (destinations === undefined) return undefined;
  const remote = destinations.some(({ kind }) => kind === 's3');
  if (remote || (isWorkflow(env) && values['allow-ephemeral'] !== true)) {
    const where = remote ? 'S3' : 'a directory';
    return wrong(
      'age-recipients',
      `it is empty, and so is age-passphrase, so the backup would lie in ${where} for all to read. ${EMPTY_ADVICE} If that is meant, write \`encryption: none\`.`,
    );
  }
  return { choice: { method: 'none' }, notices: [PLAIN_NOTICE] };
}

const PLAIN_NOTICE: Finding = {
  code: 'stored-plain',
  severity: 'notice',
  seen: 'The backup is not encrypted: there are no recipients and no passphrase.',
  action: 'Give `age-recipients`, or write `encryption: none` to say that this is meant.',
};

/** Pairs that pg_dump accepts and then ignores one of, so that less or other things are saved than was said. */
function scopeProblems(values: Partial<InputValues>): InputProblem[] {
  const problems: InputProblem[] = [];
  const given = (name: 'schemas' | 'exclude-schemas' | 'tables' | 'exclude-table-data' | 'critical-tables') =>
    (values[name]?.length ?? 0) > 0;
  for (const name of ['schemas', 'exclude-schemas'] as const) {
    if (!given('tables') || !given(name)) continue;
    problems.push({
      input: 'tables',
      message: `${name} is given too, and pg_dump ignores it as soon as tables are chosen. Write patterns like \`schema.*\` in \`tables\`, or remove one of them.`,
    });
  }
  if (values.content === 'data' && values.verify?.includes('restore') === true) {
    problems.push({
      input: 'verify',
      message: 'restore makes the tables first, and `content: data` saves no definitions. Remove one of them.',
    });
  }
  if (values.content !== 'schema') return problems;
  for (const name of ['exclude-table-data', 'critical-tables'] as const) {
    if (given(name)) {
      problems.push({
        input: name,
        message: 'it is about rows, and `content: schema` saves none. Remove one of them.',
      });
    }
  }
  if (values.verify?.includes('source') === true) {
    problems.push({
      input: 'verify',
      message: 'source compares rows, and `content: schema` saves none. Remove one of them.',
    });
  }
  return problems;
}
