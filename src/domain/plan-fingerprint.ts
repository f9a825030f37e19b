/**
 * The fingerprint of a restore's plan: what a second person types to say yes to exactly that. Two runs that would do the
 * same have the same one. Times, sizes, speeds and who runs it are no part of it.
 */
import { createHash } from 'node:crypto';
import type { DropPlan } from './drop-plan.ts';
import type { EntryPlan } from './entry-plan.ts';
import type { SourceFingerprint } from './fingerprint.ts';
import type { StrategyPlan } from './strategy.ts';

/** Few enough to be typed and read out. 48 bits keep the plans of a day apart; nobody has to invert them. */
const CHARACTERS = 12;

export const PLAN_PARTS = ['backup', 'target', 'inputs', 'entries', 'drops'] as const;
/** `inputs` are those that shape the result; `entries` are those of the archive; `drops` is what goes first. */
export type PlanPart = (typeof PLAN_PARTS)[number];

export interface PlanMark {
  fingerprint: string;
  /** A digest of each part, so that words can name what is another than it was. */
  parts: Readonly<Record<PlanPart, string>>;
}

export interface PlanFacts {
  /** `sha256`: of the archive as it is stored; of a dump made by other means of what was read. */
  backup: { id: string; series?: string; sha256: string };
  target: { fingerprint: string; source: SourceFingerprint };
  strategy: Pick<StrategyPlan, 'strategy' | 'database' | 'create' | 'former' | 'targetIsEmpty'>;
  inputs: PlanInputs;
  /** Absent for a plain dump, which is restored as it is. */
  entries?: Pick<EntryPlan, 'restored' | 'leftOut' | 'rolesToCreate'>;
  /** Of `in-place`. */
  drop?: Pick<DropPlan, 'before' | 'within' | 'keptSchemas' | 'keptExtensions'>;
}

export interface PlanInputs {
  schemas: readonly string[];
  tables: readonly string[];
  criticalTables: readonly string[];
  owner: 'keep' | 'drop';
  privileges: 'keep' | 'drop';
  createRoles: boolean;
  /** With it a copy that is proven in part is swapped in. */
  acceptPartial: boolean;
  safetyBackup: boolean;
  pauseWrites: boolean;
  /** The text itself, also that of a file. */
  afterRestoreSql?: string;
  afterRestoreCommand?: string;
}

export function planMark({ backup, target, strategy, inputs, entries, drop }: PlanFacts): PlanMark {
  const { create } = strategy;
  const parts = {
    backup: digest(backup),
    target: digest({
      ...target,
      database: strategy.database,
      former: strategy.former,
      // Its mark names the run.
      create: create === undefined ? undefined : { name: create.name, sql: create.sql },
    }),
    inputs: digest({
      ...inputs,
      strategy: strategy.strategy,
      schemas: inputs.schemas.toSorted(),
      tables: inputs.tables.toSorted(),
      criticalTables: inputs.criticalTables.toSorted(),
    }),
    entries: digest({
      restored: entries?.restored.map(({ dumpId }) => dumpId),
      leftOut: entries?.leftOut.map(({ what }) => what).toSorted(),
      roles: entries?.rolesToCreate.toSorted(),
    }),
    drops: digest({
      // Of an empty database nothing is saved first.
      empty: strategy.strategy === 'new-database' ? undefined : strategy.targetIsEmpty,
      statements: drop?.before.toSorted(),
      within: drop?.within.toSorted(),
      schemas: drop?.keptSchemas.toSorted(),
      extensions: drop?.keptExtensions.toSorted(),
    }),
  };
  return { fingerprint: fingerprintOfParts(parts), parts };
}

/** So that nobody can keep one and change the other. */
export function fingerprintOfParts(parts: PlanMark['parts']): string {
  return digest(PLAN_PARTS.map((part) => [part, parts[part]]));
}

export function isPlanFingerprint(text: string): boolean {
  return /^[0-9a-f]{12}$/.test(text);
}

function digest(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, CHARACTERS);
}

/** The same text for the same value, whatever order its fields had; a field that is `undefined` is none. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([left], [right]) => (left < right ? -1 : 1)))
      : each,
  );
}
