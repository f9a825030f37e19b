/** Short scripts of pg_dump and pg_dumpall, taken apart. */

/**
 * Statements without their semicolons, quotes and their line breaks kept; lines of comment and of `\restrict` between
 * them are passed over. Knows no dollar quotes and no COPY: for scripts in which there are none.
 */
export function splitStatements(sql: string): string[] {
  const statements: string[] = [];
  const token =
    /--[^\n]*|\\(?:un)?restrict[^\n]*|"(?:[^"]|"")*"|\bE'(?:[^'\\]|''|\\[\s\S])*'|'(?:[^']|'')*'|;|[\s\S]/gy;
  let text = '';
  for (const [piece] of sql.matchAll(token)) {
    const between = text.trim() === '';
    if (between && (piece.startsWith('--') || /^\\(?:un)?restrict/.test(piece))) continue;
    if (piece === ';') {
      statements.push(text.trim());
      text = '';
    } else text += piece;
  }
  return statements;
}
