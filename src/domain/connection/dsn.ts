/** The `key=value` form of a connection string, exactly as libpq's `conninfo_parse` reads it. */

/** One setting in the order it was written. */
export interface Setting {
  key: string;
  value: string;
  /** How the value stood in the text. */
  raw: string;
  /** `authority`: by its position in a URL, before the `?`. */
  place: 'authority' | 'parameter';
  /** The key itself may be a piece of a password that should have been encoded: never print it. */
  uncertain?: boolean;
}

/** Settings read, or sentences about what is wrong. Sentences never quote the text: any of it may be secret. */
export type Reading<T> = { ok: true; value: T } | { ok: false; problems: string[] };

/** The characters of C's `isspace`. */
const SPACE = /[ \t\n\v\f\r]/;

export function parseKeyValue(text: string): Reading<Setting[]> {
  const settings: Setting[] = [];
  const skipSpace = (from: number): number => {
    let at = from;
    while (at < text.length && SPACE.test(text.charAt(at))) at += 1;
    return at;
  };
  let at = skipSpace(0);
  while (at < text.length) {
    const keyStart = at;
    while (at < text.length && text[at] !== '=' && !SPACE.test(text.charAt(at))) at += 1;
    const key = text.slice(keyStart, at);
    at = skipSpace(at);
    if (text[at] !== '=') return fail(missingEquals(settings.length));
    at = skipSpace(at + 1);
    const value = readValue(text, at);
    if (value === undefined) return fail("a value begins with ' and is never closed; write \\' for a quote inside it.");
    settings.push({ key, value: value.text, raw: text.slice(at, value.end), place: 'parameter' });
    at = skipSpace(value.end);
  }
  return { ok: true, value: settings };
}

function fail(problem: string): Reading<never> {
  return { ok: false, problems: [problem] };
}

function missingEquals(settingsBefore: number): string {
  return settingsBefore === 0
    ? 'it is neither a URL (postgresql://…) nor a list of key=value pairs.'
    : `there is no "=" after the word that follows pair number ${settingsBefore}. ` +
        "A value with spaces must stand in single quotes: password='two words'.";
}

/** A quoted value ends at its quote, even when no space follows; a bare one at the next space. */
function readValue(text: string, start: number): { text: string; end: number } | undefined {
  const quoted = text[start] === "'";
  let value = '';
  for (let at = quoted ? start + 1 : start; ; at += 1) {
    const char = text[at];
    if (char === undefined) return quoted ? undefined : { text: value, end: at };
    if (char === '\\') {
      at += 1;
      value += text[at] ?? '';
    } else if (quoted && char === "'") {
      return { text: value, end: at + 1 };
    } else if (!quoted && SPACE.test(char)) {
      return { text: value, end: at };
    } else {
      value += char;
    }
  }
}
