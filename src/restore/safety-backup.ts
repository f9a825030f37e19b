/** A full proven backup of what a restore is about to replace. */
import { identityToRecipient } from 'age-encryption';
import type { CommandContext, CommandResult, SafetyBackup } from '../command.ts';
import type { DecryptionKeys } from '../crypto/decryption.ts';
import { seriesNameFrom } from '../domain/backup-id.ts';
import { BackupError, messageOf } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { WHOLE } from '../domain/scope.ts';
import { SAFETY_LABEL } from '../domain/selector.ts';
import type { TargetFacts } from '../domain/target.ts';
import type { BackupInputs, EncryptionChoice, RestoreInputs } from '../inputs/types.ts';
import type { TargetAccess } from './access.ts';
import type { FoundBackup } from './find.ts';

/** The command that takes backups. */
export type TakeBackup = (inputs: BackupInputs, context: CommandContext) => Promise<CommandResult>;

export interface SafetyParts {
  inputs: RestoreInputs;
  context: CommandContext;
  found: FoundBackup;
  facts: TargetFacts;
  access: TargetAccess;
  takeBackup: TakeBackup;
}

export interface TakenSafety {
  backup: SafetyBackup;
  findings: readonly Finding[];
}

/**
 * The series in which it goes: that of the backup, if the target is the database that it was taken from; one of its own
 * otherwise, so that two databases never mix in one series.
 */
export function safetySeries({ source }: TargetFacts, { selected }: FoundBackup, database: string): string {
  if (selected.kind === 'foreign') return `${seriesNameFrom(database).slice(0, 53)}-${SAFETY_LABEL}`;
  const { manifest, series } = selected;
  return manifest.source.fingerprint === source.fingerprint ? series : `${series.slice(0, 53)}-${SAFETY_LABEL}`;
}

/**
 * Encrypted as the inputs say, else as the backup that is restored. Kept for ever, with the label `emergency`.
 * Throws `ERR_SAFETY_BACKUP` when there is no proven one afterwards: then nothing must be touched.
 */
export async function takeSafetyBackup(parts: SafetyParts): Promise<TakenSafety> {
  const { inputs, context, facts, takeBackup } = parts;
  const backupInputs = await safetyInputs(parts);
  // It tells of itself as a run of its own would; this run is a restore.
  const quiet: CommandContext = { ...context, tell: () => undefined };
  let result: CommandResult;
  try {
    result = await takeBackup(backupInputs, quiet);
  } catch (cause) {
    context.signal.throwIfAborted();
    throw failed(facts, `it failed: ${messageOf(cause)}`, cause instanceof BackupError ? cause.hint : '', cause);
  }
  if (result.outcome !== 'taken') throw failed(facts, 'none was taken', '');
  const { manifest, contents, backupUri, restoreCommand, lost } = result;
  if (manifest.verdict !== 'proven') {
    const doubtful = contents.checks.filter(({ status }) => status !== 'passed').map(({ id }) => id);
    throw failed(facts, `it is stored in ${backupUri}, but not proven (${doubtful.join(', ')})`, '');
  }
  const findings = lost.map(({ location, error }): Finding => {
    const seen = `The safety backup is not in ${location}: ${error.message}`;
    return { code: 'destination-lost', severity: 'warning', seen, action: error.hint };
  });
  context.log.info(`Safety backup of ${facts.fingerprint}: ${manifest.id}, proven, in ${backupUri}`);
  return { backup: { id: manifest.id, uri: backupUri, restoreCommand }, findings: inputs.dryRun ? [] : findings };
}

function failed({ fingerprint }: TargetFacts, what: string, hint: string, cause?: unknown): BackupError {
  return new BackupError('ERR_SAFETY_BACKUP', `There is no safety backup of ${fingerprint}: ${what}`, {
    op: 'take the safety backup',
    hint: `${hint} Nothing was replaced. If the database is past saving, set \`safety-backup: false\`, and what it holds now is gone.`.trim(),
    ...(cause === undefined ? {} : { cause }),
  });
}

async function safetyInputs({ inputs, found, facts, access }: SafetyParts): Promise<BackupInputs> {
  const database = facts.database.name;
  const { destinations, runner, aptRepository, cacheClientTools } = inputs;
  const { maxDurationMinutes, lockTimeoutSeconds, stallTimeoutSeconds, connectWindowSeconds } = inputs;
  return {
    command: 'backup',
    name: safetySeries(facts, found, database),
    connection: access.connection(database),
    destinations,
    encryption: inputs.safetyEncryption ?? (await sameEncryption(found)),
    label: SAFETY_LABEL,
    keepForever: true,
    dryRun: false,
    scope: WHOLE,
    globals: true,
    verifySource: false,
    verifyRestore: false,
    criticalTables: [],
    maxSizeChangePercent: 100_000,
    lockTimeoutSeconds,
    maxDurationMinutes,
    stallTimeoutSeconds,
    connectWindowSeconds,
    allowEmpty: true,
    // Whoever restores from a directory that vanishes has said so when the backup was made.
    allowEphemeral: true,
    acceptNewSource: true,
    aptRepository,
    cacheClientTools,
    notices: [],
    runner,
  };
}

async function sameEncryption({ selected, keys }: FoundBackup): Promise<EncryptionChoice> {
  const encryption = selected.kind === 'set' ? selected.manifest.encryption : undefined;
  if (encryption?.method === 'none' || encryption?.method === 'age') return encryption;
  return await encryptionFor(keys);
}

async function encryptionFor(keys: DecryptionKeys | undefined): Promise<EncryptionChoice> {
  if (keys !== undefined && 'passphrase' in keys) return { method: 'age-passphrase', passphrase: keys.passphrase };
  if (keys !== undefined)
    return { method: 'age', recipients: await Promise.all(keys.identities.map(identityToRecipient)) };
  throw new BackupError('ERR_SAFETY_BACKUP', 'Nothing says how the safety backup is to be encrypted', {
    op: 'take the safety backup',
    hint: 'Give `age-recipients`, or write `encryption: none`.',
  });
}
