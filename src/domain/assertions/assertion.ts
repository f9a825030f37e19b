/** One assertion, read. */
import type { ValueExpectation } from './expected-value.ts';

export type Expectation = { form: 'true' } | ValueExpectation | { form: 'freshness'; seconds: number };

export interface Assertion {
  /** From 1: where it begins in the text. */
  line: number;
  /** The query alone, one statement without its semicolon. */
  sql: string;
  expected: Expectation;
  /** As the user wrote it, on one line, for people. */
  words: string;
}
