/** From the text of `assertions` to single ones, each with its line. */
import { sqlStatements } from '../sql/statements.ts';
import { type SqlToken, sqlTokens } from '../sql/tokens.ts';

/** One assertion before its query is looked at. */
export interface AssertionText {
  line: number;
  text: string;
  tokens: readonly SqlToken[];
}

export interface SplitProblem {
  line: number;
  message: string;
}

export interface SplitText {
  parts: AssertionText[];
  problems: SplitProblem[];
}

/** A semicolon anywhere says that statements end in one; without any each line is an assertion. */
export function splitAssertions(text: string): SplitText {
  const plain = withoutComments(text);
  return sqlStatements(plain).statements.some(({ ended }) => ended) ? splitStatements(plain) : splitLines(plain);
}

/** Lines of comment between assertions, blanked out so that every line keeps its place. */
function withoutComments(text: string): string {
  return text
    .split(/(\r\n|\r|\n)/)
    .map((line) => (/^\s*(#(?![>-])|--)/.test(line) ? '' : line))
    .join('');
}

function splitStatements(text: string): SplitText {
  const { statements, unclosed } = sqlStatements(text);
  if (unclosed !== undefined) {
    return {
      parts: [],
      problems: [{ line: unclosed.line, message: `${unclosed.what} that begins here is never closed` }],
    };
  }
  const problems: SplitProblem[] = [];
  const parts = statements.map(({ tokens, line, ended }) => {
    const message = 'it does not end in a semicolon, as others here do; end every query with one';
    if (!ended) problems.push({ line, message });
    const [from = 0, to = 0] = [tokens[0]?.at, tokens.at(-1)?.end];
    const moved = tokens.map((token) => ({ ...token, at: token.at - from, end: token.end - from }));
    return { line, text: text.slice(from, to), tokens: moved };
  });
  return { parts, problems };
}

function splitLines(text: string): SplitText {
  const parts: AssertionText[] = [];
  const problems: SplitProblem[] = [];
  for (const [index, line] of text.split(/\r\n|\r|\n/).entries()) {
    const { tokens, unclosed } = sqlTokens(line);
    const number = index + 1;
    if (unclosed !== undefined) {
      const message = `${unclosed.what} is never closed in this line; a query of several lines ends in a semicolon`;
      problems.push({ line: number, message });
    } else if (tokens.length > 0) parts.push({ line: number, text: line, tokens });
  }
  return { parts, problems };
}
