/**
 * The one error type of the project. Everything that can go wrong is thrown as a
 * {@link BackupError} and turned into words in one place, `report/failure.ts`.
 */

/** Stable codes: users search for them and tests assert them. */
export type ErrorCode =
  | 'ERR_INPUT'
  | 'ERR_CONNECT'
  | 'ERR_AUTH'
  | 'ERR_TLS'
  | 'ERR_DATABASE_MISSING'
  | 'ERR_POOLER'
  | 'ERR_PREFLIGHT'
  | 'ERR_PATTERN'
  | 'ERR_EMPTY_DATABASE'
  | 'ERR_SOURCE_CHANGED'
  | 'ERR_CLIENT_MISSING'
  | 'ERR_CLIENT_INSTALL'
  | 'ERR_SERVER_TOO_NEW'
  | 'ERR_LOCK_TIMEOUT'
  | 'ERR_SNAPSHOT_LOST'
  | 'ERR_DUMP_FAILED'
  | 'ERR_DUMP_STALLED'
  | 'ERR_DEADLINE'
  | 'ERR_CANCELLED'
  | 'ERR_KILLED'
  | 'ERR_ENCRYPT'
  | 'ERR_STORAGE_AUTH'
  | 'ERR_CREDENTIALS_EXPIRED'
  | 'ERR_STORAGE_DENIED'
  | 'ERR_STORAGE_MISSING'
  | 'ERR_STORAGE_EXISTS'
  | 'ERR_STORAGE_FULL'
  | 'ERR_STORAGE_STALLED'
  | 'ERR_STORAGE_TOO_LARGE'
  | 'ERR_STORAGE'
  | 'ERR_STORED_DIFFERS'
  | 'ERR_MANIFEST'
  | 'ERR_NOT_PROVEN'
  | 'ERR_RESTORE_FAILED'
  | 'ERR_TARGET_NOT_EMPTY'
  | 'ERR_TARGET_UNFIT'
  | 'ERR_TARGET_BUSY'
  | 'ERR_CONFIRM'
  | 'ERR_PERSON_UNKNOWN'
  | 'ERR_PLAN_UNKNOWN'
  | 'ERR_PLAN_OLD'
  | 'ERR_PLAN_OWN'
  | 'ERR_PLAN_DIFFERS'
  | 'ERR_SWAP_FAILED'
  | 'ERR_BACKUP_NOT_FOUND'
  | 'ERR_BACKUP_DAMAGED'
  | 'ERR_DECRYPT'
  | 'ERR_SAFETY_BACKUP'
  | 'ERR_DRILL_SERVER'
  | 'ERR_AFTER_RESTORE'
  | 'ERR_PRUNE_TOO_MUCH'
  | 'ERR_PRUNE_LAST_PROVEN'
  | 'ERR_PRUNE_CLOCK'
  | 'ERR_LIFECYCLE'
  | 'ERR_STATUS'
  | 'ERR_CHECK'
  | 'ERR_GITHUB'
  | 'ERR_INTERNAL';

/** What a {@link BackupError} carries besides its message. */
export interface ErrorContext {
  /** The operation under way, as a user would name it: `connect`, `upload database.backup.age`. */
  op: string;
  /** What to do now, in the imperative. Shown to someone woken at 3 a.m. */
  hint: string;
  /** True when the same call may succeed if it is simply repeated. */
  retryable?: boolean;
  cause?: unknown;
}

/**
 * A failure with a code, the operation it struck, a hint and its cause.
 * `message` is one sentence that says what happened; it never holds a secret on purpose,
 * and everything printed is masked again at the edge.
 */
export class BackupError extends Error {
  readonly code: ErrorCode;
  readonly op: string;
  readonly hint: string;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, context: ErrorContext) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.name = 'BackupError';
    this.code = code;
    this.op = context.op;
    this.hint = context.hint;
    this.retryable = context.retryable ?? false;
  }
}

/** One thing wrong with one input. */
export interface InputProblem {
  /** The input as the user wrote it in YAML: `age-recipients`. */
  input: string;
  /** A sentence: what is wrong and what to write instead. Never holds a secret value. */
  message: string;
}

/** All problems of one run's inputs, reported together and before any I/O. */
export class InputError extends BackupError {
  readonly problems: readonly InputProblem[];

  constructor(problems: readonly InputProblem[]) {
    const lines = problems.map((problem) => `${problem.input}: ${problem.message}`);
    super(
      'ERR_INPUT',
      lines.length === 1 ? (lines[0] as string) : `${lines.length} inputs are wrong:\n- ${lines.join('\n- ')}`,
      {
        op: 'read inputs',
        hint: 'Correct the `with:` block of the step.',
      },
    );
    this.problems = problems;
  }
}

/** The error's own sentence, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
