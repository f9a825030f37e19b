/** The table of contents of an archive, as `pg_restore --list --verbose` prints it. */
import { BackupError } from './errors.ts';

export interface TocEntry {
  dumpId: number;
  /** `TABLE`, `TABLE DATA`, `FK CONSTRAINT`, `EVENT TRIGGER`… as pg_dump names it. */
  type: string;
  /** Absent where pg_restore prints `-`. */
  schema?: string;
  /** Tag: `customers`, `f(integer)`, `orders orders_pkey`. Line breaks are blanks in it. */
  name: string;
  /** Empty where there is none. */
  owner: string;
  /** Dump ids of what must be there first; only what `--verbose` tells. Some are of nothing that is listed. */
  dependencies: readonly number[];
  /** The line itself, for a list that is given back with `--use-list`. */
  line: string;
}

export interface Toc {
  /** `Dumped from database version`, as printed. */
  serverVersion: string;
  entries: readonly TocEntry[];
}

/** Names that a database of this very cluster has; they decide where a blank ends a name. */
export interface KnownNames {
  roles?: readonly string[];
}

/** Types whose entries have no row in the catalog: pg_restore prints 0 for its table. */
const WITHOUT_CATALOG_ROW = [
  ...['ACL', 'ACL LANGUAGE', 'BLOB COMMENTS', 'BLOBS', 'COMMENT', 'DATABASE PROPERTIES', 'ENCODING'],
  ...['EXTENDED STATISTICS DATA', 'INDEX ATTACH', 'MATERIALIZED VIEW DATA', 'ROW SECURITY', 'SEARCHPATH'],
  ...['SECURITY LABEL', 'SEQUENCE OWNED BY', 'SEQUENCE SET', 'STATISTICS DATA', 'STDSTRINGS', 'TABLE ATTACH'],
  ...['TABLE DATA', 'USER MAPPING', 'WARNING'],
];

/** All `.description` of ArchiveEntry calls in pg_dump 13 to 19rc1. */
const TYPES = [
  ...WITHOUT_CATALOG_ROW,
  ...['ACCESS METHOD', 'AGGREGATE', 'BLOB', 'BLOB METADATA', 'CAST', 'CHECK CONSTRAINT', 'COLLATION', 'CONSTRAINT'],
  ...['CONVERSION', 'DATABASE', 'DEFAULT', 'DEFAULT ACL', 'DOMAIN', 'EVENT TRIGGER', 'EXTENSION', 'FK CONSTRAINT'],
  ...['FOREIGN DATA WRAPPER', 'FOREIGN TABLE', 'FUNCTION', 'INDEX', 'MATERIALIZED VIEW', 'OPERATOR', 'OPERATOR CLASS'],
  ...['OPERATOR FAMILY', 'POLICY', 'PROCEDURAL LANGUAGE', 'PROCEDURE', 'PUBLICATION', 'PUBLICATION TABLE'],
  ...['PUBLICATION TABLES IN SCHEMA', 'RULE', 'SCHEMA', 'SEQUENCE', 'SERVER', 'SHELL TYPE', 'STATISTICS'],
  ...['SUBSCRIPTION', 'SUBSCRIPTION TABLE', 'TABLE', 'TEXT SEARCH CONFIGURATION', 'TEXT SEARCH DICTIONARY'],
  ...['TEXT SEARCH PARSER', 'TEXT SEARCH TEMPLATE', 'TRANSFORM', 'TRIGGER', 'TYPE', 'VIEW'],
].toSorted((left, right) => right.length - left.length);

interface Line {
  dumpId: number;
  type: string;
  rest: string;
  dependencies: number[];
  line: string;
}

/**
 * Takes a listing apart. Names may hold blanks, and nothing is quoted: schemas are told by the archive's own SCHEMA
 * entries, owners by `known.roles` and by the lines that leave no choice; where neither helps, the last word is the
 * owner. Throws `ERR_RESTORE_FAILED` for a line of another form: nothing is dropped.
 */
export function parseToc(listing: string, known: KnownNames = {}): Toc {
  const lines: Line[] = [];
  let serverVersion = '';
  for (const line of listing.split('\n')) {
    const version = /^; {5}Dumped from database version: (.*)$/.exec(line);
    const depends = /^;\tdepends on:((?: \d+)+)$/.exec(line);
    if (version !== null) serverVersion = version[1] ?? '';
    else if (depends !== null) lines.at(-1)?.dependencies.push(...(depends[1] ?? '').trim().split(' ').map(Number));
    else if (line !== '' && !line.startsWith(';')) lines.push(takeApart(line));
  }
  if (serverVersion === '') throw unreadable('it does not say which server was dumped');
  const owners = ownersOf(lines, known.roles ?? []);
  const schemas = lines
    .filter(({ type }) => type === 'SCHEMA')
    .map(({ rest }) => splitOwner(rest.replace(/^- /, ''), owners).name);
  return { serverVersion, entries: lines.map((line) => entryOf(line, schemas, owners)) };
}

/** For people: `table public.orders`, `comment on SCHEMA shapes`. */
export function describeEntry({ type, schema, name }: TocEntry): string {
  const of = ['ACL', 'COMMENT', 'SECURITY LABEL'].includes(type) ? `${type.toLowerCase()} on` : type.toLowerCase();
  return `${of} ${schema === undefined ? '' : `${schema}.`}${name}`;
}

function takeApart(line: string): Line {
  const match = /^(\d+); (\d+) \d+ (.*)$/s.exec(line);
  if (match === null) throw unreadable(`this line has another form: ${line}`);
  const [, dumpId, catalog, rest = ''] = match;
  const types = TYPES.filter((type) => rest.startsWith(`${type} `));
  // A schema may be called "DATA", and then TABLE DATA is a table in it.
  const type = types.find((each) => WITHOUT_CATALOG_ROW.includes(each) === (catalog === '0')) ?? types[0];
  if (type === undefined) throw unreadable(`it holds something of a kind that is not known: ${line}`);
  return { dumpId: Number(dumpId), type, rest: rest.slice(type.length + 1), dependencies: [], line };
}

function entryOf({ dumpId, type, rest, dependencies, line }: Line, schemas: string[], owners: Owners): TocEntry {
  const of = dependencies.length === 0 ? [] : [...new Set(dependencies)];
  const common = { dumpId, type, dependencies: of, line };
  if (rest.startsWith('- ')) return { ...common, ...splitOwner(rest.slice(2), owners) };
  const known = schemas.filter((schema) => rest.startsWith(`${schema} `));
  const schema = known.toSorted((a, b) => b.length - a.length)[0] ?? rest.slice(0, rest.indexOf(' '));
  const tail = rest.slice(schema.length + 1);
  if (schema === '' || tail === '') throw unreadable(`this line has another form: ${line}`);
  return { ...common, schema, ...splitOwner(tail, owners) };
}

/** Longest first. */
type Owners = readonly string[];

/** Roles that are given, and the last words of lines that consist of schema, name and owner and nothing more. */
function ownersOf(lines: readonly Line[], roles: readonly string[]): Owners {
  const plain = lines.flatMap(({ rest }) => /^\S+ \S+ (\S+)$/.exec(rest)?.[1] ?? []);
  return [...new Set([...roles, ...plain])].toSorted((a, b) => b.length - a.length);
}

function splitOwner(text: string, owners: Owners): { name: string; owner: string } {
  const known = owners.find((owner) => text.endsWith(` ${owner}`) && text.length > owner.length + 1);
  const owner = known ?? text.slice(text.lastIndexOf(' ') + 1);
  return { name: text.slice(0, -(owner.length + 1)), owner };
}

function unreadable(why: string): BackupError {
  return new BackupError('ERR_RESTORE_FAILED', `The table of contents of the archive cannot be read: ${why}`, {
    op: 'read the table of contents',
    hint: 'Use the newest version of this action; restore by hand with RESTORE.md meanwhile.',
  });
}
