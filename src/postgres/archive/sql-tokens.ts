/** Takes apart the text of one statement that the lexer has already found the end of. */

export interface SqlToken {
  kind: 'word' | 'identifier' | 'string' | 'symbol';
  /** A word as written, an identifier or string without its quotes, a symbol of one character. */
  text: string;
}

const SPACE = /[ \t\n\v\f\r]+|--[^\n]*(?:\n|$)/y;
const WORD = /[A-Za-z0-9_$\u0080-\u{10ffff}]+/uy;
const IDENTIFIER = /"([^"]*(?:""[^"]*)*)"/y;
const PLAIN_STRING = /'([^']*(?:''[^']*)*)'/y;
const ESCAPE_STRING = /'([^'\\]*(?:(?:''|\\[\s\S])[^'\\]*)*)'/y;

/**
 * The tokens of `text` up to its end or to the first thing that is cut off there. Good for the statements that
 * the reader takes apart (COPY, setval, SET and the beginning of CREATE and ALTER): knows no dollar quotes.
 */
export function tokenize(text: string, standardStrings: boolean): SqlToken[] {
  const tokens: SqlToken[] = [];
  const string = standardStrings ? PLAIN_STRING : ESCAPE_STRING;
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  while (at < text.length) {
    if (match(SPACE) !== null) continue;
    const word = match(WORD);
    if (word !== null) {
      tokens.push({ kind: 'word', text: word[0] });
      continue;
    }
    const identifier = match(IDENTIFIER);
    if (identifier !== null) {
      tokens.push({ kind: 'identifier', text: (identifier[1] ?? '').replaceAll('""', '"') });
      continue;
    }
    const literal = match(string);
    if (literal !== null) {
      tokens.push({ kind: 'string', text: unescaped(literal[1] ?? '', standardStrings) });
      continue;
    }
    const symbol = text[at] as string;
    if (symbol === '"' || symbol === "'") return tokens;
    tokens.push({ kind: 'symbol', text: symbol });
    at += 1;
  }
  return tokens;
}

function unescaped(body: string, standardStrings: boolean): string {
  return standardStrings
    ? body.replaceAll("''", "'")
    : body.replace(/''|\\([\s\S])/g, (_, byte: string) => byte ?? "'");
}

/** Reads tokens from the left. Every method that does not find what it asks for leaves the position alone. */
export class TokenReader {
  readonly #tokens: readonly SqlToken[];
  #at = 0;

  constructor(tokens: readonly SqlToken[]) {
    this.#tokens = tokens;
  }

  get atEnd(): boolean {
    return this.#at >= this.#tokens.length;
  }

  /** Takes these keywords, all or none. */
  words(...words: string[]): boolean {
    const found = words.every((word, index) => {
      const token = this.#tokens[this.#at + index];
      return token?.kind === 'word' && token.text.toLowerCase() === word;
    });
    if (found) this.#at += words.length;
    return found;
  }

  symbol(symbol: string): boolean {
    const token = this.#tokens[this.#at];
    const found = token?.kind === 'symbol' && token.text === symbol;
    if (found) this.#at += 1;
    return found;
  }

  /** A name, quoted or not. */
  name(): string | undefined {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'word' && token?.kind !== 'identifier') return undefined;
    this.#at += 1;
    return token.text;
  }

  string(): string | undefined {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'string') return undefined;
    this.#at += 1;
    return token.text;
  }

  /** `schema.name`. */
  qualifiedName(): { schema: string; name: string } | undefined {
    const start = this.#at;
    const schema = this.name();
    const name = schema !== undefined && this.symbol('.') ? this.name() : undefined;
    if (schema !== undefined && name !== undefined) return { schema, name };
    this.#at = start;
    return undefined;
  }

  /** Goes behind the first occurrence of these keywords, if there is one. */
  skipPast(...words: string[]): boolean {
    const start = this.#at;
    while (!this.atEnd) {
      if (this.words(...words)) return true;
      this.#at += 1;
    }
    this.#at = start;
    return false;
  }
}
