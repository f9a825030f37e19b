/** Whether the database looks the way the application needs it. */
import { displayName } from '../relations.ts';
import { countOf, formatAge, formatCount } from '../words.ts';
import { type CriticalRule, parseCriticalRule } from './critical-rule.ts';
import { isOlderVersion } from './expected-extension.ts';
import { type CriticalFacts, type CriticalTable, MOST_ORPHANS, type OrphanFacts } from './facts.ts';
import { healthCheck, type Judgement, noneOf, unless } from './model.ts';

export const SHAPE = [
  healthCheck({
    code: 'min-tables',
    group: 'shape',
    needs: 'tables',
    words: 'Fails when there are fewer tables than that. Left out without a limit.',
    limit: { unit: 'tables', input: 'min-tables', lessIsWorse: true },
    judge: ({ count }, { limit }) =>
      unless(count < limit, 'failed', {
        seen: `${countOf(count, 'table is', 'tables are')} there; ${countOf(limit, 'is', 'are')} the least`,
        action: 'Look whether `database-url` names the right database, and whether the migrations ran.',
        value: count,
      }),
  }),
  healthCheck({
    code: 'critical-tables',
    group: 'shape',
    needs: 'criticalTables',
    words:
      'Fails when a table of `critical-tables` is missing, is empty, has fewer rows than `rows>=N`, or a newest row older than `newest(column)<2h`, and when that column is not there.',
    judge: judgeCritical,
  }),
  healthCheck({
    code: 'primary-keys',
    group: 'shape',
    needs: 'withoutPrimaryKey',
    words:
      'Warns about tables without a primary key: logical replication cannot follow their changes, and rows cannot be told apart.',
    judge: (names) =>
      noneOf(names, 'warning', {
        none: 'Every table has a primary key',
        some: `${countOf(names.length, 'table has', 'tables have')} no primary key`,
        action: 'ALTER TABLE … ADD PRIMARY KEY, or switch this check off (`checks: primary-keys=off`).',
      }),
  }),
  healthCheck({
    code: 'orphans',
    group: 'shape',
    needs: 'orphans',
    words:
      'Rows whose parent is missing: for the pairs of `orphan-checks`, with `auto` for foreign keys that are not validated, and for columns such as `order_id` beside a table `orders` with no foreign key between them. Fails, also for a pair that is not there; warns where the names alone suggest the pair.',
    judge: judgeOrphans,
  }),
  healthCheck({
    code: 'expected-extensions',
    group: 'shape',
    needs: 'expectedExtensions',
    words: 'Fails when an extension of `expected-extensions` is not installed, or older than `name>=version`.',
    judge: (extensions) => {
      const wrong = extensions.flatMap(({ name, least, installed }) => {
        if (installed === undefined) return [`${name} is not installed`];
        return least !== undefined && isOlderVersion(installed, least)
          ? [`${name} is ${installed}, older than ${least}`]
          : [];
      });
      return noneOf(wrong, 'failed', {
        none: `${countOf(extensions.length, 'expected extension is', 'expected extensions are')} there`,
        some: `Of ${countOf(extensions.length, 'expected extension')} ${wrong.length} ${wrong.length === 1 ? 'is' : 'are'} missing or too old`,
        action: 'CREATE EXTENSION …, or ALTER EXTENSION … UPDATE.',
      });
    },
  }),
  healthCheck({
    code: 'expected-schema',
    group: 'shape',
    needs: 'schema',
    words:
      'The objects of the database against the list in the file `expected-schema`. Fails for what is missing, warns about what is there besides.',
    judge: ({ missing, unexpected, expected }) => {
      const details = [
        ...missing.map((line) => `missing: ${line}`),
        ...unexpected.map((line) => `not in the list: ${line}`),
      ];
      if (details.length === 0)
        return {
          status: 'passed',
          seen: `All of ${countOf(expected, 'object')} of the list are there, and nothing else`,
          value: 0,
        };
      return {
        status: missing.length > 0 ? 'failed' : 'warning',
        seen: `${countOf(missing.length, 'object')} of the list ${missing.length === 1 ? 'is' : 'are'} missing, ${formatCount(unexpected.length)} ${unexpected.length === 1 ? 'is' : 'are'} not in it`,
        action: 'Look whether the migration ran to its end. A new list is written beside the report (`report-path`).',
        details,
        value: missing.length,
      };
    },
  }),
];

function judgeCritical(facts: readonly CriticalFacts[]): Judgement {
  // Several lines may name a table, and a table may have several faults.
  const all = new Set<string>();
  const amiss = new Set<string>();
  const wrong = new Set<string>();
  const hidden = new Map<string, string>();
  const fault = (what: string, words: string): void => {
    amiss.add(what);
    wrong.add(words);
  };
  for (const { rule, tables } of facts) {
    const parsed = parseCriticalRule(rule);
    if (tables.length === 0) fault(parsed.pattern, `${parsed.pattern}: there is no such table`);
    for (const table of tables) {
      const name = displayName(table);
      all.add(name);
      if (table.hidden !== undefined) hidden.set(name, `${name}: ${table.hidden}`);
      else if (table.mistake !== undefined && table.rows > 0) fault(name, `${name}: ${table.mistake}`);
      else for (const words of faultsOf(table, parsed)) fault(name, words);
    }
  }
  if (amiss.size > 0) {
    return {
      status: 'failed',
      seen: `${countOf(amiss.size, 'critical table is', 'critical tables are')} not as ${amiss.size === 1 ? 'it' : 'they'} should be`,
      action: 'Look at those tables before anything else: rows that are gone may be in an earlier backup.',
      details: [...wrong, ...hidden.values()],
      value: amiss.size,
    };
  }
  if (hidden.size > 0) {
    return {
      status: 'not-run',
      seen: `${countOf(hidden.size, 'critical table')} could not be looked at`,
      action: 'GRANT SELECT on them to this role (with row-level security: BYPASSRLS), or look who holds a lock.',
      details: [...hidden.values()],
    };
  }
  return {
    status: 'passed',
    seen: `${countOf(all.size, 'critical table is', 'critical tables are')} as ${all.size === 1 ? 'it' : 'they'} should be`,
    value: 0,
  };
}

function faultsOf(table: CriticalTable, { least, newest }: CriticalRule): string[] {
  const name = displayName(table);
  if (table.rows === 0) return [`${name} is empty`];
  const faults: string[] = [];
  if (least !== undefined && table.rows < least)
    faults.push(`${name} has ${countOf(table.rows, 'row')}; ${countOf(least, 'is', 'are')} the least`);
  if (newest !== undefined) {
    const age = table.newestSeconds ?? null;
    if (age === null) faults.push(`${name} has no time in ${newest.column}`);
    else if (age > newest.seconds)
      faults.push(`${name}: the newest row is ${formatAge(age)} old; ${formatAge(newest.seconds)} is allowed`);
  }
  return faults;
}

function judgeOrphans(pairs: readonly OrphanFacts[]): Judgement {
  const words = ({ pair, rows, kind }: OrphanFacts): string =>
    `${pair}: ${rows >= MOST_ORPHANS ? `${formatCount(MOST_ORPHANS)} or more rows` : countOf(rows, 'row')} without a parent${kind === 'guessed' ? ' (a pair by its names)' : ''}`;
  const found = pairs.filter(({ rows }) => rows > 0);
  const mistaken = pairs.filter(({ mistake }) => mistake !== undefined);
  if (mistaken.length > 0) {
    return {
      status: 'failed',
      seen: `${countOf(mistaken.length, 'pair')} of \`orphan-checks\` ${mistaken.length === 1 ? 'is' : 'are'} not there`,
      action: 'Correct it: `child.column -> parent.column`. A check of what is not there would never find anything.',
      details: [...mistaken.map(({ pair, mistake = '' }) => `${pair}: ${mistake}`), ...found.map(words)],
      value: mistaken.length,
    };
  }
  const hidden = pairs.filter((pair) => pair.hidden !== undefined);
  const certain = found.some(({ kind }) => kind !== 'guessed');
  if (found.length > 0) {
    return {
      status: certain ? 'failed' : 'warning',
      seen: `${countOf(found.length, 'pair')} of tables ${found.length === 1 ? 'has' : 'have'} rows without a parent`,
      action: 'Find out what deleted the parents, mend the rows, then add the foreign key or validate it.',
      details: found.map(words),
      value: found.length,
    };
  }
  if (hidden.length > 0) {
    return {
      status: 'not-run',
      seen: `${countOf(hidden.length, 'pair')} of tables could not be looked at`,
      action: 'GRANT SELECT on both tables to this role, or look who holds a lock.',
      details: hidden.map(({ pair, hidden: why }) => `${pair}: ${why}`),
    };
  }
  return {
    status: 'passed',
    seen:
      pairs.length === 0
        ? 'Every foreign key is validated, and none seems to be missing'
        : `No row is without its parent (${countOf(pairs.length, 'pair')} looked at)`,
    value: 0,
  };
}
