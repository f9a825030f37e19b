/** What the demo prints: plain ASCII, whatever terminal or log it lands in. */

const WIDEST = 110;
const NARROWEST = 60;
const WIDTH_WITHOUT_TERMINAL = 100;
const GAP = '  ';
const QUOTED = '  | ';

const SIGNS: Readonly<Record<string, string>> = {
  '✅': '[ok]',
  '❌': '[FAILED]',
  '⚠️': '[!]',
  ℹ️: '[i]',
  '…': '...',
  '–': '-',
  '—': '-',
  '→': '->',
  '⏎': ' ',
  '≤': '<=',
  '≥': '>=',
  '×': 'x',
  '‘': "'",
  '’': "'",
  '“': '"',
  '”': '"',
  '«': '"',
  '»': '"',
};

/** Columns that may be filled. */
export function screenWidth(columns: number | undefined = process.stdout.columns): number {
  return Math.min(WIDEST, Math.max(NARROWEST, columns ?? WIDTH_WITHOUT_TERMINAL));
}

/** `text` in printable ASCII and line breaks: signs in words, letters without their accents, `?` for the rest. */
export function ascii(text: string): string {
  const signs = Object.entries(SIGNS).reduce((rest, [sign, words]) => rest.replaceAll(sign, words), text);
  return signs
    .replaceAll('\t', ' ')
    .normalize('NFKD')
    .replaceAll(/\p{Mn}|\p{Cf}/gu, '')
    .replaceAll(/[^\n\x20-\x7E]/gu, '?');
}

/** Lines of at most `width` columns, broken at spaces where there are any. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((long) => pieces(long, width))) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** Further lines begin where the first one does, and two columns on. */
export function wrapIndented(text: string, width: number): string[] {
  if (text.length <= width) return [text];
  const indent = /^ */.exec(text)?.[0] ?? '';
  return wrap(text.trimStart(), width - indent.length - 2).map(
    (line, index) => indent + (index === 0 ? '' : '  ') + line,
  );
}

function pieces(word: string, width: number): string[] {
  if (word.length <= width) return [word];
  return [word.slice(0, width), ...pieces(word.slice(width), width)];
}

/** Columns whose heading ends in `:` are aligned to the right; the widest column is wrapped until all fits. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[], width: number): string[] {
  const right = headings.map((heading) => heading.endsWith(':'));
  const cells = [headings.map((heading) => heading.replace(/:$/, '')), ...rows];
  const widths = columnWidths(cells, width);
  const draw = (row: readonly string[]): string[] => {
    const wrapped = widths.map((columns, index) => wrap(row[index] ?? '', columns));
    const height = Math.max(...wrapped.map((lines) => lines.length));
    return Array.from({ length: height }, (_, line) =>
      wrapped
        .map((lines, index) => pad(lines[line] ?? '', widths[index] ?? 0, right[index] === true))
        .join(GAP)
        .trimEnd(),
    );
  };
  const [head = [], ...body] = cells.map(draw);
  const rule = widths.map((columns) => '-'.repeat(columns)).join(GAP);
  return [...(head.some((line) => line !== '') ? [...head, rule] : []), ...body.flat()];
}

function pad(text: string, width: number, right: boolean): string {
  return right ? text.padStart(width) : text.padEnd(width);
}

function columnWidths(cells: readonly (readonly string[])[], width: number): number[] {
  const widths = (cells[0] ?? []).map((_, column) => Math.max(1, ...cells.map((row) => (row[column] ?? '').length)));
  const gaps = GAP.length * (widths.length - 1);
  const excess = widths.reduce((sum, columns) => sum + columns, gaps) - width;
  if (excess > 0) {
    const widest = widths.indexOf(Math.max(...widths));
    widths[widest] = Math.max(20, (widths[widest] ?? 0) - excess);
  }
  return widths;
}

/** The demo's standard output. */
export class Screen {
  readonly width = screenWidth();
  #steps = 0;

  /** The next step of the story. */
  step(title: string): void {
    this.#steps += 1;
    this.lines(['', `${this.#steps}. ${title}`, '-'.repeat(`${this.#steps}. ${title}`.length)]);
  }

  /** Prose, wrapped. */
  say(text: string): void {
    this.lines(
      ascii(text)
        .split('\n')
        .flatMap((line) => wrap(line, this.width)),
    );
  }

  /** As they are, but for their letters. */
  lines(lines: readonly string[]): void {
    for (const line of lines) process.stdout.write(`${ascii(line).trimEnd()}\n`);
  }

  /** What somebody else said, set apart from the demo's own words. */
  quote(lines: readonly string[]): void {
    const wrapped = lines.flatMap((line) => wrapIndented(ascii(line), this.width - QUOTED.length));
    this.lines(wrapped.map((line) => `${QUOTED}${line}`));
  }

  table(headings: readonly string[], rows: readonly (readonly string[])[]): void {
    const plain = rows.map((row) => row.map(ascii));
    this.lines(table(headings, plain, this.width - 2).map((line) => `  ${line}`));
  }
}
