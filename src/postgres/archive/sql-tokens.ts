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

/** A pattern that matches at one place only. */
class Cursor {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found !== null) this.at = pattern.lastIndex;
    return found;
  }
}

/**
 * The tokens of `text` one after the other, up to its end or to the first thing that is cut off there. Good for
 * the statements that the reader takes apart (COPY, setval, SET, the beginnings of CREATE and ALTER): knows no
 * dollar quotes.
 */
function* tokensOf(text: string, standardStrings: boolean): Generator<SqlToken, undefined> {
  const cursor = new Cursor(text);
  const string = standardStrings ? PLAIN_STRING : ESCAPE_STRING;
  while (cursor.at < text.length) {
    if (cursor.take(SPACE) !== null) continue;
    const word = cursor.take(WORD);
    const identifier = word === null ? cursor.take(IDENTIFIER) : null;
    const literal = word === null && identifier === null ? cursor.take(string) : null;
    if (word !== null) yield { kind: 'word', text: word[0] };
    else if (identifier !== null) yield { kind: 'identifier', text: (identifier[1] ?? '').replaceAll('""', '"') };
    else if (literal !== null) yield { kind: 'string', text: unescaped(literal[1] ?? '', standardStrings) };
    else {
      const symbol = text[cursor.at] as string;
      if (symbol === '"' || symbol === "'") return;
      cursor.at += 1;
      yield { kind: 'symbol', text: symbol };
    }
  }
}

function unescaped(body: string, standardStrings: boolean): string {
  return standardStrings
    ? body.replaceAll("''", "'")
    : body.replace(/''|\\([\s\S])/g, (_, byte: string) => byte ?? "'");
}

/** Reads tokens from the left. Every method that does not find what it asks for leaves the position alone. */
export class TokenReader {
  readonly #source: Iterator<SqlToken, undefined>;
  readonly #tokens: SqlToken[] = [];
  #at = 0;

  /** Takes `text` apart only as far as it is read. */
  constructor(text: string, standardStrings: boolean) {
    this.#source = tokensOf(text, standardStrings);
  }

  get atEnd(): boolean {
    return this.#peek() === undefined;
  }

  #peek(ahead = 0): SqlToken | undefined {
    const index = this.#at + ahead;
    while (this.#tokens.length <= index) {
      const { value } = this.#source.next();
      if (value === undefined) return undefined;
      this.#tokens.push(value);
    }
    return this.#tokens[index];
  }

  /** Takes these keywords, all or none. */
  words(...words: string[]): boolean {
    const found = words.every((word, index) => {
      const token = this.#peek(index);
      return token?.kind === 'word' && token.text.toLowerCase() === word;
    });
    if (found) this.#at += words.length;
    return found;
  }

  symbol(symbol: string): boolean {
    const token = this.#peek();
    const found = token?.kind === 'symbol' && token.text === symbol;
    if (found) this.#at += 1;
    return found;
  }

  /** A name, quoted or not. */
  name(): string | undefined {
    const token = this.#peek();
    if (token?.kind !== 'word' && token?.kind !== 'identifier') return undefined;
    this.#at += 1;
    return token.text;
  }

  string(): string | undefined {
    const token = this.#peek();
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
