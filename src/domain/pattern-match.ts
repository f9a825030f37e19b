/** Patterns of names held against names in an archive, where no server is at hand. */
import { BackupError } from './errors.ts';
import { parseTablePattern } from './name-pattern.ts';
import type { QualifiedName } from './relations.ts';

/** As an archive has no `search_path`, a name without its schema means `public`. Throws `ERR_PATTERN`. */
export function tableMatcher(text: string): (table: QualifiedName) => boolean {
  const pattern = parseTablePattern(text);
  const schemaRegex = compilePattern(text, pattern.schemaRegex ?? '^(public)$');
  const nameRegex = compilePattern(text, pattern.nameRegex);
  return ({ schema, name }) => schemaRegex.test(schema) && nameRegex.test(name);
}

/** @param regex of a `NamePattern`. Throws `ERR_PATTERN`, in words about `text` */
export function compilePattern(text: string, regex: string, flags = 's'): RegExp {
  try {
    return new RegExp(regex, flags);
  } catch (cause) {
    throw new BackupError('ERR_PATTERN', `The pattern \`${text}\` is no valid regular expression`, {
      op: 'read patterns',
      hint: 'Put double quotes around a name that holds characters with a meaning of their own.',
      cause,
    });
  }
}
