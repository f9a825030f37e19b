/** Every output of the action: its name, what it means, and its value after each command. The source of action.yml. */
import type { CommandResult, DryRun, LostCopy } from '../command.ts';
import type { Finding } from '../domain/findings.ts';

interface OutputSpec {
  /** For people; Markdown. */
  description: string;
  /** Of a set that is stored. Absent: it is not a result of the command. */
  value?: (result: Exclude<CommandResult, DryRun>) => string;
  /** Absent: a dry run does not have it. */
  ofDryRun?: (result: DryRun) => string;
}

/** Set by the alarm. */
export const ISSUE_NUMBER = 'issue-number';

export const OUTPUTS: Readonly<Record<string, OutputSpec>> = {
  'backup-id': {
    description: 'The name of the set, e.g. `20261121_020000_nightly_k3v9qa`.',
    value: ({ manifest }) => manifest.id,
  },
  'backup-uri': {
    description: 'The folder of the set: `s3://bucket/prefix/name/id` or a path.',
    value: ({ backupUri }) => backupUri,
  },
  'manifest-uri': {
    description: 'Where its `metadata.json` is.',
    value: ({ manifestUri }) => manifestUri,
  },
  verdict: {
    description:
      '`proven` when every check passed and every destination holds the backup; otherwise `unproven`, and the step fails, too.',
    value: ({ manifest, lost }) => (lost.length === 0 ? manifest.verdict : 'unproven'),
  },
  'size-bytes': {
    description: 'Stored bytes of the whole set.',
    value: ({ manifest }) => String(manifest.totals.storedBytes),
  },
  sha256: {
    description: 'SHA-256 of the archive as it is stored, hex.',
    value: ({ manifest }) => manifest.objects.find(({ role }) => role === 'archive')?.sha256 ?? '',
  },
  tables: {
    description: 'Number of tables whose rows are in the backup.',
    value: ({ manifest }) => String(manifest.totals.tables),
  },
  rows: {
    description: 'Number of rows in all of them.',
    value: ({ manifest }) => String(manifest.totals.rows),
  },
  'duration-seconds': {
    description: 'How long taking this backup took.',
    value: ({ manifest }) => String(Math.round(manifest.timings.totalSeconds)),
  },
  'server-version': {
    description: "The server's version, e.g. `17.10`.",
    value: ({ manifest }) => manifest.server.version,
    ofDryRun: ({ server }) => server.version,
  },
  'postgres-major': {
    description: "The server's major version, e.g. `17`.",
    value: ({ manifest }) => String(manifest.server.major),
    ofDryRun: ({ server }) => String(server.major),
  },
  'restore-command': {
    description:
      'One line that restores this very backup into a new database named in `NEW_DATABASE`, with stock tools. Roles, collation and checks: see `RESTORE.md` of the set.',
    value: ({ restoreCommand }) => restoreCommand,
  },
  findings: {
    description: 'Warnings and notices as JSON: an array of objects with `code`, `severity`, `seen` and `action`.',
    value: findingsOf,
    ofDryRun: findingsOf,
  },
  [ISSUE_NUMBER]: {
    description: 'The issue that was opened, commented on or closed, e.g. `42`; set in a failed run too.',
  },
};

function findingsOf({ findings, lost }: CommandResult): string {
  return findingsJson([...lost.map(lostFinding), ...findings]);
}

function lostFinding({ location, error }: LostCopy): Finding {
  return {
    code: 'destination-lost',
    severity: 'error',
    seen: `${location} does not hold this backup: ${error.message}`,
    action: error.hint,
  };
}

/** A job may have outputs of 1 MiB in all (platform limit). */
const MAX_FINDINGS_CHARACTERS = 100_000;

function findingsJson(findings: readonly Finding[]): string {
  for (let count = findings.length; count > 0; count = Math.floor(count / 2)) {
    const json = JSON.stringify(findings.slice(0, count));
    if (json.length <= MAX_FINDINGS_CHARACTERS) return json;
  }
  return '[]';
}

/** Name and value of each output that the command has. */
export function outputsOf(result: CommandResult): readonly (readonly [name: string, value: string])[] {
  return Object.entries(OUTPUTS).flatMap(([name, { value, ofDryRun }]) => {
    const text = result.outcome === 'dry-run' ? ofDryRun?.(result) : value?.(result);
    return text === undefined ? [] : [[name, text] as const];
  });
}
