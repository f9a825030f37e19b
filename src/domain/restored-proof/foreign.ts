/** What can be said of a restored dump that was made by other means: nothing was recorded, so nothing is proven. */
import type { Check, CheckId } from '../checks.ts';
import { displayName, type QualifiedName, relationKey } from '../relations.ts';
import { countOf } from '../words.ts';
import { type CriticalTables, checkRestoredCritical } from './rows.ts';
import type { DatabaseState } from './state.ts';

export interface ForeignEvidence {
  /** Tables with rows of their own. */
  tables: readonly (QualifiedName & { rows: number })[];
  /** An error says why rows could not be counted. */
  counting: 'done' | Error;
  critical: readonly CriticalTables[];
  state: DatabaseState;
}

/** The checks that a backup of this action gets, each with what is known instead. Never all passed. */
export function judgeForeign({ tables, counting, critical, state }: ForeignEvidence): Check[] {
  const checks = [foreignTables(tables, counting), ...UNKNOWN.map(unknown), foreignState(state)];
  if (critical.length === 0) return checks;
  if (counting instanceof Error) {
    const reason = 'Rows could not be counted';
    return [...checks, { id: 'critical-tables', status: 'not-run', reason, details: [counting.message] }];
  }
  return [
    ...checks,
    checkRestoredCritical('all', critical, new Map(tables.map((table) => [relationKey(table), table]))),
  ];
}

const UNKNOWN: readonly CheckId[] = ['sequences', 'large-objects', 'objects', 'definitions', 'extensions'];

function unknown(id: CheckId): Check {
  const reason = 'The dump was made by other means: nothing was recorded to compare with';
  return { id, status: 'not-run', reason, details: [] };
}

function foreignTables(tables: ForeignEvidence['tables'], counting: 'done' | Error): Check {
  const id = 'tables';
  if (counting instanceof Error) {
    return { id, status: 'not-run', reason: 'Rows could not be counted', details: [counting.message] };
  }
  if (tables.length === 0) {
    return { id, status: 'failed', reason: 'The restored database holds no table', details: [] };
  }
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  return {
    id,
    status: 'partial',
    reason: `${countOf(tables.length, 'table holds', 'tables hold')} ${countOf(rows, 'row')}; how many there should be was not recorded`,
    details: tables.map((table) => `${displayName(table)}: ${countOf(table.rows, 'row')}`),
  };
}

function foreignState({ invalidIndexes, idleForeignKeys, materializedViews, facts }: DatabaseState): Check {
  const wrong = [
    ...invalidIndexes.map((name) => `${name}: the index is not valid`),
    ...idleForeignKeys.map((name) => `${name}: the foreign key is switched off and checks nothing`),
  ];
  const open = [
    ...facts.flatMap(({ subject, value }) => (value === 'not validated' ? [`${subject}: is not validated`] : [])),
    ...materializedViews.flatMap((view) => (view.populated ? [] : [`${displayName(view)}: is not populated`])),
  ];
  if (wrong.length > 0) {
    const reason = `${countOf(wrong.length, 'index or foreign key does', 'indexes and foreign keys do')} not work`;
    return { id: 'state', status: 'failed', reason, details: [...wrong, ...open] };
  }
  const reason =
    open.length === 0
      ? 'Indexes are valid, constraints validated and materialised views filled; whether all are there was not recorded'
      : `${countOf(open.length, 'constraint or materialised view is', 'constraints and materialised views are')} not validated or filled, which may have been so at the source`;
  return { id: 'state', status: 'partial', reason, details: open };
}
