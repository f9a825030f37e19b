/** A job summary of the action, which is Markdown for GitHub's page, as lines for a terminal. */
import { withoutEntities } from '../markdown.ts';
import { ascii, table, wrap } from './screen.ts';

/** Digests and keys are cut to this: a terminal has no room for more, and nobody compares them by eye. */
const SHOWN_OF_DIGEST = 16;

export function renderJobSummary(markdown: string, width: number): string[] {
  const lines: string[] = [];
  const source = markdown.split('\n');
  for (let index = 0; index < source.length; index += 1) {
    const line = source[index] ?? '';
    const fence = /^(`{3,})/.exec(line)?.[1];
    const block = fence === undefined ? tableAt(source, index) : fenceAt(source, index, fence);
    if (block.length > 0) {
      lines.push(...(fence === undefined ? renderTable(block, width) : block.map((code) => `  ${ascii(code)}`)));
      index += fence === undefined ? block.length - 1 : block.length + 1;
    } else {
      lines.push(...renderLine(line, width));
    }
  }
  return withoutNeedlessBlanks(lines);
}

/** Lines between the fence at `from` and its end. */
function fenceAt(source: readonly string[], from: number, fence: string): string[] {
  const end = source.indexOf(fence, from + 1);
  return source.slice(from + 1, end < 0 ? source.length : end);
}

function tableAt(source: readonly string[], from: number): string[] {
  const end = source.findIndex((line, index) => index >= from && !line.startsWith('|'));
  return source.slice(from, end < 0 ? source.length : end);
}

function renderTable(block: readonly string[], width: number): string[] {
  const cellsOf = (line: string) =>
    line
      .replace(/^\|/, '')
      .replace(/\|\s*$/, '')
      .split('|')
      .map(plain);
  const [headings = [], rule = [], ...rows] = block.map(cellsOf);
  const aligned = headings.map((heading, column) => (rule[column]?.endsWith(':') ? `${heading}:` : heading));
  return table(aligned, rows, width);
}

function renderLine(line: string, width: number): string[] {
  const heading = /^(#{1,6}) (.*)$/.exec(line);
  if (heading !== null) {
    const text = plain(heading[2] ?? '');
    return [text, (heading[1] === '##' ? '=' : '-').repeat(text.length)];
  }
  const text = plain(line);
  const bullet = /^- /.test(text) ? '  ' : '';
  return wrap(text, width).map((part, index) => (index === 0 ? part : `${bullet}${part}`));
}

/** Tags, emphasis and entities taken away; long digests and keys cut. */
function plain(markdown: string): string {
  const text = withoutEntities(markdown.replaceAll(/<[^>]*>/g, '').replaceAll('**', '')).trim();
  return ascii(text)
    .replaceAll(/\b[0-9a-f]{64}\b/g, (digest) => `${digest.slice(0, SHOWN_OF_DIGEST)}..`)
    .replaceAll(/\bage1[0-9a-z]{40,}\b/g, (key) => `${key.slice(0, SHOWN_OF_DIGEST)}..`);
}

/** No blank line follows another one or the rule below a heading. */
function withoutNeedlessBlanks(lines: readonly string[]): string[] {
  const trimmed = lines.filter(
    (line, index) => line !== '' || (index > 0 && !/^(|-+|=+)$/.test(lines[index - 1] ?? '')),
  );
  return trimmed.at(-1) === '' ? trimmed.slice(0, -1) : trimmed;
}
