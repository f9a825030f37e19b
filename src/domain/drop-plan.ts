/**
 * What a restore in place removes first: what the backup brings back, and nothing else. Two steps, because what hangs on
 * the things that go is only known when they are chosen: `chooseDrops`, then `planDrops`. Both are pure.
 */
import { GLOBAL_TYPES } from './drop-plan/choose.ts';
import type { CatalogObject, Dependent, DropChoice, DropFacts, DropInput, DropPlan } from './drop-plan/facts.ts';
import type { Finding } from './findings.ts';
import { inTheWay } from './strategy/finding.ts';
import { countOf, listWords } from './words.ts';

export { chooseDrops } from './drop-plan/choose.ts';
export type { CatalogObject, Dependent, DropChoice, DropFacts, DropInput, DropPlan } from './drop-plan/facts.ts';

/** How DROP calls what the catalog calls otherwise; the rest is the same word. */
const DROP_WORDS: Readonly<Record<string, string>> = {
  'composite type': 'TYPE',
  'statistics object': 'STATISTICS',
  'foreign-data wrapper': 'FOREIGN DATA WRAPPER',
};
/** As initdb makes it from 15 on, so that pg_dump finds nothing of it worth a line. */
const NEW_PUBLIC = [
  'CREATE SCHEMA public AUTHORIZATION pg_database_owner',
  'GRANT USAGE ON SCHEMA public TO PUBLIC',
  "COMMENT ON SCHEMA public IS 'standard public schema'",
];

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
  const wholeNames = choice.schemas.map(({ name }) => name);
  const within = facts.objects.filter(({ schema }) => schema !== undefined && wholeNames.includes(schema));
  const locks = gone + (choice.largeObjects ? facts.largeObjects.total : 0) + input.restored.length;
  return {
    before: statements(input, choice),
    within: within.map(({ type, identity }) => `${type} ${identity}`),
    keptSchemas: choice.keptSchemas,
    keptExtensions: choice.keptExtensions,
    steps: steps(facts, choice, gone),
    findings: [
      ...choice.findings,
      ...lostFindings(choice.lost),
      ...outsideFindings(outside),
      ...publishedFindings(published),
      ...lockFindings(locks, facts.lockSlots),
    ],
  };
}

function isSchemaless(type: string): boolean {
  return ['user mapping', 'cast', 'transform'].includes(type);
}

function lostFindings(lost: readonly CatalogObject[]): Finding[] {
  if (lost.length === 0) return [];
  return [
    {
      code: 'not-brought-back',
      severity: 'warning',
      seen: `${countOf(lost.length, 'object')} of the database would go without coming back: ${listWords(lost.map(({ type, identity }) => `${type} ${identity}`))}`,
      action:
        'After the restore they are in the safety backup alone. To keep them where they are, name what is to be replaced in `tables`, or use `strategy: new-database` and take from the copy what you need.',
    },
  ];
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
function statements(input: DropInput, choice: DropChoice): string[] {
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
    ...(choice.schemas.length === 0
      ? []
      : [`DROP SCHEMA ${choice.schemas.map(({ identity }) => identity).join(', ')} CASCADE`]),
    ...(!input.createsPublic && choice.schemas.some(({ name }) => name === 'public') ? NEW_PUBLIC : []),
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
