/** What a restore in place looks at before it removes anything. */
import type { Finding } from '../findings.ts';
import type { TocEntry } from '../toc.ts';

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
  /** Tables, views and sequences that go with their schema and are not in the backup. */
  lost: readonly CatalogObject[];
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
  /** Type and identity of everything that stands in the schemas that go. */
  within: readonly string[];
  keptSchemas: readonly string[];
  keptExtensions: readonly string[];
  /** For people: a word and a sentence each. */
  steps: readonly (readonly [what: string, words: string])[];
  /** Errors mean that nothing must be touched: see `strategyError`. */
  findings: readonly Finding[];
}
