/** Steps of RESTORE.md from nothing to decrypted files that are known to be whole. */
import { type RestoreGuideInput, s3Options, s3Root } from './input.ts';
import { type GuideStep, shellQuote } from './step.ts';

export function fetchSteps(input: RestoreGuideInput): GuideStep[] {
  return [say(input), fetch(input), check(input), ...decrypt(input)];
}

function say(input: RestoreGuideInput): GuideStep {
  const { major } = input.server;
  return {
    title: 'Say where',
    words: `Set these first, for example with \`export BACKUP_DIR=/srv/restore\`; the server's address and password go into
\`PGHOST\`, \`PGPORT\`, \`PGUSER\` and \`PGPASSWORD\` (or a \`~/.pgpass\`).`,
    commands: [
      `: "\${BACKUP_DIR:?an absolute path of a folder with room for the backup}"`,
      `: "\${TARGET_DATABASE:?the name of the database to ${input.scope.content === 'data' ? 'fill' : 'create'}}"`,
      `: "\${PGHOST:?the server to restore to}" "\${PGUSER:?a role that may create databases}"`,
      ...(input.encryption.method === 'age' ? [`: "\${AGE_IDENTITY_FILE:?the file with the secret key}"`] : []),
      'umask 077',
      'mkdir -p "$BACKUP_DIR"',
      `PATH="/usr/lib/postgresql/${major}/bin:$PATH"`,
      "client_major=$(pg_restore --version | sed -E 's/^[^0-9]*([0-9]+).*/\\1/')",
      `[ "$client_major" -ge ${major} ] || { echo "pg_restore must be ${major} or newer, not $client_major" >&2; false; }`,
      '# So that no name of a database can be taken for connection parameters:',
      `target=\${TARGET_DATABASE//\\\\/\\\\\\\\}`,
      `target="dbname='\${target//\\'/\\\\\\'}'"`,
      'export PGCLIENTENCODING=UTF8',
    ],
  };
}

function fetch(input: RestoreGuideInput): GuideStep {
  const { source } = input;
  const names = [...input.objects.map(({ name }) => name), 'metadata.json'].map(shellQuote).join(' ');
  const set = `${input.name}/${input.id}`;
  const loop = (from: string, copy: string): string[] => [
    `from=${shellQuote(from)}`,
    `for object in ${names}; do`,
    `  ${copy}`,
    'done',
  ];
  if (source.kind === 'directory') {
    return {
      title: 'Get the files',
      words: 'The set lies in the folder of this file. If it was moved since, change the path.',
      commands: loop(`${source.path}/${set}`, 'cp -- "$from/$object" "$BACKUP_DIR/$object"'),
    };
  }
  return {
    title: 'Get the files',
    words: 'With the credentials of a role that may read the bucket (`AWS_ACCESS_KEY_ID`, `AWS_PROFILE`…).',
    commands: loop(
      `${s3Root(source)}/${set}`,
      `aws s3 cp ${s3Options(source).join(' ')} --no-progress "$from/$object" "$BACKUP_DIR/$object"`,
    ),
    ...(source.virtualHostStyle === true && source.endpoint !== undefined
      ? { notes: ['This endpoint wants `aws configure set default.s3.addressing_style virtual` first.'] }
      : {}),
  };
}

function check(input: RestoreGuideInput): GuideStep {
  const lines = input.objects.map(({ name, sha256 }) => `${sha256}  ${name}`);
  return {
    title: 'Check that they are whole',
    words: 'Every line must end in `OK`. The same hashes, and that of this file, stand in `metadata.json`.',
    commands: [`(cd "$BACKUP_DIR" && sha256sum -c) <<'HASHES'`, ...lines, 'HASHES'],
  };
}

function decrypt(input: RestoreGuideInput): GuideStep[] {
  const { encryption } = input;
  if (encryption.method === 'none') return [];
  const names = input.objects.filter(({ name }) => name.endsWith('.age')).map(({ name }) => shellQuote(name));
  const byKey = encryption.method === 'age';
  return [
    {
      title: 'Decrypt',
      words: byKey
        ? `With the secret key (\`AGE-SECRET-KEY-…\`) of one of these recipients; \`age-keygen -y FILE\` prints the recipient of
a key:\n\n${encryption.recipients.map((recipient) => `- \`${recipient}\``).join('\n')}`
        : 'With the passphrase; `age` asks for it once for each file.',
      commands: [
        `for object in ${names.join(' ')}; do`,
        `  age -d ${byKey ? '-i "$AGE_IDENTITY_FILE" ' : ''}-o "$BACKUP_DIR/\${object%.age}" "$BACKUP_DIR/$object"`,
        'done',
      ],
    },
  ];
}
