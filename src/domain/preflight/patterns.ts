/** Patterns that match nothing, or what nobody wants. */
import type { Finding } from '../findings.ts';
import { displayName, listNames, type QualifiedName } from '../relations.ts';
import { countOf, listWords } from '../words.ts';

/** Inputs that hold name patterns. */
export type PatternInput =
  | 'schemas'
  | 'exclude-schemas'
  | 'tables'
  | 'exclude-tables'
  | 'exclude-table-data'
  | 'critical-tables';

/** A pattern that matches nothing that it could be meant for. */
export interface PatternMiss {
  input: PatternInput;
  pattern: string;
  /** It has no wildcard: it names one thing. */
  literal: boolean;
  /** What it would match if case and `search_path` did not matter; `name` is empty for schemas. */
  near: QualifiedName[];
  /** `critical-tables` only: what it matches is there, and the scope leaves it out. */
  outOfScope: boolean;
}

/** A pattern of an including input that also takes the system's own tables. */
export interface SystemSelection {
  input: PatternInput;
  pattern: string;
  tables: QualifiedName[];
}

export function assessPatterns(misses: readonly PatternMiss[], system: readonly SystemSelection[]): Finding[] {
  return [...misses.map(assessMiss), ...system.map(assessSystem)];
}

/**
 * A wildcard of an exclusion may match nothing on a quiet day (`tmp_*`); whatever names one thing, or decides what is
 * in the backup, must match.
 */
function assessMiss(miss: PatternMiss): Finding {
  const excludes = miss.input.startsWith('exclude-');
  return {
    code: 'pattern-without-match',
    severity: excludes && !miss.literal ? 'notice' : 'error',
    seen: describeMiss(miss),
    action: remedy(miss, excludes),
  };
}

function describeMiss({ input, pattern, outOfScope }: PatternMiss): string {
  if (outOfScope) return `\`${pattern}\` of \`${input}\` matches only tables that this backup leaves out`;
  return `\`${pattern}\` of \`${input}\` matches nothing`;
}

function remedy({ input, pattern, near, outOfScope }: PatternMiss, excludes: boolean): string {
  if (outOfScope) return `Remove it from \`${input}\`, or widen the scope.`;
  if (near.length > 0) {
    const written = near.map((each) => (each.name === '' ? displaySchema(each.schema) : displayName(each)));
    const [shorter] = near;
    const why =
      shorter !== undefined && shorter.name !== '' && !pattern.includes('.')
        ? 'A name without its schema is looked for in search_path, in lower case unless quoted'
        : 'Names are folded to lower case unless quoted';
    return `${why}. Did you mean ${listWords(written.map((name) => `\`${name}\``))}?`;
  }
  return excludes ? 'Correct it, or remove it.' : 'Correct it: patterns are `schema.table`, with `*` and `?`.';
}

function displaySchema(schema: string): string {
  return displayName({ schema, name: '' }).replace(/\.""$/, '');
}

function assessSystem({ input, pattern, tables }: SystemSelection): Finding {
  return {
    code: 'system-tables-selected',
    severity: 'error',
    seen: `\`${pattern}\` of \`${input}\` also takes ${countOf(tables.length, 'table')} of the system itself, which cannot be restored: ${listNames(tables, 3)}`,
    action: 'Name the schema: `public.*` instead of `*`. For the whole database leave the input out.',
  };
}
