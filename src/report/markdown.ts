/** Markdown that no name of a table, no error message and no label can break out of. */

/** Longest text of one cell or line; the rest is cut. Keeps a summary far below the runner's limit. */
const MAX_TEXT_CHARACTERS = 1_000;

/** Turns text from anywhere into Markdown. `redact` runs before escaping, because escaping changes a secret's form. */
export class Markdown {
  readonly #redact: (text: string) => string;
  readonly #inIssue: boolean;

  /**
   * @param inIssue for issues and comments, where GitHub looks for `@somebody` and `#123` in what was rendered already,
   *   entities and all: a space without width keeps it from telling people who have nothing to do with it
   */
  constructor(redact: (text: string) => string = (text) => text, inIssue = false) {
    this.#redact = redact;
    this.#inIssue = inIssue;
  }

  /** One line of prose. What stands between two backticks is shown as code. */
  text(value: string): string {
    return visible(this.#redact(value))
      .split(/(`[^`]+`)/)
      .map((part) => (/^`[^`]+`$/.test(part) ? `<code>${entities(part.slice(1, -1))}</code>` : this.#prose(part)))
      .join('');
  }

  #prose(part: string): string {
    const escaped = entities(part);
    return this.#inIssue ? escaped.replaceAll(/&#(?:64|35);/g, '$&&#8203;') : escaped;
  }

  /** A name or a value, as code. */
  code(value: string): string {
    return `<code>${entities(visible(this.#redact(value)))}</code>`;
  }

  /** Several lines to copy, verbatim but for control characters. */
  block(value: string, language = ''): string {
    const lines = this.#redact(value).split(/\r\n|\r|\n/);
    const body = lines.map((line) => showControls(line, /[\p{Cc}\p{Cf}\u2028\u2029]/gu)).join('\n');
    const longest = Math.max(0, ...Array.from(body.matchAll(/`+/g), ([run]) => run.length));
    const fence = '`'.repeat(Math.max(3, longest + 1));
    return `${fence}${language}\n${body}\n${fence}`;
  }

  /** Cells are Markdown already. Columns whose heading ends in `:` are aligned to the right. */
  table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
    const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
    const rule = headings.map((heading) => (heading.endsWith(':') ? '---:' : '---'));
    return [line(headings.map((heading) => heading.replace(/:$/, ''))), line(rule), ...rows.map(line)].join('\n');
  }
}

/** Foldable; the body is Markdown. */
export function details(title: string, body: string): string {
  return `<details><summary>${title}</summary>\n\n${body}\n\n</details>`;
}

/** For headers and titles in plain text: what would begin another line, or cannot be seen, is a space. */
export function oneLine(text: string): string {
  return text.toWellFormed().replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ');
}

/** Line breaks, control and direction characters made visible, and cut to a length that a page can bear. */
export function visible(text: string): string {
  const short = text.length > MAX_TEXT_CHARACTERS ? `${text.slice(0, MAX_TEXT_CHARACTERS)}…` : text;
  return showControls(short.toWellFormed().replaceAll(/\r\n|\r|\n/g, '⏎'), /[\p{Cc}\p{Cf}\u2028\u2029]/gu);
}

function showControls(text: string, pattern: RegExp): string {
  return text.replaceAll(pattern, (char) => (char === '\t' ? ' ' : `\\u{${char.codePointAt(0)?.toString(16)}}`));
}

/**
 * What Markdown, GitHub's extensions of it or HTML give a meaning, as an entity: an entity is text wherever it stands,
 * also in a cell of a table. `:` and the dot of `www.` are in, because a bare address becomes a link.
 */
function entities(text: string): string {
  const meaningful = /[!#$&*:<>@[\\\]^_`{|}~]|(?<=www)\.|(?<=^\s*\d+)[.)]|(?<=^\s*)[-+]/gi;
  return text.replaceAll(meaningful, (char) => `&#${char.codePointAt(0)};`);
}
