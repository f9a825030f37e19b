/** Every output of the action: its name, what it means, and its value after each command. The source of action.yml. */
import type {
  BackupResult,
  CheckResult,
  CommandResult,
  DryRun,
  LostCopy,
  RecoveryDryRun,
  RecoveryResult,
  ReusedBackup,
  StatusResult,
} from '../command.ts';
import { worstFirst } from '../domain/check/judge.ts';
import type { Finding } from '../domain/findings.ts';
import type { PruneResult } from '../domain/retention/result.ts';
import { asFinding } from '../domain/status/finding.ts';
import type { StatusFinding } from '../domain/status/model.ts';
import { keptIds, removedIds } from './prune-report.ts';
import { newestOf } from './status-words.ts';

interface OutputSpec {
  /** For people; Markdown. */
  description: string;
  /** Of a set that is stored. Absent or `undefined`: it is not a result of the command. */
  value?: (result: BackupResult | ReusedBackup) => string | undefined;
  /** Absent: a dry run does not have it. */
  ofDryRun?: (result: DryRun) => string;
  /** Absent or `undefined`: a restore or drill does not have it. */
  ofRecovery?: (result: RecoveryResult) => string | undefined;
  /** The same of the dry run of one. */
  ofPlan?: (result: RecoveryDryRun) => string | undefined;
  ofPrune?: (result: PruneResult) => string;
  ofStatus?: (result: StatusResult) => string | undefined;
  /** Absent or `undefined`: a check does not have it. */
  ofCheck?: (result: CheckResult) => string | undefined;
}

/** Set by the report itself, when the file is written. */
export const REPORT_PATH = 'report-path';
export const DASHBOARD_PATH = 'dashboard-path';
/** Set by the alarm. */
export const ISSUE_NUMBER = 'issue-number';

export const OUTPUTS: Readonly<Record<string, OutputSpec>> = {
  'backup-id': {
    description:
      'The name of the set that was taken or restored, e.g. `20261121_020000_nightly_k3v9qa`; of a dump made by other means its file name; of a status that of the newest proven set.',
    value: ({ manifest }) => manifest.id,
    ofRecovery: ({ recovery }) => recovery.source.id,
    ofPlan: ({ backup }) => backup.id,
    ofStatus: ({ report }) => newestOf(report)?.id,
  },
  'backup-uri': {
    description: 'The folder of the set: `s3://bucket/prefix/name/id` or a path.',
    value: ({ backupUri }) => backupUri,
    ofRecovery: ({ recovery }) => recovery.source.uri,
    ofPlan: ({ backup }) => backup.uri,
    ofStatus: ({ report }) => newestOf(report)?.uri,
  },
  'manifest-uri': {
    description: 'Where its `metadata.json` is.',
    value: ({ manifestUri }) => manifestUri,
  },
  verdict: {
    description:
      'Of a backup: `proven` when every check passed and every destination holds the backup; otherwise `unproven`, and the step fails, too. Of a restore or drill: `passed` when every check passed, `partial` when none failed but something could not be decided, `failed`; only `passed` is green, unless `partial` was accepted beforehand. Of a status: the worst level of its findings, `info`, `warning` or `critical`; `info` is also said when there is none. Of a check: `passed`, `warning` (or something could not be looked at; green all the same unless `strict`), `failed`.',
    value: ({ manifest, lost }) => (lost.length === 0 ? manifest.verdict : 'unproven'),
    ofRecovery: ({ recovery }) => recovery.verdict,
    ofStatus: ({ report }) => report.level,
    ofCheck: ({ verdict }) => verdict,
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
    description: 'Number of tables whose rows are in the backup, or were restored.',
    value: ({ manifest }) => String(manifest.totals.tables),
    ofRecovery: ({ recovery }) => String(recovery.totals.tables),
  },
  rows: {
    description: 'Number of rows in all of them.',
    value: ({ manifest }) => String(manifest.totals.rows),
    ofRecovery: ({ recovery }) => String(recovery.totals.rows),
  },
  'duration-seconds': {
    description: 'How long it took.',
    value: ({ manifest }) => String(Math.round(manifest.timings.totalSeconds)),
    ofRecovery: ({ recovery }) => String(Math.round(recovery.totalSeconds)),
    ofCheck: ({ record }) => String(Math.round((Date.parse(record.finishedAt) - Date.parse(record.startedAt)) / 1000)),
  },
  'server-version': {
    description: "The server's version, e.g. `17.10`; of a restore or drill that of the target.",
    value: ({ manifest }) => manifest.server.version,
    ofDryRun: ({ server }) => server.version,
    ofRecovery: ({ recovery }) => recovery.target.serverVersion,
    ofCheck: ({ record }) => record.server?.version,
  },
  'postgres-major': {
    description: "The server's major version, e.g. `17`.",
    value: ({ manifest }) => String(manifest.server.major),
    ofDryRun: ({ server }) => String(server.major),
    ofRecovery: ({ recovery }) => /^\d+/.exec(recovery.target.serverVersion)?.[0],
    ofCheck: ({ record }) => (record.server === null ? undefined : String(record.server.major)),
  },
  'restored-database': {
    description: 'The database that the backup was restored into; of `strategy: swap` its final name.',
    ofRecovery: ({ command, recovery }) => (command === 'restore' ? recovery.target.database : undefined),
  },
  'plan-fingerprint': {
    description:
      'Of a dry run with `require-second-person`: the fingerprint of its plan, which a second person types into `confirm`.',
    ofPlan: ({ toConfirm }) => toConfirm?.fingerprint,
  },
  'restore-command': {
    description:
      'One line that restores this very backup into a new database named in `NEW_DATABASE`, with stock tools. Roles, collation and checks: see `RESTORE.md` of the set.',
    value: ({ restoreCommand }) => restoreCommand,
  },
  removed: {
    description:
      'Of a prune: how many backups are gone now, counted once when several destinations held them; of a dry run how many would be. Also of a backup with `prune-after-backup`.',
    value: (result) => ofPruneAfter(result, removedIds),
    ofPrune: (result) => String(removedIds(result).length),
  },
  kept: {
    description: 'Of a prune: how many backups the policy keeps, counted in the same way.',
    value: (result) => ofPruneAfter(result, keptIds),
    ofPrune: (result) => String(keptIds(result).length),
  },
  findings: {
    description:
      'Warnings and notices as JSON: an array of objects with `code`, `severity`, `seen` and `action`; of a status also with `level` and `series` (docs/findings.schema.json). Of a check: every check with its `code`, `group`, `status`, `seen`, `action`, and `value` and `limit` where it has them (docs/check-findings.schema.json).',
    value: findingsOf,
    ofDryRun: findingsOf,
    ofRecovery: ({ findings }) => findingsJson(findings),
    ofPlan: ({ findings }) => findingsJson(findings),
    ofPrune: ({ findings }) => findingsJson(findings),
    ofStatus: ({ report }) => findingsJson(report.findings.map(statusFinding)),
    ofCheck: ({ results, strict }) => findingsJson(worstFirst(results, strict)),
  },
  [REPORT_PATH]: {
    description:
      'The report of a restore, drill or check (Markdown), where `report-path` asked for one; set in a failed run too.',
  },
  [DASHBOARD_PATH]: {
    description: 'The dashboard of a status (HTML), where `dashboard` asked for one; set in a red run too.',
  },
  [ISSUE_NUMBER]: {
    description: 'The issue that was opened, commented on or closed, e.g. `42`; set in a failed run too.',
  },
};

/** `series` is left out of what is about the storage as a whole. */
function statusFinding(finding: StatusFinding): Finding & StatusFinding {
  return { ...asFinding(finding), ...finding };
}

function ofPruneAfter(
  result: BackupResult | ReusedBackup,
  ids: (result: PruneResult) => readonly string[],
): string | undefined {
  if (result.outcome !== 'taken' || result.pruned === undefined) return undefined;
  return String(ids(result.pruned).length);
}

function findingsOf({ findings, lost }: Pick<BackupResult, 'findings' | 'lost'>): string {
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

function findingsJson(findings: readonly object[]): string {
  for (let count = findings.length; count > 0; count = Math.floor(count / 2)) {
    const json = JSON.stringify(findings.slice(0, count));
    if (json.length <= MAX_FINDINGS_CHARACTERS) return json;
  }
  return '[]';
}

/** Name and value of each output that the command has. */
export function outputsOf(result: CommandResult): readonly (readonly [name: string, value: string])[] {
  return Object.entries(OUTPUTS).flatMap(([name, spec]) => {
    const text = outputOf(spec, result);
    return text === undefined ? [] : [[name, text] as const];
  });
}

function outputOf(
  { value, ofDryRun, ofRecovery, ofPlan, ofPrune, ofStatus, ofCheck }: OutputSpec,
  result: CommandResult,
): string | undefined {
  switch (result.outcome) {
    case 'dry-run':
      return ofDryRun?.(result);
    case 'planned':
      return ofPlan?.(result);
    case 'pruned':
      return ofPrune?.(result);
    case 'watched':
      return ofStatus?.(result);
    case 'checked':
      return ofCheck?.(result);
    case 'restored':
    case 'drilled':
      return ofRecovery?.(result);
    default:
      return value?.(result);
  }
}
