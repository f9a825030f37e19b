/** HTML that no label, no address and no error message can break out of. */
import { visible } from '../markdown.ts';

/** A piece of finished HTML; made by {@link Markup} alone, or of constants. */
export class Html {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

/** What stands in a template: text and numbers are escaped, HTML is taken as it is, `undefined` is nothing. */
export type Insert = string | number | Html | readonly Html[] | undefined;

export const NOTHING = new Html('');

export class Markup {
  readonly #redact: (text: string) => string;

  /** @param redact runs before escaping, because escaping changes a secret's form */
  constructor(redact: (text: string) => string) {
    this.#redact = redact;
  }

  /** For text whose form is changed before it is put into a page, by quoting for example. */
  redacted(text: string): string {
    return this.#redact(text);
  }

  /** Tag of templates: markup.html`<b>${anything}</b>`. Attributes must stand in double quotes. */
  html(strings: TemplateStringsArray, ...inserts: readonly Insert[]): Html {
    const parts = strings.map((string, index) => string + this.#sourceOf(inserts[index]));
    return new Html(parts.join(''));
  }

  /** One line of prose. What stands between two backticks is shown as code. */
  prose(text: string): Html {
    const parts = visible(this.#redact(text)).split(/(`[^`]+`)/);
    const source = parts.map((part) =>
      /^`[^`]+`$/.test(part) ? `<code>${entities(part.slice(1, -1))}</code>` : entities(part),
    );
    return new Html(source.join(''));
  }

  /** Lines to copy. */
  block(lines: readonly string[]): Html {
    const source = lines.map((line) => this.#sourceOf(line)).join('\n');
    return new Html(`<pre><code>${source}</code></pre>`);
  }

  #sourceOf(insert: Insert): string {
    if (insert === undefined) return '';
    if (typeof insert === 'number') return String(insert);
    if (typeof insert === 'string') return entities(visible(this.#redact(insert)));
    return insert instanceof Html ? insert.source : insert.map(({ source }) => source).join('');
  }
}

/** Safe in text and in attributes between double quotes. */
function entities(text: string): string {
  return text.replaceAll(/[&<>"'`]/g, (char) => `&#${char.codePointAt(0)};`);
}
