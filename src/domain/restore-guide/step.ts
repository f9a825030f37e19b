/** One step of RESTORE.md, and how its values are quoted. */

export interface GuideStep {
  title: string;
  words: string;
  /** Lines of bash. */
  commands: string[];
  /** Paragraphs after the commands; nothing in them is executed. */
  notes?: string[];
}

/** One word of bash, whatever it holds. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A string constant of SQL on one line, whatever it holds and however the server is set. */
export function sqlLiteral(text: string): string {
  const quoted = text.replaceAll("'", "''");
  if (!/[\\\p{Cc}]/u.test(text)) return `'${quoted}'`;
  const escaped = quoted
    .replaceAll('\\', '\\\\')
    .replaceAll(/\p{Cc}/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `E'${escaped}'`;
}
