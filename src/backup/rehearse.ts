/** `dry-run`: what a backup would do, after everything was tried that can be tried without writing one. */
import { randomBytes } from 'node:crypto';
import type { CommandContext, DryRun } from '../command.ts';
import { openCipher } from '../crypto/age.ts';
import { formatBackupId, RANDOM_CHARACTERS, randomSuffix } from '../domain/backup-id.ts';
import { chooseCompression, describeCompression } from '../domain/compression.ts';
import type { Finding } from '../domain/findings.ts';
import { describePolicy } from '../domain/retention/policy.ts';
import { OBJECT_NAMES, objectKey, setFolder } from '../domain/set-layout.ts';
import { formatBytes, shareOf } from '../domain/words.ts';
import { issuesOf } from '../github/issues.ts';
import { probeIssueRights } from '../github/probe.ts';
import { readAlarmInputs } from '../inputs/alarm.ts';
import type { BackupInputs } from '../inputs/types.ts';
import type { Destinations } from './destinations.ts';
import type { Prepared } from './prepare.ts';

/**
 * Tries each recipient and each destination, and says what the backup would be. Nothing visible is written.
 * Rejects when no destination takes writes.
 */
export async function rehearse(
  inputs: BackupInputs,
  context: CommandContext,
  prepared: Prepared,
  destinations: Destinations,
): Promise<DryRun> {
  const { facts, name } = prepared;
  const cipher = openCipher(inputs.encryption);
  await cipher.open();
  const id = formatBackupId(context.clock.now(), inputs.label, randomSuffix(randomBytes(RANDOM_CHARACTERS)));
  const key = objectKey(name, id, `${OBJECT_NAMES.archive}${cipher.suffix}`);
  await destinations.each(({ storage }) => storage.probe(key));
  for (const { storage } of destinations.alive) context.log.info(`${storage.location} takes writes of this role`);
  const aboutIssues = await probeIssues(context);
  const compression = chooseCompression(facts.server.major, inputs.compression);
  return {
    command: 'backup',
    outcome: 'dry-run',
    name,
    server: { version: facts.server.version, major: facts.server.major },
    plan: [
      [
        'database',
        `${facts.database}, Postgres ${facts.server.version}, ${formatBytes(facts.databaseBytes)} on the server`,
      ],
      ['scope', `${shareOf(facts.selectedTables, facts.tablesInDatabase, 'table')}, ${CONTENT[inputs.scope.content]}`],
      ['dump', `pg_dump ${prepared.tools.version}, compression ${describeCompression(compression)}`],
      ['proof', proofWords(inputs)],
      ['encryption', encryptionWords(inputs)],
      ['set', setFolder(name, id)],
      ...destinations.alive.map(({ storage }) => ['destination', storage.location] as const),
      ...(inputs.pruneAfterBackup === undefined
        ? []
        : [['afterwards', `a prune by ${describePolicy(inputs.pruneAfterBackup.policy).join('; ')}`] as const]),
    ],
    lost: destinations.lost.map(({ target, error }) => {
      return { location: target.storage.location, error, uncertain: false };
    }),
    findings: [...prepared.findings, ...aboutIssues],
  };
}

/** Whether a failed run could open its issue; nothing where none is wanted. */
export async function probeIssues({ env, clock, signal }: CommandContext): Promise<Finding[]> {
  const alarm = readAlarmInputs(env);
  if (alarm === undefined || !alarm.wanted) return [];
  if (alarm.token === '') return [NO_TOKEN];
  const { token, apiUrl, run } = alarm;
  return await probeIssueRights(issuesOf({ token, apiUrl, repository: run.repository, clock, signal }));
}

/** An unset secret arrives as nothing, and must not mean that nobody hears of a failure. */
const NO_TOKEN: Finding = {
  code: 'alarm-impossible',
  severity: 'notice',
  seen: '`github-token` is empty, so a failed run could not open an issue.',
  action:
    'Leave `github-token` out: then it is the token of the job. If no issue is wanted, write `issue-on-failure: false`.',
};

const CONTENT = { all: 'definitions and rows', schema: 'definitions without rows', data: 'rows without definitions' };

function proofWords({ verifySource, verifyRestore }: BackupInputs): string {
  return [
    'archive',
    ...(verifySource ? ['source (reads every table a second time)'] : []),
    ...(verifyRestore ? ['restore (into a local server)'] : []),
  ].join(', ');
}

function encryptionWords({ encryption }: BackupInputs): string {
  if (encryption.method === 'none') return 'none: the backup is stored as it is';
  if (encryption.method === 'age-passphrase') return 'age, with a passphrase';
  return `age, to ${encryption.recipients.join(', ')}`;
}
