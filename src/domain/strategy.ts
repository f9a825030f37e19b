/** What a restore does to its target, settled before it does anything: names, statements, and what is in the way. */
import type { DatabaseFacts } from './facts.ts';
import type { Finding } from './findings.ts';
import type { Strategy } from './recovery.ts';
import { unfinishedMark } from './restore-mark.ts';
import { formerName, referenceName, restoredName } from './restore-names.ts';
import { assessConsent, type Consent } from './strategy/confirm.ts';
import {
  assessExistingLocale,
  assessLocale,
  type CreationPlan,
  createDatabaseSql,
  offeredLocale,
} from './strategy/creation.ts';
import { assessRights } from './strategy/rights.ts';
import { assessMajors, assessReadOnly, assessWritable } from './strategy/server.ts';
import { assessSpace, mustStream, type SpaceFacts } from './strategy/space.ts';
import type { TargetFacts } from './target.ts';
import { countOf, listWords } from './words.ts';

export type { CreationPlan } from './strategy/creation.ts';
export { strategyError } from './strategy/finding.ts';
export type { SpaceFacts } from './strategy/space.ts';

export interface StrategyInput extends Consent {
  strategy: Strategy;
  target: TargetFacts;
  /** Of a set; nothing is recorded of a dump made by other means. */
  recorded?: DatabaseFacts;
  /** Major of the server that was dumped, where it is known. */
  sourceMajor?: number;
  allowOlderMajor: boolean;
  /** The set's id; of a foreign dump its file name. */
  backupId: string;
  /** Names this run in the marks of what it makes: the URL of the run, or anything else that a person can look up. */
  run: string;
  /** From `findMissingLocales`. */
  missingLocales: readonly string[];
  space: Omit<SpaceFacts, 'targetFreeBytes'>;
  /** Schemas of the provider: what is in them does not make a database somebody's. */
  managedSchemas: readonly string[];
  safetyBackup: boolean;
  pauseWrites: boolean;
}

export interface StrategyPlan {
  strategy: Strategy;
  /** The backup is restored into it: the new database, or the one that is there. */
  database: string;
  /** Absent for `in-place`. */
  create?: CreationPlan;
  /** Of `swap`: the name that the old database goes on under. */
  former?: string;
  /** For the definitions alone; absent where the role may not create databases. */
  reference?: CreationPlan;
  /** What is there is nobody's: no confirmation, no safety backup, no pause. */
  targetIsEmpty: boolean;
  /** The archive does not fit on this machine's disk. */
  streamArchive: boolean;
  /** For people: a word and a sentence each. */
  steps: readonly (readonly [what: string, words: string])[];
  /** Errors mean that nothing must be touched: see `strategyError`. */
  findings: readonly Finding[];
}

export function planStrategy(input: StrategyInput): StrategyPlan {
  const { strategy, target, backupId } = input;
  const { name } = target.database;
  const locale = offeredLocale(input.recorded ?? target.database, input.missingLocales);
  const mark = unfinishedMark(name, backupId, input.run);
  const taken = target.databases.filter((each) => !target.leftovers.includes(each));
  const creation = (made: string, tablespace?: string): CreationPlan => ({
    name: made,
    sql: createDatabaseSql(made, locale, target.server.major, tablespace),
    mark,
  });
  const restored = restoredName(name, backupId, taken);
  const targetIsEmpty = unmanagedObjects(target, input.managedSchemas) === 0;
  const former = strategy === 'swap' ? formerName(name, backupId, [...taken, restored]) : undefined;
  const plan = {
    strategy,
    database: strategy === 'in-place' ? name : restored,
    ...(strategy === 'in-place'
      ? {}
      : { create: creation(restored, strategy === 'swap' ? target.tablespace : undefined) }),
    ...(former === undefined ? {} : { former }),
    ...(target.role.createDatabase ? { reference: creation(referenceName(name, backupId, taken)) } : {}),
    targetIsEmpty,
    streamArchive: mustStream(input.space),
  };
  return { ...plan, steps: stepsOf(input, plan), findings: findingsOf(input, targetIsEmpty) };
}

/** Objects in the target that are neither an extension's nor in a schema of the provider's. */
export function unmanagedObjects(target: TargetFacts, managedSchemas: readonly string[]): number {
  return target.objectsBySchema
    .filter(({ schema }) => managedSchemas.includes(schema))
    .reduce((left, { objects }) => left - objects, target.objects);
}

function findingsOf(input: StrategyInput, targetIsEmpty: boolean): Finding[] {
  const { strategy, target, recorded, space } = input;
  const inPlace = strategy === 'in-place';
  const where = inPlace ? target.database.name : target.maintenanceDatabase;
  const findings = [
    ...assessWritable(target.server),
    ...assessRights(strategy, target),
    ...(inPlace && target.exists && !targetIsEmpty ? assessConsent(input, target.fingerprint, holdings(target)) : []),
    ...assessMajors(input.sourceMajor, target.server.major, input.allowOlderMajor),
    ...assessReadOnly(inPlace ? target.readOnly.target : target.readOnly.maintenance, where),
    ...localeFindings(input),
    ...assessSpace({ ...space, ...(target.freeBytes === undefined ? {} : { targetFreeBytes: target.freeBytes }) }),
    ...remains(target),
  ];
  return recorded === undefined ? [...findings, nothingRecorded(input)] : findings;
}

function localeFindings({ strategy, target, recorded, missingLocales }: StrategyInput): Finding[] {
  if (strategy !== 'in-place') return assessLocale(recorded ?? target.database, target, missingLocales);
  return recorded === undefined || !target.exists ? [] : assessExistingLocale(recorded, target);
}

function nothingRecorded({ strategy, target }: StrategyInput): Finding {
  const taken =
    strategy === 'in-place'
      ? ''
      : `: those of ${target.exists ? target.database.name : target.maintenanceDatabase} are taken`;
  return {
    code: 'locale-unknown',
    severity: 'notice',
    seen: `The dump does not say which encoding and locale its database had${taken}`,
    action: '',
  };
}

function holdings({ objects, examples }: TargetFacts): string {
  return `${countOf(objects, 'object')}, ${listWords(examples, { all: objects })}`;
}

/** What an earlier run could not tidy up any more. */
function remains({ leftovers, pause, database }: TargetFacts): Finding[] {
  const findings: Finding[] = [];
  if (leftovers.length > 0) {
    const seen = `An earlier restore into ${database.name} was ended before it could remove ${leftovers.join(', ')}: it is dropped first`;
    findings.push({ code: 'leftovers', severity: 'notice', seen, action: '' });
  }
  if (pause !== undefined) {
    const seen = `An earlier restore had paused access to ${database.name} and was ended before it could give it back: that is done first`;
    findings.push({ code: 'left-paused', severity: 'warning', seen, action: '' });
  }
  return findings;
}

function stepsOf(input: StrategyInput, plan: Omit<StrategyPlan, 'steps' | 'findings'>): [string, string][] {
  const { target, safetyBackup, pauseWrites, backupId } = input;
  const { name } = target.database;
  const careful = plan.strategy !== 'new-database' && !plan.targetIsEmpty;
  const steps: [string, string][] = [
    ['target', `${target.fingerprint}, Postgres ${target.server.version}, as ${target.role.name}`],
  ];
  if (target.leftovers.length > 0)
    steps.push(['tidied', `what an earlier restore left: ${target.leftovers.join(', ')}`]);
  if (careful && pauseWrites) steps.push(['paused', `access of other roles to ${name}, until the proof`]);
  if (careful && safetyBackup)
    steps.push(['saved', `${name} as it is now, in a full proven backup with the label emergency`]);
  if (plan.create !== undefined) steps.push(['created', `${plan.create.name}: ${plan.create.sql}`]);
  else steps.push(['replaced', `in ${name}, what ${backupId} brings back`]);
  if (plan.former !== undefined) {
    steps.push([
      'renamed',
      `if all is proven, in one transaction: ${name} to ${plan.former}, and ${plan.database} to ${name}`,
    ]);
  }
  return steps;
}
