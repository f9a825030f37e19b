/**
 * Finds the ends of statements in the plain output of `pg_restore`, byte by byte as psql would, so that nothing
 * inside a string, an identifier, a comment or a function body can pass for a statement, a COPY block or a header.
 * Works on ASCII bytes alone: right for every encoding that a server can have (client-only ones such as SJIS are
 * refused by the reader). Keeps no text: statement bytes go to the sink as they come.
 */
import { DollarQuote } from './dollar-quote.ts';
import { notProven } from './not-proven.ts';
import {
  BACKSLASH,
  CLOSE,
  DASH,
  DOLLAR,
  DOUBLE_QUOTE,
  IN_WORD,
  isSpace,
  NEWLINE,
  OPEN,
  QUOTE,
  SEMICOLON,
  SLASH,
  STAR,
} from './sql-bytes.ts';
import { WordTracker } from './word-tracker.ts';

/** The longest comment line or meta-command that is kept. Headers are names and argument lists: far shorter. */
const MAX_LINE_BYTES = 64 * 1024;

/** What the last call of {@link SqlLexer.feed} came to the end of. */
export type LexerEvent = 'none' | 'statement' | 'comment' | 'meta-command';

type State =
  | 'between'
  | 'code'
  | 'word'
  | 'dash'
  | 'slash'
  | 'line-comment'
  | 'block-comment'
  | 'meta-command'
  | 'string'
  | 'string-escape'
  | 'identifier'
  | 'dollar-tag'
  | 'dollar-body';

const DESCRIPTION: Record<State, string> = {
  between: 'nothing',
  code: 'a statement',
  word: 'a statement',
  dash: 'a statement',
  slash: 'a statement',
  'line-comment': 'a comment',
  'block-comment': 'a comment',
  'meta-command': 'a meta-command',
  string: 'a string',
  'string-escape': 'a string',
  identifier: 'a quoted identifier',
  'dollar-tag': 'a dollar-quoted string',
  'dollar-body': 'a dollar-quoted string',
};

export class SqlLexer {
  /** `standard_conforming_strings`: when off, a backslash escapes in every string, not in `E'…'` alone. */
  standardStrings = true;
  #event: LexerEvent = 'none';
  readonly #statementBytes: (part: Uint8Array) => void;
  readonly #words = new WordTracker();
  readonly #dollarQuote = new DollarQuote();
  readonly #line: number[] = [];
  #state: State = 'between';
  #inStatement = false;
  #parentheses = 0;
  #escapes = false;
  #commentDepth = 0;
  #commentByte = 0;
  #base = 0;

  /** `statementBytes` gets every byte of every statement, from its first one to its semicolon, in order. */
  constructor(statementBytes: (part: Uint8Array) => void) {
    this.#statementBytes = statementBytes;
  }

  get event(): LexerEvent {
    return this.#event;
  }

  /** The line of the last `comment` (behind its `--`) or `meta-command` event, without the newline. */
  get line(): Buffer {
    return Buffer.from(this.#line);
  }

  /**
   * Reads from `bytes[from]` on, up to the end of a statement, of a comment line between statements or of a
   * meta-command (then {@link event} says which), else to the end of `bytes`. Returns where it stopped.
   * `base` is the offset of `bytes[0]` in the whole input, for error messages.
   */
  feed(bytes: Buffer, from: number, base: number): number {
    this.#event = 'none';
    this.#base = base;
    let start = from;
    let at = from;
    while (at < bytes.length && this.event === 'none') {
      const wasInside = this.#inStatement;
      at = this.#step(bytes, at);
      if (!wasInside && this.#inStatement) start = at;
    }
    if (this.#inStatement && at > start) this.#statementBytes(bytes.subarray(start, at));
    if (this.event === 'statement') this.#inStatement = false;
    return at;
  }

  /** Throws `ERR_NOT_PROVEN` when the input ends anywhere but between statements. */
  end(offset: number): void {
    if (this.#state !== 'between') throw notProven(`The input ends inside ${DESCRIPTION[this.#state]}`, offset);
  }

  #step(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case 'between':
        return this.#between(bytes, at);
      case 'code':
        return this.#code(bytes, at);
      case 'word':
        return this.#word(bytes, at);
      case 'dash':
        return this.#dash(bytes, at);
      case 'slash':
        return this.#slash(bytes, at);
      case 'line-comment':
      case 'meta-command':
        return this.#restOfLine(bytes, at);
      case 'block-comment':
        return this.#blockComment(bytes, at);
      case 'string':
        return this.#string(bytes, at);
      case 'string-escape':
        this.#state = 'string';
        return at + 1;
      case 'identifier':
        return this.#untilByte(bytes, at, DOUBLE_QUOTE);
      case 'dollar-tag':
        return this.#dollarTag(bytes, at);
      case 'dollar-body':
        return this.#dollarBody(bytes, at);
    }
  }

  #between(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at += 1) {
      const byte = bytes[at] as number;
      if (isSpace(byte) || byte === SEMICOLON) continue;
      if (byte === DASH || byte === SLASH || byte === BACKSLASH) {
        this.#line.length = 0;
        this.#state = byte === DASH ? 'dash' : byte === SLASH ? 'slash' : 'meta-command';
        return at + 1;
      }
      this.#inStatement = true;
      this.#parentheses = 0;
      this.#words.begin();
      this.#state = 'code';
      return at;
    }
    return bytes.length;
  }

  #code(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at += 1) {
      const byte = bytes[at] as number;
      if (isSpace(byte)) continue;
      if (IN_WORD[byte] === 1 && byte !== DOLLAR) {
        this.#state = 'word';
        return at;
      }
      if (byte === DASH || byte === SLASH) {
        this.#state = byte === DASH ? 'dash' : 'slash';
        return at + 1;
      }
      if (byte === QUOTE) return this.#openString(at, '');
      this.#words.other();
      switch (byte) {
        case DOUBLE_QUOTE:
          this.#state = 'identifier';
          return at + 1;
        case DOLLAR:
          this.#dollarQuote.begin();
          this.#state = 'dollar-tag';
          return at + 1;
        case OPEN:
          this.#parentheses += 1;
          break;
        case CLOSE:
          this.#parentheses -= 1;
          if (this.#parentheses < 0) throw this.#error('A parenthesis closes that was never opened', at);
          break;
        case BACKSLASH:
          throw this.#error('A backslash stands outside of any string', at);
        case SEMICOLON:
          if (this.#parentheses > 0 || this.#words.insideRoutineBody) break;
          this.#state = 'between';
          this.#event = 'statement';
          return at + 1;
      }
    }
    return bytes.length;
  }

  #word(bytes: Buffer, from: number): number {
    let at = from;
    while (at < bytes.length && IN_WORD[bytes[at] as number] === 1) {
      this.#words.byte(bytes[at] as number);
      at += 1;
    }
    if (at === bytes.length) return at;
    const word = this.#words.end(this.#parentheses);
    this.#state = 'code';
    // `E'…'`: the prefix and the quote touch each other.
    return bytes[at] === QUOTE ? this.#openString(at, word) : at;
  }

  #openString(at: number, prefix: string): number {
    // `''` inside a string and a string that goes on in the next line keep the kind of the part before.
    if (!this.#words.afterString) {
      const bits = prefix === 'b' || prefix === 'x';
      this.#escapes = prefix === 'e' || (!this.standardStrings && !bits);
    }
    this.#words.string();
    this.#state = 'string';
    return at + 1;
  }

  #string(bytes: Buffer, from: number): number {
    if (!this.#escapes) return this.#untilByte(bytes, from, QUOTE);
    for (let at = from; at < bytes.length; at += 1) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) this.#state = 'code';
      else if (byte === BACKSLASH) this.#state = 'string-escape';
      else continue;
      return at + 1;
    }
    return bytes.length;
  }

  #untilByte(bytes: Buffer, from: number, closing: number): number {
    const found = bytes.indexOf(closing, from);
    if (found === -1) return bytes.length;
    this.#state = 'code';
    return found + 1;
  }

  #dash(bytes: Buffer, at: number): number {
    if (bytes[at] === DASH) {
      this.#state = 'line-comment';
      return at + 1;
    }
    return this.#notAComment(at);
  }

  #slash(bytes: Buffer, at: number): number {
    if (bytes[at] === STAR) {
      this.#state = 'block-comment';
      this.#commentDepth = 1;
      this.#commentByte = 0;
      return at + 1;
    }
    return this.#notAComment(at);
  }

  #notAComment(at: number): number {
    if (!this.#inStatement) throw this.#error('A statement begins with an operator', at);
    this.#words.other();
    this.#state = 'code';
    return at;
  }

  #restOfLine(bytes: Buffer, from: number): number {
    const newline = bytes.indexOf(NEWLINE, from);
    const end = newline === -1 ? bytes.length : newline;
    if (!this.#inStatement) {
      const room = MAX_LINE_BYTES - this.#line.length;
      for (let at = from; at < Math.min(end, from + room); at += 1) this.#line.push(bytes[at] as number);
    }
    if (newline === -1) return end;
    if (!this.#inStatement) this.#event = this.#state === 'line-comment' ? 'comment' : 'meta-command';
    this.#state = this.#inStatement ? 'code' : 'between';
    return newline + 1;
  }

  #blockComment(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at += 1) {
      const byte = bytes[at] as number;
      const pair = (this.#commentByte === STAR && byte === SLASH) || (this.#commentByte === SLASH && byte === STAR);
      this.#commentByte = pair ? 0 : byte;
      if (!pair) continue;
      this.#commentDepth += byte === STAR ? 1 : -1;
      if (this.#commentDepth > 0) continue;
      this.#state = this.#inStatement ? 'code' : 'between';
      return at + 1;
    }
    return bytes.length;
  }

  #dollarTag(bytes: Buffer, at: number): number {
    const meaning = this.#dollarQuote.tagByte(bytes[at] as number);
    if (meaning === 'neither') throw this.#error('A dollar sign opens neither a string nor a parameter', at);
    if (meaning === 'parameter') this.#state = 'word';
    if (meaning === 'body') this.#state = 'dollar-body';
    return meaning === 'parameter' ? at : at + 1;
  }

  #dollarBody(bytes: Buffer, from: number): number {
    const end = this.#dollarQuote.endOfBody(bytes, from);
    if (end !== undefined) this.#state = 'code';
    return end ?? bytes.length;
  }

  #error(what: string, at: number): Error {
    return notProven(what, this.#base + at);
  }
}
