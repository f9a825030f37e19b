/** Looks into HTML that the action writes: enough of a reader for pages that close their tags. */

const VOID = new Set(['meta', 'link', 'br', 'hr', 'img', 'input']);
const TAG = /<(\/?)([a-zA-Z][\w-]*)((?:\s+[\w:-]+(?:="[^"<]*")?)*)\s*(\/?)>/y;

export interface Tag {
  name: string;
  attributes: Readonly<Record<string, string>>;
}

/**
 * Every element in the order of the page. Throws where something is not well-formed: a `<` that begins no tag, an
 * attribute without double quotes, a tag that is closed out of turn or never.
 */
export function tagsOf(page: string): Tag[] {
  const html = page.replace(/^<!doctype html>/, '').replace(/(<style>)[^<]*(<\/style>)/, '$1$2');
  const tags: Tag[] = [];
  const open: string[] = [];
  for (let at = html.indexOf('<'); at !== -1; at = html.indexOf('<', TAG.lastIndex)) {
    TAG.lastIndex = at;
    const match = TAG.exec(html);
    if (match === null) throw new Error(`no tag: ${html.slice(at, at + 80)}`);
    const [, closing, name = '', attributes = '', selfClosing] = match;
    if (closing === '/') {
      if (open.pop() !== name) throw new Error(`</${name}> out of turn before ${html.slice(at, at + 80)}`);
      continue;
    }
    const pairs = attributes.matchAll(/([\w:-]+)(?:="([^"]*)")?/g);
    tags.push({ name, attributes: Object.fromEntries(Array.from(pairs, ([, key, value = '']) => [key, value])) });
    if (selfClosing !== '/' && !VOID.has(name)) open.push(name);
  }
  if (open.length > 0) throw new Error(`never closed: ${open.join(', ')}`);
  return tags;
}

/** What somebody reads: tags gone, entities resolved, white space as one space. */
export function textOf(page: string): string {
  return page
    .replace(/<style>[^<]*<\/style>/, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll(/\s+/g, ' ');
}
