/** What a program said once, on one line or several. */

/** One message with all its lines: HINT, DETAIL, `Command was: …`. */
export interface RestoreMessage {
  severity: 'error' | 'warning';
  /** First line, without the program's name: `could not execute query: ERROR:  …`. */
  text: string;
  /** The lines after it. */
  more: readonly string[];
}

/** What the server said, without the command that it was about: that may hold any words. */
export function wordsOf({ text, more }: RestoreMessage): string {
  return [text, ...more.filter((line) => /^(?:DETAIL|HINT|CONTEXT): /.test(line))].join('\n');
}
