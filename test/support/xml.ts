/** As much of XML as reports are made of: elements, attributes, text. */

export interface XmlElement {
  name: string;
  attributes: Readonly<Record<string, string>>;
  children: XmlElement[];
  text: string;
}

const NAME = '[A-Za-z_][\\w.-]*';
const TAG = new RegExp(`^<(/?)(${NAME})((?:\\s+${NAME}="[^"<]*")*)\\s*(/?)>`);
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The root element. Throws for whatever a strict parser would not take. */
export function readXml(document: string): XmlElement {
  let rest = document.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\s*/, '');
  const root: XmlElement = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  while (rest !== '') {
    const within = open.at(-1) as XmlElement;
    const [text = ''] = /^[^<]*/.exec(rest) ?? [];
    within.text += decoded(text);
    rest = rest.slice(text.length);
    if (rest === '') break;
    const tag = TAG.exec(rest);
    if (tag === null) throw new Error(`no tag: ${rest.slice(0, 80)}`);
    const [whole, end, name = '', attributes = '', empty] = tag;
    if (end === '/') {
      if (open.pop()?.name !== name) throw new Error(`</${name}> ends another element`);
    } else {
      const element = { name, attributes: readAttributes(attributes), children: [], text: '' };
      within.children.push(element);
      if (empty !== '/') open.push(element);
    }
    rest = rest.slice(whole.length);
  }
  const [only, ...more] = root.children;
  if (only === undefined || more.length > 0 || open.length > 1 || root.text.trim() !== '') {
    throw new Error('it is not one element');
  }
  return only;
}

/** All elements of that name, wherever they are. */
export function elementsOf({ children }: XmlElement, name: string): XmlElement[] {
  return children.flatMap((child) => [...(child.name === name ? [child] : []), ...elementsOf(child, name)]);
}

function readAttributes(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, name = '', value = ''] of text.matchAll(/([\w.-]+)="([^"]*)"/g)) {
    if (name in found) throw new Error(`${name} is given twice`);
    found[name] = decoded(value);
  }
  return found;
}

function decoded(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: XML forbids them
  if (/[\0-\x08\x0B\x0C\x0E-\x1F]/.test(text)) throw new Error('a control character stands in it');
  return text.replaceAll(/&([^;\s]*);?/g, entity);
}

function entity(found: string, name: string): string {
  if (!found.endsWith(';')) throw new Error(`an ampersand stands alone: ${found}`);
  if (name.startsWith('#')) return String.fromCodePoint(Number(name.replace('#x', '0x').replace('#', '')));
  const character = ENTITIES[name];
  if (character === undefined) throw new Error(`no such entity: ${found}`);
  return character;
}
