/** Where the statements of a script begin and end, as psql sees it. */
import { lineOf, type SqlToken, sqlTokens } from './tokens.ts';

export interface SqlStatement {
  tokens: readonly SqlToken[];
  /** From 1: of its first word. */
  line: number;
  /** It ends in a semicolon, which is none of its tokens. */
  ended: boolean;
}

export interface SqlScript {
  /** Without empty ones. */
  statements: readonly SqlStatement[];
  unclosed?: { what: string; line: number };
}

/** A semicolon inside of the body of a function that is written as `BEGIN ATOMIC … END` ends no statement. */
export function sqlStatements(text: string): SqlScript {
  const { tokens, unclosed } = sqlTokens(text);
  const statements: SqlStatement[] = [];
  let current: SqlToken[] = [];
  let bodies = 0;
  const finish = (ended: boolean): void => {
    const [first] = current;
    if (first !== undefined) statements.push({ tokens: current, line: lineOf(text, first.at), ended });
    current = [];
    bodies = 0;
  };
  for (const token of tokens) {
    if (token.text === ';' && token.depth === 0 && bodies === 0) {
      finish(true);
      continue;
    }
    current.push(token);
    bodies = Math.max(0, bodies + bodyChange(current));
  }
  finish(false);
  if (unclosed === undefined) return { statements };
  return { statements, unclosed: { what: unclosed.what, line: lineOf(text, unclosed.at) } };
}

/** The last word opens or closes a body, or a CASE inside of one. */
function bodyChange(tokens: readonly SqlToken[]): number {
  if (!isCreateRoutine(tokens)) return 0;
  const word = wordOf(tokens.at(-1));
  if (word === 'BEGIN' || word === 'CASE') return 1;
  return word === 'END' ? -1 : 0;
}

function isCreateRoutine(tokens: readonly SqlToken[]): boolean {
  const [first, second, third, fourth] = tokens.slice(0, 4).map(wordOf);
  const what = second === 'OR' && third === 'REPLACE' ? fourth : second;
  return first === 'CREATE' && (what === 'FUNCTION' || what === 'PROCEDURE');
}

/** In capitals; empty for what is no word. */
export function wordOf(token: SqlToken | undefined): string {
  return token?.kind === 'word' ? token.text.toUpperCase() : '';
}

/** A statement that would begin or end a transaction; what only moves inside of one (savepoints) is none. */
export function controlsTransaction({ tokens }: SqlStatement): boolean {
  const [first, second, third] = tokens.slice(0, 3).map(wordOf);
  switch (first) {
    case 'BEGIN':
    case 'COMMIT':
    case 'END':
    case 'ABORT':
      return true;
    case 'START':
    case 'PREPARE':
      return second === 'TRANSACTION';
    case 'ROLLBACK':
      return second !== 'TO' && !((second === 'WORK' || second === 'TRANSACTION') && third === 'TO');
    default:
      return false;
  }
}
