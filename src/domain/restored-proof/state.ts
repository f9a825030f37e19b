/** What definitions alone do not show, or what matters most: attached, validated, valid, enabled, populated. */
import type { Check } from '../checks.ts';
import type { Contents } from '../contents.ts';
import type { EntryPlan } from '../entry-plan.ts';
import type { ExtensionFacts } from '../facts.ts';
import type { Finding } from '../findings.ts';
import { displayName, type QualifiedName } from '../relations.ts';
import { countOf, shareOf } from '../words.ts';
import type { ReferenceState } from './definitions.ts';
import { entriesOf, keyOfEntry, partWords, tocKey } from './part.ts';

/** The state of one thing, in words: `trigger note on public.orders` is `enabled`. */
export interface StateFact {
  subject: string;
  value: string;
}

export interface DatabaseState {
  facts: readonly StateFact[];
  /** Indexes that no query uses and no constraint can rely on, partitioned ones apart. */
  invalidIndexes: readonly string[];
  /** Foreign keys whose own triggers are switched off: they check nothing. */
  idleForeignKeys: readonly string[];
  materializedViews: readonly (QualifiedName & { populated: boolean })[];
  extensions: readonly ExtensionFacts[];
}

export interface StateEvidence {
  content: Contents['scope']['content'];
  plan: EntryPlan;
  /** The database holds nothing but this restore. */
  alone: boolean;
  restored: DatabaseState;
  /** Of the reference restore, where there is one. */
  reference?: DatabaseState;
  compared: ReferenceState;
}

/** Each thing that is in another state is told apart by name. */
export function checkRestoredState({ content, plan, alone, restored, reference, compared }: StateEvidence): Check {
  const details = [
    ...restored.invalidIndexes.map((name) => `${name}: the index is not valid`),
    ...restored.idleForeignKeys.map((name) => `${name}: the foreign key is switched off and checks nothing`),
    ...wrongViews(plan, restored, content),
    ...(reference === undefined ? [] : differentFacts(alone, restored.facts, reference.facts)),
  ];
  if (details.length > 0) {
    const reason = `${countOf(details.length, 'thing is', 'things are')} not attached, validated, enabled or filled as in the backup`;
    return { id: 'state', status: 'failed', reason, details };
  }
  if (typeof compared === 'object' && content !== 'data') {
    const reason =
      'Indexes, foreign keys and materialised views are as they should be; what depends on wording could not be compared';
    return { id: 'state', status: 'partial', reason, details: [compared.unavailable] };
  }
  const reason = `Partitions, constraints, indexes, triggers, row-level security and materialised views${partWords(plan)} are in the state that the backup has them in`;
  return { id: 'state', status: 'passed', reason, details: [] };
}

/** A view is populated exactly when the archive holds the entry that refreshes it. */
function wrongViews(plan: EntryPlan, { materializedViews }: DatabaseState, content: string): string[] {
  const keysOf = (type: string): Set<string> => new Set(entriesOf(plan.restored, type).map(keyOfEntry));
  const refreshed = keysOf('MATERIALIZED VIEW DATA');
  const defined = keysOf('MATERIALIZED VIEW');
  return materializedViews.flatMap((view) => {
    const key = tocKey(view);
    if (refreshed.has(key) && !view.populated) return [`${displayName(view)}: the materialised view is not populated`];
    if (content === 'all' && defined.has(key) && !refreshed.has(key) && view.populated) {
      return [`${displayName(view)}: the materialised view is populated, and in the backup it is not`];
    }
    return [];
  });
}

/** What is in another state than in the reference; with `alone` also what the reference lacks. */
export function differentFacts(
  alone: boolean,
  restored: readonly StateFact[],
  reference: readonly StateFact[],
): string[] {
  const here = new Map(restored.map(({ subject, value }) => [subject, value]));
  const there = new Map(reference.map(({ subject, value }) => [subject, value]));
  const wrong = reference.flatMap(({ subject, value }) => {
    const found = here.get(subject);
    return found === value ? [] : [`${subject}: ${found ?? 'is missing'}; in the backup: ${value}`];
  });
  const extra = alone ? restored.filter(({ subject }) => !there.has(subject)) : [];
  return [...wrong, ...extra.map(({ subject, value }) => `${subject}: ${value}; in the backup there is none`)];
}

/** Every extension that the plan creates is there; a newer version is a notice, an older one is not proven. */
export function checkRestoredExtensions(
  contents: Contents,
  plan: EntryPlan,
  found: readonly ExtensionFacts[],
): { check: Check; findings: Finding[] } {
  const names = new Set(entriesOf(plan.restored, 'EXTENSION').map(({ name }) => name));
  const expected = contents.extensions.filter(({ name }) => names.has(name));
  const missing: string[] = [];
  const older: string[] = [];
  const findings: Finding[] = [];
  for (const { name, version } of expected) {
    const here = found.find((extension) => extension.name === name);
    if (here === undefined) missing.push(`extension ${name}: is missing from the restored database`);
    else if (here.version !== version && !isNewer(here.version, version)) {
      older.push(`extension ${name}: version ${here.version} in the restored database, ${version} in the backup`);
    } else if (here.version !== version) findings.push(newer(name, version, here.version));
  }
  const details = [...missing, ...older];
  const id = 'extensions';
  if (missing.length > 0) {
    const reason = `${countOf(missing.length, 'extension is', 'extensions are')} missing from the restored database`;
    return { check: { id, status: 'failed', reason, details }, findings };
  }
  if (older.length > 0) {
    const reason = `${countOf(older.length, 'extension is', 'extensions are')} of a version that may lack what the backup uses`;
    return { check: { id, status: 'partial', reason, details }, findings };
  }
  const versions = findings.length === 0 ? 'in the recorded version' : `${findings.length} of them in a newer version`;
  const part = partWords(plan);
  const there = shareOf(expected.length, expected.length, `extension${part} is`, `extensions${part} are`);
  const reason = `${there} there, ${versions}`;
  return { check: { id, status: 'passed', reason, details: [] }, findings };
}

function newer(name: string, recorded: string, found: string): Finding {
  return {
    code: 'extension-newer',
    severity: 'notice',
    seen: `The extension ${name} is version ${found} in the restored database; the backup was taken with ${recorded}.`,
    action: '',
  };
}

/** By their numbers, in order; false when they do not tell. */
function isNewer(version: string, than: string): boolean {
  const numbers = (text: string): number[] => (text.match(/\d+/g) ?? []).map(Number);
  const [one, other] = [numbers(version), numbers(than)];
  for (let at = 0; at < Math.max(one.length, other.length); at += 1) {
    const difference = (one[at] ?? 0) - (other[at] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
