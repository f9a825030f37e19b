/** What goes: whole schemas where the archive creates them, single objects where the schema has to stay. */
import type { Finding } from '../findings.ts';
import { quoteQualified } from '../relations.ts';
import { inTheWay } from '../strategy/finding.ts';
import type { TocEntry } from '../toc.ts';
import { countOf, listWords } from '../words.ts';
import type { CatalogObject, DropChoice, DropFacts, DropInput } from './facts.ts';

/** TOC entries whose object stands in no schema, and what the catalog calls them. */
export const GLOBAL_TYPES: Readonly<Record<string, string>> = {
  'EVENT TRIGGER': 'event trigger',
  PUBLICATION: 'publication',
  SUBSCRIPTION: 'subscription',
  SERVER: 'server',
  'FOREIGN DATA WRAPPER': 'foreign-data wrapper',
  'PROCEDURAL LANGUAGE': 'language',
  'ACCESS METHOD': 'access method',
  CAST: 'cast',
};
/**
 * Below 15 pg_dump compares rights on the schema public with those that initdb noted, and the note goes with the schema:
 * measured on 14, a dump of a recreated one has an entry more. From 15 on the default is built in (`getNamespaces`).
 */
const FIRST_WITH_NEW_PUBLIC = 15;
const LARGE_OBJECTS = new Set(['BLOB', 'BLOBS', 'BLOB METADATA']);
/** Created by initdb and no archive's to bring back. */
const EVERYWHERE = new Set(['plpgsql']);

export function chooseDrops(facts: DropFacts, input: DropInput): DropChoice {
  const named = (type: string): Set<string> =>
    new Set(input.restored.filter((entry) => entry.type === type).map(({ name }) => name));
  const ofArchive = named('EXTENSION');
  const present = facts.extensions.filter(({ name = '' }) => ofArchive.has(name) && !EVERYWHERE.has(name));
  const extensions = input.onlyTables ? [] : present.filter(({ mine, recreatable }) => mine && recreatable);
  const staying = facts.extensions.filter((extension) => !extensions.includes(extension));
  const whole = wholeSchemas(facts, input);
  const kept = whole.filter(
    ({ name, mine }) =>
      !mine ||
      staying.some(({ schema }) => schema === name) ||
      (name === 'public' && facts.major < FIRST_WITH_NEW_PUBLIC),
  );
  const keptNames = new Set(kept.map(({ name = '' }) => name));
  const schemas = whole.filter((schema) => !kept.includes(schema));
  const wholeNames = new Set(whole.map(({ name = '' }) => name));
  const objects = facts.objects.filter(
    (object) =>
      !input.managedSchemas.includes(object.schema ?? '') &&
      (keptNames.has(object.schema ?? '') ||
        (!wholeNames.has(object.schema ?? '') && input.restored.some((entry) => isEntryOf(entry, object)))),
  );
  const global = facts.global.filter((object) => input.restored.some((entry) => isGlobalEntryOf(entry, object)));
  const choice = {
    schemas,
    keptSchemas: [...keptNames],
    extensions,
    keptExtensions: present.filter((extension) => !extensions.includes(extension)).map(({ name = '' }) => name),
    objects,
    lost: lostRelations(facts.objects, [...schemas.map(({ name = '' }) => name), ...keptNames], input),
    global,
    truncated: truncatedTables(input),
    largeObjects: input.restored.some(({ type }) => LARGE_OBJECTS.has(type)) && facts.largeObjects.total > 0,
  };
  return { ...choice, findings: rightsFindings(facts, input, choice) };
}

/** Those that the archive creates, and `public`, which it may take for granted. */
function wholeSchemas(facts: DropFacts, { restored, onlyTables, managedSchemas }: DropInput): CatalogObject[] {
  if (onlyTables) return [];
  const created = new Set(restored.filter(({ type }) => type === 'SCHEMA').map(({ name }) => name));
  const definesInPublic = restored.some(({ type, schema }) => schema === 'public' && type !== 'TABLE DATA');
  return facts.schemas.filter(
    ({ name = '' }) =>
      !managedSchemas.includes(name) && (created.has(onOneLine(name)) || (name === 'public' && definesInPublic)),
  );
}

const RELATIONS = new Set(['table', 'view', 'materialized view', 'foreign table', 'sequence']);

/** What came after the backup: it goes with what the backup replaces, and nothing brings it back. */
function lostRelations(
  objects: readonly CatalogObject[],
  schemas: readonly string[],
  { restored }: DropInput,
): CatalogObject[] {
  const key = (type: string, schema = '', name = ''): string => [type, schema, name].map(onOneLine).join('\0');
  const back = new Set(restored.map(({ type, schema, name }) => key(type.toLowerCase(), schema, name)));
  return objects.filter(
    ({ type, schema = '', name }) =>
      RELATIONS.has(type) && schemas.includes(schema) && !back.has(key(type, schema, name)),
  );
}

/** Types of TOC entries and of catalog objects differ in case, and in that the archive knows domains and base types apart. */
function isEntryOf(entry: TocEntry, object: CatalogObject): boolean {
  if (entry.schema === undefined || entry.schema !== onOneLine(object.schema)) return false;
  const type = entry.type.toLowerCase();
  const same =
    type === object.type ||
    (['type', 'domain', 'shell type'].includes(type) && ['type', 'composite type'].includes(object.type)) ||
    (type === 'statistics' && object.type === 'statistics object');
  if (!same) return false;
  return entry.name === object.name || tight(`${entry.schema}.${entry.name}`) === tight(object.identity);
}

/** As a listing of the archive has it. */
function onOneLine(name = ''): string {
  return name.replaceAll(/[\r\n]/g, ' ');
}

/** Signatures are written with and without blanks, and names with and without needless quotes. */
function tight(text: string): string {
  return text.replaceAll(/[\s"]+/g, '');
}

function isGlobalEntryOf({ type, name }: TocEntry, object: CatalogObject): boolean {
  if (GLOBAL_TYPES[type] !== object.type) return false;
  return type === 'CAST' ? tight(name) === tight(`CAST${object.identity}`) : name === onOneLine(object.name);
}

/** Tables whose rows are restored and whose definition is not. */
function truncatedTables({ restored }: DropInput): string[] {
  const defined = new Set(
    restored.filter(({ type }) => type === 'TABLE').map(({ schema, name }) => `${schema}\0${name}`),
  );
  return restored
    .filter(({ type, schema, name }) => type === 'TABLE DATA' && !defined.has(`${schema}\0${name}`))
    .map(({ schema = '', name }) => quoteQualified({ schema, name }));
}

type Chosen = Omit<DropChoice, 'findings'>;

function rightsFindings(facts: DropFacts, { restored, managedSchemas }: DropInput, choice: Chosen): Finding[] {
  const findings: Finding[] = [];
  const foreign = [...choice.objects, ...choice.global].filter(({ mine }) => !mine);
  if (foreign.length > 0) {
    findings.push(
      inTheWay(
        'not-owner',
        `${countOf(foreign.length, 'object')} that the backup brings back belong to roles that this one is no member of: ${listWords(foreign.map(({ type, identity }) => `${type} ${identity}`))}`,
        'Connect as their owner or as a superuser, or restore only `schemas` or `tables` that are yours.',
      ),
    );
  }
  const { total, mine } = facts.largeObjects;
  if (choice.largeObjects && mine < total) {
    const seen = `${countOf(total - mine, 'large object')} belong to roles that this one is no member of`;
    findings.push(inTheWay('not-owner', seen, 'Connect as their owner or as a superuser.'));
  }
  const subscriptions = choice.global.filter(({ type }) => type === 'subscription');
  if (subscriptions.length > 0) {
    findings.push(
      inTheWay(
        'subscription',
        `The target has subscriptions that the backup brings back, which no transaction can drop: ${listWords(subscriptions.map(({ identity }) => identity))}`,
        'DROP SUBSCRIPTION them by hand first; their slots at the publisher go with them.',
      ),
    );
  }
  const managed = restored.filter(({ type, name }) => type === 'SCHEMA' && managedSchemas.includes(name));
  if (managed.length > 0) {
    const seen = `Schemas of the provider must not be replaced: ${listWords(managed.map(({ name }) => name))}`;
    findings.push(inTheWay('managed-schema', seen, 'Leave them out with `schemas`.'));
  }
  return [...findings, ...keptFindings(choice)];
}

function keptFindings({ keptExtensions, keptSchemas }: Chosen): Finding[] {
  const notice = (code: string, seen: string): Finding => ({ code, severity: 'notice', seen, action: '' });
  return [
    ...(keptExtensions.length === 0
      ? []
      : [
          notice(
            'kept-extensions',
            `Extensions stay as they are, since this role could not create them again: ${listWords(keptExtensions)}`,
          ),
        ]),
    ...(keptSchemas.length === 0
      ? []
      : [
          notice(
            'kept-schemas',
            `These schemas stay, and what is in them is replaced one by one: ${listWords(keptSchemas)}`,
          ),
        ]),
  ];
}
