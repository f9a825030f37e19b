/** What stands in the way of a restore, and under which code it ends then. */
import { BackupError, type ErrorCode } from '../errors.ts';
import type { Finding } from '../findings.ts';

const CODES: Readonly<Record<string, ErrorCode>> = {
  'confirm-missing': 'ERR_TARGET_NOT_EMPTY',
  'confirm-wrong': 'ERR_CONFIRM',
  'reason-missing': 'ERR_CONFIRM',
  'sessions-that-last': 'ERR_TARGET_BUSY',
  'prepared-transactions': 'ERR_TARGET_BUSY',
  'partial-at-best': 'ERR_NOT_PROVEN',
};

export function inTheWay(code: string, seen: string, action: string): Finding {
  return { code, severity: 'error', seen, action };
}

/** One error for all findings of severity `error`, under the code of the first; `undefined` when there is none. */
export function strategyError(findings: readonly Finding[]): BackupError | undefined {
  const errors = findings.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (first === undefined) return undefined;
  const seen = errors.map((finding) => finding.seen);
  const message =
    errors.length === 1
      ? first.seen
      : `${errors.length} things are in the way:\n${seen.map((each) => `- ${each}`).join('\n')}`;
  const actions = [...new Set(errors.map(({ action }) => action))];
  return new BackupError(CODES[first.code] ?? 'ERR_TARGET_UNFIT', message, {
    op: 'plan the restore',
    hint: actions.join(' '),
  });
}
