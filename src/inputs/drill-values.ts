/** Parsers of the values that a drill or a restore has beyond those of a backup. */
import { parseAssertions } from '../domain/assertions.ts';
import { BackupError } from '../domain/errors.ts';
import type { TextOrFile } from './types.ts';
import { type Parse, rejected } from './values.ts';

/** SQL as it stands, or the path of a file: one line that ends in `.sql` and holds no blank. */
export const textOrFile: Parse<TextOrFile> = (text) => {
  const trimmed = text.trim();
  if (/^\S+\.sql$/i.test(trimmed)) return { file: trimmed };
  if (/^[^\r\n]+\.sql$/i.test(trimmed) && !/['";(]/.test(trimmed)) {
    throw rejected('it looks like the path of a file, but holds a blank. Rename the file, or write SQL.');
  }
  return { text };
};

/** Of a text every line is looked at here; a file is read when the drill begins. */
export const assertions: Parse<TextOrFile> = (text) => {
  const source = textOrFile(text, {});
  if ('file' in source) return source;
  try {
    parseAssertions(source.text);
  } catch (error) {
    if (error instanceof BackupError) throw rejected(`${error.message}.`);
    throw error;
  }
  return source;
};
