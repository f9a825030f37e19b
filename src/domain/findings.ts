/** What a preflight, a health check or a dump noticed, in words that help. */

export type Severity = 'error' | 'warning' | 'notice';

export interface Finding {
  /** Stable, kebab-case: `transaction-pooler`, `row-level-security`. */
  code: string;
  severity: Severity;
  /** What was seen, one sentence. May name tables; never holds a secret. */
  seen: string;
  /** What to do, in the imperative; empty for a plain notice. */
  action: string;
}
