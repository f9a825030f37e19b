/** The inputs of `restore` and `drill`: rules between them, and their final form. */
import type { Environment } from '../domain/destination.ts';
import type { InputProblem } from '../domain/errors.ts';
import { conditionProblems } from './check-values.ts';
import { chooseStorage, EMPTY_ADVICE } from './destinations.ts';
import { isWorkflow, runnerEnvironment } from './runner-environment.ts';
import type { InputValues } from './spec.ts';
import type { DrillInputs, RecoveryInputs, RestoreInputs } from './types.ts';

/** Adds what is wrong between inputs to `problems`. `undefined` when something is missing, which is told there then. */
export function restoreInputs(
  values: Partial<InputValues>,
  env: Environment,
  problems: InputProblem[],
): RestoreInputs | undefined {
  const { strategy, confirm, reason } = values;
  const requireSecondPerson = values['require-second-person'] ?? false;
  const target = values['target-database-url'];
  if ('target-database-url' in values && target === undefined) {
    problems.push({
      input: 'target-database-url',
      message: `it is empty, and a restore needs to know where to. ${EMPTY_ADVICE}`,
    });
  }
  if (requireSecondPerson && !isWorkflow(env)) problems.push({ input: 'require-second-person', message: NO_PERSONS });
  const checkConfirm = values['check-confirm'] ?? false;
  if (checkConfirm && values['dry-run'] === false) {
    problems.push({
      input: 'check-confirm',
      message: 'it belongs to a dry run: a restore checks `confirm` anyway. Remove it.',
    });
  }
  if (strategy === 'new-database') {
    for (const [input, given] of [
      ['confirm', confirm !== undefined && !requireSecondPerson],
      ['safety-backup', values['safety-backup'] === false],
      ['pause-writes', values['pause-writes'] === false],
    ] as const) {
      if (given) problems.push({ input, message: NOT_OF_NEW_DATABASE });
    }
  }
  const common = recoveryInputs(values, env, problems, false);
  if (common === undefined || target === undefined || strategy === undefined) return undefined;
  return {
    command: 'restore',
    ...common,
    target,
    strategy,
    ...(confirm === undefined ? {} : { confirm }),
    ...(reason === undefined ? {} : { reason }),
    requireSecondPerson,
    checkConfirm,
    safetyBackup: values['safety-backup'] ?? true,
    ...safetyEncryption(values),
    pauseWrites: values['pause-writes'] ?? true,
  };
}

function safetyEncryption(values: Partial<InputValues>): Pick<RestoreInputs, 'safetyEncryption'> {
  const recipients = values['age-recipients'] ?? [];
  if (recipients.length > 0) return { safetyEncryption: { method: 'age', recipients } };
  return values.encryption === 'none' ? { safetyEncryption: { method: 'none' } } : {};
}

const NOT_OF_NEW_DATABASE =
  '`strategy: new-database` touches nothing that is there, so this says nothing. Remove it, or name the strategy that you mean.';

const NO_PERSONS =
  'outside of a workflow nobody can tell two people apart: it goes by the accounts of GitHub that started the two runs. Remove it, and let somebody look on.';

/** Like {@link restoreInputs}. */
export function drillInputs(
  values: Partial<InputValues>,
  env: Environment,
  problems: InputProblem[],
): DrillInputs | undefined {
  const common = recoveryInputs(values, env, problems, true);
  if (common === undefined || !('target-database-url' in values)) return undefined;
  const target = values['target-database-url'];
  const { assertions } = values;
  const minTables = values['min-tables'];
  const maxRestoreMinutes = values['max-restore-minutes'];
  return {
    command: 'drill',
    ...common,
    ...(target === undefined ? {} : { target }),
    ...(assertions === undefined ? {} : { assertions }),
    ...(minTables === undefined ? {} : { minTables }),
    ...(maxRestoreMinutes === undefined ? {} : { maxRestoreMinutes }),
    proveTheAlarm: values['prove-the-alarm'] ?? true,
  };
}

function recoveryInputs(
  given: Partial<InputValues>,
  env: Environment,
  problems: InputProblem[],
  createRoles: boolean,
): RecoveryInputs | undefined {
  const passphrase = given['age-passphrase'];
  const keys = given['age-identity'];
  if (passphrase !== undefined && keys !== undefined && keys.identities.length + keys.identityFiles.length > 0) {
    problems.push({
      input: 'age-passphrase',
      message: 'age-identity is given too, and they exclude each other. Remove one of them.',
    });
  }
  if ((given.tables?.length ?? 0) > 0 && (given.schemas?.length ?? 0) > 0) {
    problems.push({
      input: 'tables',
      message: 'schemas is given too. Write patterns like `schema.*` in `tables`, or remove one of them.',
    });
  }
  problems.push(...conditionProblems(given['critical-tables']));
  const destinations = chooseStorage(given, env, problems);
  if (destinations === undefined || !isComplete(given)) return undefined;
  const values = given;
  const afterRestoreSql = values['after-restore-sql'];
  const afterRestoreCommand = values['after-restore-command'];
  return {
    ...(values.name === undefined ? {} : { name: values.name }),
    destinations,
    selector: values.backup,
    keys: { ...values['age-identity'], ...(passphrase === undefined ? {} : { passphrase }) },
    ...(values.jobs === undefined ? {} : { jobs: values.jobs }),
    schemas: values.schemas,
    tables: values.tables,
    owner: values.owner,
    privileges: values.privileges,
    createRoles: values['create-roles'] ?? createRoles,
    allowOlderMajor: values['allow-older-major'],
    acceptPartial: values['accept-partial'],
    criticalTables: values['critical-tables'],
    ...(afterRestoreSql === undefined ? {} : { afterRestoreSql }),
    ...(afterRestoreCommand === undefined ? {} : { afterRestoreCommand }),
    ...(values['report-path'] === undefined ? {} : { reportPath: values['report-path'] }),
    dryRun: values['dry-run'],
    lockTimeoutSeconds: values['lock-timeout-seconds'],
    maxDurationMinutes: values['max-duration-minutes'],
    stallTimeoutSeconds: values['stall-timeout-seconds'],
    connectWindowSeconds: values['connect-window-seconds'],
    aptRepository: { uri: values['postgres-apt-mirror'], key: values['postgres-apt-key'] },
    cacheClientTools: values['cache-client-tools'],
    notices: [],
    runner: runnerEnvironment(env),
  };
}

const NEEDED = [
  'backup',
  'age-identity',
  'schemas',
  'tables',
  'owner',
  'privileges',
  'create-roles',
  'allow-older-major',
  'accept-partial',
  'critical-tables',
  'after-restore-sql',
  'after-restore-command',
  'report-path',
  'dry-run',
  'lock-timeout-seconds',
  'max-duration-minutes',
  'stall-timeout-seconds',
  'connect-window-seconds',
  'postgres-apt-mirror',
  'postgres-apt-key',
  'cache-client-tools',
] as const satisfies readonly (keyof InputValues)[];

/** Optional values are keys too, so a missing key is an input that was wrong. */
function isComplete(
  values: Partial<InputValues>,
): values is Partial<InputValues> & Pick<InputValues, (typeof NEEDED)[number]> {
  return NEEDED.every((name) => name in values);
}
