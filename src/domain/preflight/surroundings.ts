/** What belongs to a database and is not restored with it: it is told once, because it is the same every night. */
import type { Finding } from '../findings.ts';

/** Counts; 0 also where the role may not see them. */
export interface SurroundingFacts {
  /** `ALTER DATABASE … SET` and `ALTER ROLE … IN DATABASE … SET`. */
  databaseSettings: number;
  /** Of this database, where the role is a superuser: others cannot dump them, and pg_dump says so itself. */
  subscriptions: number;
  /** Logical replication slots of this database. */
  logicalSlots: number;
  /** User mappings of foreign servers whose options are hidden from the role, or empty; 0 for a superuser. */
  bareUserMappings: number;
}

/** `one` is how it is called in the singular. */
interface ByHand {
  count: number;
  one: string;
  many: string;
  remedy: string;
}

export function assessSurroundings(facts: SurroundingFacts): Finding[] {
  const found = byHand(facts).filter(({ count }) => count > 0);
  if (found.length === 0) return [];
  return [
    {
      code: 'restored-by-hand',
      severity: 'notice',
      seen: `After a restore this takes a hand: ${found.map(({ count, one, many }) => (count === 1 ? `1 ${one}` : `${count} ${many}`)).join(', ')}`,
      action: sentence(found.map(({ remedy }) => remedy).join('; ')),
    },
  ];
}

function byHand(facts: SurroundingFacts): ByHand[] {
  return [
    {
      count: facts.databaseSettings,
      one: 'setting of the database',
      many: 'settings of the database',
      remedy: 'RESTORE.md says how to repeat settings',
    },
    {
      count: facts.subscriptions,
      one: 'subscription',
      many: 'subscriptions',
      remedy: 'subscriptions come back switched off (`ALTER SUBSCRIPTION … ENABLE`)',
    },
    {
      count: facts.logicalSlots,
      one: 'logical replication slot',
      many: 'logical replication slots',
      remedy: 'whoever reads a slot must begin anew',
    },
    {
      count: facts.bareUserMappings,
      one: 'user mapping whose options this role cannot see',
      many: 'user mappings whose options this role cannot see',
      remedy: 'pg_dump writes such mappings without password, so set it again',
    },
  ];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
