/** Which words a statement is made of, as far as its end depends on them. */

/** Longer words are none of those that matter here. */
const MAX_WORD_BYTES = 12;
const ROUTINE = /^create (or replace )?(function|procedure)\b/;

/**
 * Follows the words of one statement outside of strings, quoted identifiers and comments, to know when a semicolon
 * belongs to the body of an SQL-standard routine: `CREATE FUNCTION … BEGIN ATOMIC …; …; END;`.
 * `CASE` and `END` are reserved words, so that no unquoted name can be one; `BEGIN` is not, hence the pair.
 */
export class WordTracker {
  #word = '';
  #previous = '';
  #head: string[] = [];
  #blocks = 0;
  #afterString = false;

  /** A new statement. */
  begin(): void {
    this.#word = '';
    this.#previous = '';
    this.#head = [];
    this.#blocks = 0;
    this.#afterString = false;
  }

  get insideRoutineBody(): boolean {
    return this.#blocks > 0;
  }

  /** The last token was a string. */
  get afterString(): boolean {
    return this.#afterString;
  }

  /** One more byte of the present word. */
  byte(byte: number): void {
    if (this.#word.length <= MAX_WORD_BYTES) this.#word += String.fromCharCode(byte);
  }

  /** The present word has ended. Returns it in lower case, cut when it is a long one. */
  end(parentheses: number): string {
    const word = this.#word.toLowerCase();
    this.#word = '';
    if (this.#head.length < 4) this.#head.push(word);
    if (this.#blocks > 0) {
      if (word === 'case') this.#blocks += 1;
      if (word === 'end') this.#blocks -= 1;
    } else if (word === 'atomic' && this.#previous === 'begin' && parentheses === 0 && this.#isRoutine()) {
      this.#blocks = 1;
    }
    this.#previous = word;
    this.#afterString = false;
    return word;
  }

  string(): void {
    this.#previous = '';
    this.#afterString = true;
  }

  /** A token that is neither a word nor a string. */
  other(): void {
    this.#previous = '';
    this.#afterString = false;
  }

  #isRoutine(): boolean {
    return ROUTINE.test(this.#head.join(' '));
  }
}
