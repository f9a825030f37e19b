/** What pg_dump says on standard error, under `LC_ALL=C` and `--verbose`. */
import { BackupError } from './errors.ts';
import type { Finding } from './findings.ts';

export type DumpMessage =
  | { kind: 'table'; name: string }
  | { kind: 'warning'; text: string }
  | { kind: 'error'; text: string }
  | { kind: 'other'; text: string };

/** One line of pg_dump's standard error. `name` is as pg_dump prints it, schema-qualified. */
export function parseDumpLine(line: string): DumpMessage {
  const table = /^pg_dump: dumping contents of table "(.*)"$/.exec(line);
  if (table?.[1] !== undefined) return { kind: 'table', name: table[1] };
  const told = /^pg_dump: (warning|error): (.*)$/s.exec(line);
  if (told?.[2] !== undefined) return { kind: told[1] === 'warning' ? 'warning' : 'error', text: told[2] };
  return { kind: 'other', text: line };
}

/** A warning that a user must see, as a finding of the run. */
export function dumpWarning(text: string): Finding {
  if (text.includes('circular foreign-key constraints')) {
    return {
      code: 'circular-foreign-keys',
      severity: 'notice',
      seen: `pg_dump: ${text}`,
      action: 'A whole restore is not affected; restoring rows alone needs --disable-triggers.',
    };
  }
  if (text.startsWith('subscriptions not dumped')) {
    return {
      code: 'subscriptions-left-out',
      severity: 'warning',
      seen: 'Subscriptions are not in this backup: Postgres lets only a superuser dump them',
      action: 'Write down their definitions elsewhere, or back up as a superuser.',
    };
  }
  return {
    code: 'dump-warning',
    severity: 'warning',
    seen: `pg_dump: ${text}`,
    action: 'Look up what pg_dump means; if it names something that you need, mend that and back up again.',
  };
}

/** What of pg_dump's warnings may stand in the plain manifest: no names of the database's content. */
export function publicWarnings(warnings: readonly Finding[]): { code: string; message: string }[] {
  const words: Record<string, string> = {
    'subscriptions-left-out': 'Subscriptions are not in this backup',
    'dump-warning': 'pg_dump warned; the log of the run has its words',
  };
  const codes = [...new Set(warnings.map(({ code }) => code))];
  return codes.flatMap((code) => (words[code] === undefined ? [] : [{ code, message: words[code] }]));
}

/** How pg_dump ended, without the runner's types. */
export interface DumpEnd {
  code: number | null;
  signal: string | null;
  stderr: string;
}

/** For `--lock-wait-timeout` pg_dump sets the statement timeout around its LOCK TABLE (measured on 13 to 18). */
const LOCK_REFUSED = /lock timeout|could not obtain lock|statement timeout[\s\S]*LOCK TABLE/i;
/** One LOCK TABLE may name thousands of tables. */
const SAID_CHARACTERS = 500;

/** The error for a pg_dump that did not end with exit code 0. */
export function dumpFailure(end: DumpEnd): BackupError {
  const errors = end.stderr
    .split('\n')
    .filter((line) => /^pg_dump: (error|detail|hint):/.test(line))
    .map((line) => line.replace(/^pg_dump: /, ''));
  const said = cut(errors.length > 0 ? errors.join('; ') : lastLine(end.stderr));
  if (LOCK_REFUSED.test(end.stderr)) {
    return new BackupError('ERR_LOCK_TIMEOUT', `pg_dump waited too long for a lock: ${said}`, {
      op: 'dump',
      hint: 'Another session holds or awaits an exclusive lock (a migration, VACUUM FULL, REINDEX). Let it end and run the backup again, or raise `lock-timeout-seconds`.',
      retryable: true,
    });
  }
  if (end.signal !== null) {
    return new BackupError('ERR_DUMP_FAILED', `pg_dump was ended by ${end.signal}${said === '' ? '' : `: ${said}`}`, {
      op: 'dump',
      hint: 'Something outside ended it; on a runner this is most often the memory limit. Run the backup again.',
      retryable: true,
    });
  }
  return new BackupError('ERR_DUMP_FAILED', `pg_dump failed with exit code ${end.code}: ${said}`, {
    op: 'dump',
    hint: hintFor(end.stderr),
    retryable: /server closed the connection|connection .*(lost|reset)|PQgetCopyData|terminating connection/i.test(
      end.stderr,
    ),
  });
}

function hintFor(stderr: string): string {
  if (/permission denied/i.test(stderr)) {
    return 'The role of `database-url` may not read everything in scope. Grant it what the message names (`GRANT pg_read_all_data TO role`), or leave that part out with `exclude-schemas` or `exclude-tables`.';
  }
  if (/server closed the connection|terminating connection|connection .*(lost|reset)|PQgetCopyData/i.test(stderr)) {
    return 'The server or the network ended the connection in mid-dump. Run the backup again; if it happens at the same point each time, read the server log.';
  }
  if (/server version mismatch/i.test(stderr))
    return 'The client is older than the server. This is a fault of this action; please report it.';
  if (/conflict with recovery/i.test(stderr)) {
    return 'A standby cancelled the dump. Back up from the primary, or raise max_standby_streaming_delay on the standby.';
  }
  return 'Read what pg_dump said; run the backup again after mending it.';
}

function cut(text: string): string {
  return text.length > SAID_CHARACTERS ? `${text.slice(0, SAID_CHARACTERS)}…` : text;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
