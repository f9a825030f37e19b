/** The checkable parts of the documents: blocks of code and rows of tables, so that tests use what users read. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A document by its path in the repository. */
export function readDocument(name: string): string {
  return readFileSync(path.join(ROOT, name), 'utf8');
}

/** The texts of all fenced blocks of one language, in order. */
export function fences(markdown: string, language: string): string[] {
  return [...markdown.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    (match) => match[1] ?? '',
  );
}

/** JSON blocks that the paragraph before names as a file: it begins with the name and ends with a colon. */
export function namedFiles(markdown: string): Map<string, string> {
  const blocks = markdown.matchAll(/^`([\w-]+\.json)`[\s\S]*?:\n\n```json\n([\s\S]*?)^```$/gm);
  return new Map([...blocks].map(([, name = '', text = '']) => [name, text]));
}

/** A file that a document names. Throws when it does not. */
export function namedFile(document: string, name: string): string {
  const text = namedFiles(readDocument(document)).get(name);
  if (text === undefined) throw new Error(`${document} has no ${name}`);
  return text;
}

/** What stands below a heading, up to the next heading of its level or above. Throws when there is no such heading. */
export function section(markdown: string, heading: string): string {
  const lines = markdown.split('\n');
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading);
  if (start === -1) throw new Error(`there is no heading "${heading}"`);
  const level = /^#+/.exec(lines[start] ?? '')?.[0].length ?? 0;
  const length = lines.slice(start + 1).findIndex((line) => new RegExp(`^#{1,${level}} `).test(line));
  return lines.slice(start + 1, length === -1 ? undefined : start + 1 + length).join('\n');
}

/** The rows of the first table, each as its cells; neither the head nor the line below it. */
export function tableRows(markdown: string): string[][] {
  const [first = ''] = /(?:^\|.*\n?)+/m.exec(markdown) ?? [];
  const rows = first.trim().split('\n').slice(2);
  return rows.map((row) =>
    row
      .replace(/^\| ?| ?\|$/g, '')
      .split(' | ')
      .map((cell) => cell.trim()),
  );
}

/** Numeric entities as the characters that they stand for. */
export function withoutEntities(markdown: string): string {
  return markdown.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)));
}

/** As somebody would write it by hand: without entities, code between backticks. */
export function asWritten(markdown: string): string {
  return withoutEntities(markdown).replaceAll(/<\/?code>/g, '`');
}
