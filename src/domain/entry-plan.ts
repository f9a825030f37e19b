/** What of an archive is brought back into a target, and what is not, each with its reason. */
import { excludeEntries } from './entry-plan/exclusions.ts';
import { EntryGraph, type EntryId, isAppendage, isViewQuery } from './entry-plan/graph.ts';
import { planRoles } from './entry-plan/roles.ts';
import { type Selection, selectEntries } from './entry-plan/selection.ts';
import type { Finding } from './findings.ts';
import { isManagedSchema } from './providers/managed.ts';
import type { LeftOut } from './recovery.ts';
import type { RoleUse } from './role-use.ts';
import type { TargetFacts } from './target.ts';
import { describeEntry, type Toc, type TocEntry } from './toc.ts';
import { countOf } from './words.ts';

export interface EntryPlan {
  /** In the order of the archive. */
  restored: readonly TocEntry[];
  /** Everything of the archive is restored: no list is needed. */
  whole: boolean;
  leftOut: readonly LeftOut[];
  /** What of the chosen content the target cannot take, by name: the verdict is partial at most. */
  gaps: readonly string[];
  /** Names of roles that owners and rights of restored entries need, and that the target lacks. */
  missingRoles: readonly string[];
  /** To be created first, from the set's globals. */
  rolesToCreate: readonly string[];
  /** What is in the way (errors) and what is to be known. */
  findings: readonly Finding[];
}

export interface EntryPlanInput {
  toc: Toc;
  target: Pick<TargetFacts, 'roles' | 'role' | 'availableExtensions' | 'provider' | 'server'>;
  /**
   * What the database has at the moment the restore begins: after anything was dropped. `public` of a new database
   * need not be named: that it exists is known to be harmless.
   */
  existing: { schemas: readonly string[]; extensions: readonly string[] };
  choices: {
    /** Patterns; both empty: everything. */
    schemas: readonly string[];
    tables: readonly string[];
    owner: 'keep' | 'drop';
    privileges: 'keep' | 'drop';
    createRoles: boolean;
  };
  /** Roles that the set's globals create: see `roleStatements`. */
  creatableRoles: readonly string[];
  /** Roles that rights and policies name: `readRoleUse`. */
  roleUse: RoleUse;
  /**
   * `swap` and `in-place`: what is restored takes the place of the original, so it gets its event triggers back. A
   * copy for looking at or drilling does without what acts by itself.
   */
  becomesProduction: boolean;
  /** The database is made for this restore. */
  madeNew: boolean;
}

/** Pure; throws `ERR_PATTERN` alone. Errors among the findings: do not begin. */
export function planEntries(input: EntryPlanInput): EntryPlan {
  const graph = new EntryGraph(input.toc);
  const provider = input.target.provider?.id;
  const isThere = ({ schema = '' }: TocEntry): boolean => !input.madeNew && isManagedSchema(provider, schema);
  const selection = selectEntries(graph, input.choices, isThere);
  const exclusions = excludeEntries(graph, selection.wanted, input);
  const excluded = spread(graph, selection, exclusions.excluded, exclusions.there);
  const restored = graph.entries.filter(
    ({ dumpId }) => selection.wanted.has(dumpId) && !excluded.has(dumpId) && !exclusions.there.has(dumpId),
  );
  const roles = planRoles(restored, input);
  return {
    restored,
    whole: restored.length === graph.entries.length,
    leftOut: [...exclusions.leftOut, ...namedOnes(graph, excluded), ...notChosen(graph, selection)],
    gaps: exclusions.gaps,
    ...roles,
    findings: [...selection.findings, ...exclusions.findings, ...emptiness(restored, selection), ...roles.findings],
  };
}

/** Leaves out what needs something that is left out, until nothing more does. */
function spread(
  graph: EntryGraph,
  { wanted, incomplete }: Selection,
  first: ReadonlyMap<EntryId, string>,
  there: ReadonlySet<EntryId>,
): Map<EntryId, string> {
  const excluded = new Map([...incomplete, ...first]);
  for (let size = -1; size !== excluded.size; ) {
    size = excluded.size;
    for (const entry of graph.entries) {
      if (!wanted.has(entry.dumpId) || there.has(entry.dumpId)) continue;
      const needs = graph.dependencies(entry);
      const lost = needs.find(({ dumpId }) => excluded.has(dumpId));
      if (lost !== undefined && !excluded.has(entry.dumpId)) {
        excluded.set(entry.dumpId, `it needs the ${describeEntry(lost)}: ${excluded.get(lost.dumpId)}`);
      }
      if (isViewQuery(entry) && excluded.has(entry.dumpId)) leaveView(entry, needs, excluded);
    }
  }
  return excluded;
}

/** Without its query a view would come back as a row of nulls. */
function leaveView(rule: TocEntry, needs: readonly TocEntry[], excluded: Map<EntryId, string>): void {
  const view = needs.find(({ schema, name }) => schema === rule.schema && rule.name === `${name} _RETURN`);
  if (view !== undefined && !excluded.has(view.dumpId)) {
    excluded.set(view.dumpId, excluded.get(rule.dumpId) ?? '');
  }
}

function namedOnes(graph: EntryGraph, excluded: ReadonlyMap<EntryId, string>): LeftOut[] {
  return graph.entries
    .filter((entry) => excluded.has(entry.dumpId) && !isSilent(entry, graph, excluded))
    .map((entry) => ({ what: describeEntry(entry), why: excluded.get(entry.dumpId) ?? '' }));
}

/** Comments, rights and rows of what is named already. */
function isSilent(entry: TocEntry, graph: EntryGraph, excluded: ReadonlyMap<EntryId, string>): boolean {
  return isAppendage(entry) && graph.dependencies(entry).some(({ dumpId }) => excluded.has(dumpId));
}

function notChosen(graph: EntryGraph, { wanted }: Selection): LeftOut[] {
  const count = graph.entries.length - wanted.size;
  if (count === 0) return [];
  return [
    {
      what: `${countOf(count, 'other entry', 'other entries')} of the backup`,
      why: 'outside of `schemas` and `tables`',
    },
  ];
}

/** A pattern that matches nothing has its own finding. */
function emptiness(restored: readonly TocEntry[], { findings }: Selection): Finding[] {
  if (restored.length > 0 || findings.length > 0) return [];
  return [
    {
      code: 'nothing-to-restore',
      severity: 'error',
      seen: 'Nothing of the backup would be restored',
      action: 'Widen `schemas` and `tables`, or restore into a server that can take what the backup holds.',
    },
  ];
}
