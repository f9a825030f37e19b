/**
 * What a restore in place removes first: what the backup brings back, and nothing else. Two steps, because what hangs on
 * the things that go is only known when they are chosen: `chooseDrops`, then `planDrops`. Both are pure.
 */
import { schemaStatements } from './drop-plan/schema.ts';
import type { Finding } from './findings.ts';
import { listWords } from './preflight/listing.ts';
import { quoteIdentifier, quoteQualified } from './relations.ts';
import { inTheWay } from './strategy/finding.ts';
import type { TocEntry } from './toc.ts';
import { countOf } from './words.ts';

/** An object as `pg_identify_object` names it. */
export interface CatalogObject {
  classid: number;
  objid: number;
  /** `table`, `function`, `event trigger`… */
  type: string;
  schema?: string;
  name?: string;
  /** Qualified and quoted: stands in SQL as it is. */
  identity: string;
  /** The role may drop it. */
  mine: boolean;
}

export interface DropFacts {
  major: number;
  schemas: readonly CatalogObject[];
  /** Of unmanaged schemas: what stands in them by itself and is no extension's. */
  objects: readonly CatalogObject[];
  extensions: readonly (CatalogObject & { recreatable: boolean })[];
  /** Event triggers, publications, subscriptions, foreign servers and wrappers, casts, languages, access methods. */
  global: readonly CatalogObject[];
  largeObjects: { total: number; mine: number };
  /** Objects that the server can lock at once. */
  lockSlots: number;
  /** Owner of the schema public. */
  publicOwner?: string;
}

export interface DropInput {
  /** What is brought back: `EntryPlan.restored`. */
  restored: readonly TocEntry[];
  /** Selected by `tables`: schemas stay, and only what is restored goes. */
  onlyTables: boolean;
  /**
   * The archive holds CREATE SCHEMA public: true of a dump of chosen schemas, false of one of a whole database, where
   * pg_dump takes it for granted.
   */
  createsPublic: boolean;
  /** Never touched. */
  managedSchemas: readonly string[];
}

export interface DropChoice {
  /** Dropped as a whole. */
  schemas: readonly CatalogObject[];
  /** They stay, because the role may not drop them or an extension in them stays: their entries in the archive must be left out. */
  keptSchemas: readonly string[];
  extensions: readonly CatalogObject[];
  /** They stay: the role could not create them again. Their entries do no harm (IF NOT EXISTS). */
  keptExtensions: readonly string[];
  objects: readonly CatalogObject[];
  global: readonly CatalogObject[];
  /** Emptied: rows come without the definition of their table. */
  truncated: readonly string[];
  largeObjects: boolean;
  findings: readonly Finding[];
}

/** Something that is in nothing that was chosen, and would be dropped along with it. */
export interface Dependent {
  type: string;
  identity: string;
}

export interface DropPlan {
  /** For the beginning of the transaction that restores. */
  before: readonly string[];
  keptSchemas: readonly string[];
  keptExtensions: readonly string[];
  /** For people: a word and a sentence each. */
  steps: readonly (readonly [what: string, words: string])[];
  /** Errors mean that nothing must be touched: see `strategyError`. */
  findings: readonly Finding[];
}

/** TOC entries whose object stands in no schema, and what the catalog calls them. */
const GLOBAL_TYPES: Readonly<Record<string, string>> = {
  'EVENT TRIGGER': 'event trigger',
  PUBLICATION: 'publication',
  SUBSCRIPTION: 'subscription',
  SERVER: 'server',
  'FOREIGN DATA WRAPPER': 'foreign-data wrapper',
  'PROCEDURAL LANGUAGE': 'language',
  'ACCESS METHOD': 'access method',
  CAST: 'cast',
};
/** How DROP calls what the catalog calls otherwise; the rest is the same word. */
const DROP_WORDS: Readonly<Record<string, string>> = {
  'composite type': 'TYPE',
  'statistics object': 'STATISTICS',
  'foreign-data wrapper': 'FOREIGN DATA WRAPPER',
};
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
  const kept = whole.filter(({ name, mine }) => !mine || staying.some(({ schema }) => schema === name));
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
    ({ name = '' }) => !managedSchemas.includes(name) && (created.has(name) || (name === 'public' && definesInPublic)),
  );
}

/** Types of TOC entries and of catalog objects differ in case, and in that the archive knows domains and base types apart. */
function isEntryOf(entry: TocEntry, object: CatalogObject): boolean {
  if (entry.schema === undefined || entry.schema !== object.schema) return false;
  const type = entry.type.toLowerCase();
  const same =
    type === object.type ||
    (['type', 'domain', 'shell type'].includes(type) && ['type', 'composite type'].includes(object.type)) ||
    (type === 'statistics' && object.type === 'statistics object');
  if (!same) return false;
  return (
    entry.name === object.name || tight(`${quoteIdentifier(entry.schema)}.${entry.name}`) === tight(object.identity)
  );
}

/** Signatures are written with and without blanks, and names with and without needless quotes. */
function tight(text: string): string {
  return text.replaceAll(/[\s"]/g, '');
}

function isGlobalEntryOf({ type, name }: TocEntry, object: CatalogObject): boolean {
  if (GLOBAL_TYPES[type] !== object.type) return false;
  return type === 'CAST' ? tight(name) === tight(`CAST${object.identity}`) : name === object.name;
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

/** @param gone how many objects disappear in all */
export function planDrops(
  facts: DropFacts,
  input: DropInput,
  choice: DropChoice,
  dependents: readonly Dependent[],
  gone: number,
): DropPlan {
  const restoredTypes = new Set(input.restored.map(({ type }) => GLOBAL_TYPES[type] ?? type.toLowerCase()));
  const published = dependents.filter(({ type }) => type.startsWith('publication '));
  // Mappings and casts that hang on what goes come back with the archive, by names that it writes in another way.
  const outside = dependents.filter(
    ({ type }) => !published.some((one) => one.type === type) && !(isSchemaless(type) && restoredTypes.has(type)),
  );
  const locks = gone + (choice.largeObjects ? facts.largeObjects.total : 0) + input.restored.length;
  return {
    before: statements(facts, input, choice),
    keptSchemas: choice.keptSchemas,
    keptExtensions: choice.keptExtensions,
    steps: steps(facts, choice, gone),
    findings: [
      ...choice.findings,
      ...outsideFindings(outside),
      ...publishedFindings(published),
      ...lockFindings(locks, facts.lockSlots),
    ],
  };
}

function isSchemaless(type: string): boolean {
  return ['user mapping', 'cast', 'transform'].includes(type);
}

function outsideFindings(outside: readonly Dependent[]): Finding[] {
  if (outside.length === 0) return [];
  return [
    inTheWay(
      'dependents-outside',
      `${countOf(outside.length, 'object')} that the backup does not bring back would go too, because they depend on what it replaces: ${listWords(outside.map(({ type, identity }) => `${type} ${identity}`))}`,
      'Save their definitions and drop them yourself, then create them again after the restore; or use `strategy: new-database` or `swap`.',
    ),
  ];
}

function publishedFindings(published: readonly Dependent[]): Finding[] {
  if (published.length === 0) return [];
  return [
    {
      code: 'publication-loses-tables',
      severity: 'warning',
      seen: `Publications that the backup does not bring back lose these tables: ${listWords(published.map(({ identity }) => identity))}`,
      action: 'Add the tables again after the restore: `ALTER PUBLICATION … ADD TABLE …`.',
    },
  ];
}

/** One transaction locks everything that it drops and creates: "out of shared memory" is the server's word for too much. */
function lockFindings(locks: number, slots: number): Finding[] {
  if (locks <= slots) return [];
  return [
    inTheWay(
      'too-many-locks',
      `About ${locks} objects are dropped and created in one transaction, and the server can lock ${slots} at once`,
      `Raise \`max_locks_per_transaction\` by a factor of ${Math.ceil(locks / slots) + 1} and restart the server; or use \`strategy: new-database\` or \`swap\`.`,
    ),
  ];
}

/** Event triggers first, so that they do not fire at the rest; wrappers and servers after the tables that use them. */
function statements(facts: DropFacts, input: DropInput, choice: DropChoice): string[] {
  const first = choice.global.filter(({ type }) => ['event trigger', 'publication'].includes(type));
  const last = choice.global.filter((object) => !first.includes(object) && object.type !== 'subscription');
  const drop = (object: CatalogObject): string =>
    `DROP ${DROP_WORDS[object.type] ?? object.type.toUpperCase()} IF EXISTS ${object.identity} CASCADE`;
  return [
    // CASCADE names everything that it drops.
    'SET LOCAL client_min_messages = warning',
    ...first.map(drop),
    ...(choice.truncated.length === 0 ? [] : [`TRUNCATE ONLY ${choice.truncated.join(', ')}`]),
    ...choice.objects.map(drop),
    ...schemaStatements(choice.schemas, facts, input.createsPublic),
    ...last.map(drop),
    ...choice.extensions.map(drop),
    ...(choice.largeObjects
      ? ['SELECT pg_catalog.count(pg_catalog.lo_unlink(l.oid)) FROM pg_catalog.pg_largeobject_metadata l']
      : []),
    'RESET client_min_messages',
  ];
}

function steps(facts: DropFacts, choice: DropChoice, gone: number): [string, string][] {
  const { schemas, objects, global, extensions, truncated, keptExtensions, keptSchemas } = choice;
  const found: [string, string][] = [];
  const add = (what: string, words: readonly string[]): void => {
    if (words.length > 0) found.push([what, listWords(words)]);
  };
  if (schemas.length > 0)
    found.push([
      'dropped',
      `${countOf(schemas.length, 'schema')} with ${countOf(gone, 'object')}: ${listWords(schemas.map(({ identity }) => identity))}`,
    ]);
  add(
    'dropped one by one',
    objects.map(({ type, identity }) => `${type} ${identity}`),
  );
  add(
    'dropped',
    global.map(({ type, identity }) => `${type} ${identity}`),
  );
  add(
    'dropped extensions',
    extensions.map(({ identity }) => identity),
  );
  add('emptied', truncated);
  if (choice.largeObjects) found.push(['dropped', countOf(facts.largeObjects.total, 'large object')]);
  add('kept extensions', keptExtensions);
  add('kept schemas', keptSchemas);
  return found;
}
