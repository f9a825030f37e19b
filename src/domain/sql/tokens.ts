/**
 * SQL that a user wrote, taken apart far enough to see where its statements end: words and symbols outside of quotes
 * and comments, as a server reads them under `standard_conforming_strings = on`.
 */

export interface SqlToken {
  /** `word`: a name or key word without quotes. `quoted`: a string, a quoted name, a dollar quote. */
  kind: 'word' | 'quoted' | 'symbol';
  /** As written; of `=>` both characters. */
  text: string;
  /** Offsets into the text. */
  at: number;
  end: number;
  /** Of parentheses and brackets; what opens one and what closes it stand outside. */
  depth: number;
}

export interface SqlTokens {
  tokens: readonly SqlToken[];
  /** What is never closed, and where it begins. */
  unclosed?: { what: string; at: number };
}

type Piece = { kind: SqlToken['kind'] | 'nothing' | 'unclosed'; end: number; what?: string };

const DOLLAR_TAG = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y;
const WORD = /[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y;
const NUMBER = /\d[\w.]*/y;
const BLANK = /\s+/y;

export function sqlTokens(text: string): SqlTokens {
  const tokens: SqlToken[] = [];
  const open: { text: string; at: number }[] = [];
  for (let at = 0; at < text.length; ) {
    const piece = pieceAt(text, at);
    if (piece.kind === 'unclosed') return { tokens, unclosed: { what: piece.what ?? 'a quote', at } };
    const written = text.slice(at, piece.end);
    if (piece.kind !== 'nothing') {
      if (piece.kind === 'symbol' && /^[)\]]$/.test(written)) open.pop();
      tokens.push({ kind: piece.kind, text: written, at, end: piece.end, depth: open.length });
      if (piece.kind === 'symbol' && /^[([]$/.test(written)) open.push({ text: written, at });
    }
    at = piece.end;
  }
  const last = open.at(-1);
  return last === undefined ? { tokens } : { tokens, unclosed: { what: `the ${last.text}`, at: last.at } };
}

function pieceAt(text: string, at: number): Piece {
  const two = text.slice(at, at + 2);
  if (two === '--') return { kind: 'nothing', end: lineEnd(text, at) };
  if (two === '/*') return blockComment(text, at);
  const blank = match(BLANK, text, at);
  if (blank !== undefined) return { kind: 'nothing', end: blank };
  if (/^[eE]'/.test(two)) return quote(text, at + 1, true);
  if (two[0] === "'" || two[0] === '"') return quote(text, at, false);
  const tag = match(DOLLAR_TAG, text, at);
  if (tag !== undefined) {
    const end = text.indexOf(text.slice(at, tag), tag);
    return end < 0 ? unclosed('the dollar quote') : { kind: 'quoted', end: end + tag - at };
  }
  const word = match(WORD, text, at);
  if (word !== undefined) return { kind: 'word', end: word };
  const number = match(NUMBER, text, at);
  return { kind: 'symbol', end: number ?? at + (two === '=>' ? 2 : 1) };
}

function match(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

function lineEnd(text: string, at: number): number {
  const end = text.slice(at).search(/[\r\n]/);
  return end < 0 ? text.length : at + end;
}

/** Comments nest, as the standard has it. */
function blockComment(text: string, from: number): Piece {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    const two = text.slice(at, at + 2);
    if (two !== '/*' && two !== '*/') continue;
    depth += two === '/*' ? 1 : -1;
    at += 1;
    if (depth === 0) return { kind: 'nothing', end: at + 1 };
  }
  return unclosed('the comment');
}

/** A doubled quote stands for itself; behind `E` a backslash takes away the meaning of what follows. */
function quote(text: string, from: number, escapes: boolean): Piece {
  const mark = text[from];
  for (let at = from + 1; at < text.length; at += 1) {
    if (escapes && text[at] === '\\') at += 1;
    else if (text[at] === mark) {
      if (text[at + 1] !== mark) return { kind: 'quoted', end: at + 1 };
      at += 1;
    }
  }
  return unclosed(mark === '"' ? 'the quoted name' : 'the text in quotes');
}

function unclosed(what: string): Piece {
  return { kind: 'unclosed', end: 0, what };
}

/** From 1. */
export function lineOf(text: string, at: number): number {
  return text.slice(0, at).split(/\r\n|\r|\n/).length;
}
