/**
 * Name patterns as psql and pg_dump read them (`processSQLNamePattern`): `*` and `?`, folding to lower case outside
 * double quotes, dots between the parts, everything else a regular expression. Measured against pg_dump 13 to 18.
 */
import { BackupError } from './errors.ts';

export type PatternKind = 'schema' | 'table';

/** A pattern as conditions on names; both regular expressions are POSIX advanced ones, anchored at both ends. */
export interface NamePattern {
  /** As it was written. */
  text: string;
  /** A third part in front names the database, literally. It must be the one that is dumped. */
  database?: string;
  /** Absent for schema patterns, and for table patterns without a dot: those see only what `search_path` shows. */
  schemaRegex?: string;
  nameRegex: string;
  /** No wildcard and no regular expression: it names one thing. */
  literal: boolean;
}

/** What pg_dump quotes with a backslash inside double quotes; `$` is quoted everywhere. */
const REGEX_CHARACTERS = '|*+?()[]{}.^$\\';

interface Part {
  regex: string;
  /** The part with quotes and folding resolved and nothing else. */
  plain: string;
  literal: boolean;
}

/**
 * Reads a pattern of `tables`, `exclude-tables`, `exclude-table-data` or `critical-tables`: `name`, `schema.name` or
 * `database.schema.name`. Throws `ERR_PATTERN` for what pg_dump refuses, or what its majors read differently.
 */
export function parseTablePattern(text: string): NamePattern {
  const parts = splitPattern(text);
  if (parts.length > 3) throw badPattern(text, 'has too many dotted names', 'Write `schema.table`.');
  const [name, schema, database] = parts.toReversed();
  return {
    text,
    ...(database === undefined ? {} : { database: database.plain }),
    ...(schema === undefined ? {} : { schemaRegex: schema.regex }),
    nameRegex: (name as Part).regex,
    literal: parts.every((part) => part.literal),
  };
}

/** Reads a pattern of `schemas` or `exclude-schemas`: one part. Throws `ERR_PATTERN`. */
export function parseSchemaPattern(text: string): NamePattern {
  const [name, ...more] = splitPattern(text);
  if (more.length > 0) {
    throw badPattern(text, 'has a dot, and a schema has a name of one part', 'Write the schema alone.');
  }
  const { regex, literal } = name as Part;
  return { text, nameRegex: regex, literal };
}

function splitPattern(text: string): Part[] {
  if (text.includes('\0')) throw badPattern(text.replaceAll('\0', ''), 'holds a NUL character', 'Remove it.');
  const parts: Part[] = [{ regex: '', plain: '', literal: true }];
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    const part = parts.at(-1) as Part;
    if (character === '"') {
      const doubled = quoted && text.charAt(at + 1) === '"';
      if (doubled) {
        addPlain(part, '"');
        at += 1;
      } else quoted = !quoted;
    } else if (!quoted && character === '.') parts.push({ regex: '', plain: '', literal: true });
    else if (quoted) addPlain(part, character);
    else at += addUnquoted(part, character, text.charAt(at + 1));
  }
  if (quoted)
    throw badPattern(text, 'has a double quote that is never closed', 'Close it, or double it inside a name.');
  if (parts.some((part) => part.regex === '')) {
    throw badPattern(text, 'has an empty part', 'Write `*` for everything, as in `public.*`.');
  }
  return parts.map((part) => ({ ...part, regex: `^(${part.regex})$` }));
}

function addPlain(part: Part, character: string): void {
  part.regex += REGEX_CHARACTERS.includes(character) ? `\\${character}` : character;
  part.plain += character;
}

/** Returns how many characters beyond `character` were used up. */
function addUnquoted(part: Part, character: string, next: string): number {
  if (character === '$') {
    addPlain(part, character);
    return 0;
  }
  if (character === '*' || character === '?') {
    part.regex += character === '*' ? '.*' : '.';
    part.plain += character;
    part.literal = false;
    return 0;
  }
  if (character === '[' && next === ']') {
    // pg_dump takes these two for an array type, not for a regular expression.
    part.regex += '\\[]';
    part.plain += '[]';
    return 1;
  }
  // Only ASCII is folded, because pg_dump runs under LC_ALL=C.
  const folded = /[A-Z]/.test(character) ? character.toLowerCase() : character;
  part.regex += folded;
  part.plain += folded;
  if (REGEX_CHARACTERS.includes(character)) part.literal = false;
  return 0;
}

function badPattern(text: string, what: string, action: string): BackupError {
  return new BackupError('ERR_PATTERN', `The pattern \`${text}\` ${what}`, {
    op: 'read patterns',
    hint: `${action} Patterns are those of pg_dump: \`*\`, \`?\`, and double quotes around names with capitals or dots.`,
  });
}
