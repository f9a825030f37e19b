/**
 * RESTORE.md: how to get one very backup back with stock tools only. It lies in the open beside an encrypted archive,
 * so it names no table and holds no number of rows: those are read from contents.json once that is decrypted. Its
 * `sh` blocks run one after the other in one `bash -euo pipefail`; a value that is missing stops them.
 */
import { BackupError } from './errors.ts';
import type { ManifestEncryption } from './manifest.ts';
import { creationSteps } from './restore-guide/create.ts';
import { fetchSteps } from './restore-guide/fetch.ts';
import { type RestoreGuideInput, s3Options, s3Root } from './restore-guide/input.ts';
import { checkSteps, restoreSteps } from './restore-guide/restore.ts';
import { type GuideStep, shellQuote } from './restore-guide/step.ts';
import type { Scope } from './scope.ts';
import { countOf, formatBytes } from './words.ts';

export type { GuideSource, RestoreGuideInput } from './restore-guide/input.ts';

/** The whole of RESTORE.md. Throws `ERR_INTERNAL` when `objects` lacks the archive or the contents. */
export function renderRestoreGuide(input: RestoreGuideInput): string {
  for (const role of ['archive', 'contents'] as const) {
    if (!input.objects.some((object) => object.role === role)) throw incomplete(role);
  }
  const steps = [...fetchSteps(input), ...creationSteps(input), ...restoreSteps(input), ...checkSteps(input)];
  return `${[head(input), needs(input), ...steps.map(render), afterwards()].join('\n\n')}\n`;
}

/**
 * One line for a person in a hurry: the archive streamed into a database that the line itself creates, so that it can
 * never run into one that exists. No checks and no roles; RESTORE.md has them.
 */
export function renderRestoreCommand(
  input: Pick<RestoreGuideInput, 'name' | 'id' | 'source' | 'encryption' | 'objects'>,
): string {
  const archive = input.objects.find(({ role }) => role === 'archive');
  if (archive === undefined) throw incomplete('archive');
  const { source, encryption } = input;
  const folder = `${input.name}/${input.id}/${archive.name}`;
  const fetch =
    source.kind === 'directory'
      ? `cat ${shellQuote(`${source.path}/${folder}`)}`
      : ['aws s3 cp', ...s3Options(source), shellQuote(`${s3Root(source)}/${folder}`), '-'].join(' ');
  const decrypt =
    encryption.method === 'none' ? [] : [encryption.method === 'age' ? 'age -d -i "$AGE_IDENTITY_FILE"' : 'age -d'];
  const restore = [fetch, ...decrypt, 'pg_restore --no-password --dbname "$NEW_DATABASE"'].join(' | ');
  const create = `psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set name="$NEW_DATABASE" --dbname postgres <<< 'CREATE DATABASE :"name" TEMPLATE template0'`;
  return `${create} && ${restore}`;
}

function head(input: RestoreGuideInput): string {
  const stored = input.objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return `# How to restore ${input.id}

A backup of the series \`${input.name}\`, taken by db-backup-action on ${input.snapshotAt} from PostgreSQL
${input.server.major}: ${scopeInWords(input.scope)}. ${formatBytes(stored)} are stored, ${encryptionInWords(input.encryption)}.
\`metadata.json\` beside this file says whether it was proven and which checks were made. If there is no
\`metadata.json\`, this backup was never finished: take another one.

The blocks below need nothing of this action. Run them one after the other in one shell, and stop at the first error.
All of them at once: copy them into a file and run it with \`bash -euo pipefail\`.`;
}

function needs(input: RestoreGuideInput): string {
  const { major } = input.server;
  const postQuantum =
    input.encryption.method === 'age' && input.encryption.recipients.some((key) => key.startsWith('age1pq1'));
  const tools = [
    ...(input.source.kind === 's3' ? ['`aws`, the AWS command line interface, with rights to read the bucket'] : []),
    ...(input.encryption.method === 'none'
      ? []
      : [
          `\`age\`${postQuantum ? ' 1.3.0 or newer, because the keys are post-quantum' : ''} (https://age-encryption.org)`,
        ]),
    `\`psql\` and \`pg_restore\` of PostgreSQL ${major}, or of the newer major of the server that you restore to`,
    '`jq` and `sha256sum` (macOS: `shasum -a 256` instead)',
    `a PostgreSQL server of major ${major} or newer, and a role on it that may create databases and roles`,
  ];
  return `You need:\n\n${tools.map((tool) => `- ${tool}`).join('\n')}`;
}

function render(step: GuideStep): string {
  return [`## ${step.title}`, step.words, `\`\`\`sh\n${step.commands.join('\n')}\n\`\`\``, ...(step.notes ?? [])].join(
    '\n\n',
  );
}

function afterwards(): string {
  return `## Before it goes live

- Jobs, subscriptions and webhooks of the application begin to work as soon as it is connected: check them first.
  Subscriptions come back disabled.
- Roles came without passwords: set them with \`ALTER ROLE … PASSWORD\`.
- Remove the decrypted files when all is done: \`rm -r "$BACKUP_DIR"\`.`;
}

function scopeInWords(scope: Scope): string {
  const part =
    scope.schemas.length + scope.tables.length > 0 ? 'a selected part of the database' : 'the whole database';
  const without = scope.excludeSchemas.length + scope.excludeTables.length + scope.excludeTableData.length > 0;
  const content = { all: '', schema: ', definitions without rows', data: ', rows without definitions' }[scope.content];
  return `${part}${without ? ' without what was excluded' : ''}${content}`;
}

function encryptionInWords(encryption: ManifestEncryption): string {
  if (encryption.method === 'none') return 'not encrypted';
  if (encryption.method === 'age-passphrase') return 'encrypted in the age format with a passphrase';
  const keys = countOf(
    encryption.recipients.length,
    'public key, whose secret key opens it',
    'public keys, each of whose secret keys opens it',
  );
  return `encrypted in the age format to ${keys}`;
}

function incomplete(role: string): BackupError {
  return new BackupError('ERR_INTERNAL', `RESTORE.md cannot be written: the ${role} is not among the objects`, {
    op: 'write RESTORE.md',
    hint: 'Please report this. Nothing was made visible and older backups are untouched.',
  });
}
