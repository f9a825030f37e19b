/** What the user says must hold: assertions, and that no critical table has lost its rows. */
import { checkAssertions } from '../drill-checks.ts';
import { displayName } from '../relations.ts';
import { countOf, formatAge, formatCount } from '../words.ts';
import { healthCheck, noneOf } from './model.ts';

const MAX_DROP_PERCENT = 50;

export const OWN_WORDS = [
  healthCheck({
    code: 'assertions',
    group: 'assertions',
    needs: 'assertions',
    words: 'Fails when an assertion does not hold (docs/assertions.md); freshness counts from now.',
    judge: (results) => {
      const { status, reason, details } = checkAssertions(results);
      return {
        status: status === 'partial' ? 'not-run' : status,
        seen: reason,
        action: status === 'passed' ? '' : 'Look at the rows that each is about: the SQL stands in the workflow.',
        details,
        value: results.filter((result) => result.status !== 'passed').length,
      };
    },
  }),
  healthCheck({
    code: 'row-drop',
    group: 'assertions',
    needs: 'rowDrop',
    words:
      'Rows of critical tables against the newest proven backup of `storage`, by the salted counts in its manifest. Fails when one has lost more than the limit.',
    limit: { value: MAX_DROP_PERCENT, unit: 'percent', input: 'max-row-drop-percent' },
    judge: ({ backupId, backupAt, tables }, { limit, now }) => {
      const dropped = tables
        .map((table) => ({
          ...table,
          percent: table.before === 0 ? 0 : ((table.before - table.now) / table.before) * 100,
        }))
        .filter(({ percent }) => percent > limit)
        .toSorted((one, other) => other.percent - one.percent);
      const age = formatAge((now.getTime() - backupAt.getTime()) / 1000);
      return noneOf(
        dropped.map(
          (table) =>
            `${displayName(table)}: ${countOf(table.before, 'row')} then, ${formatCount(table.now)} now (-${Math.round(table.percent)} %)`,
        ),
        'failed',
        {
          none: `No critical table has lost more than ${limit} % of its rows since ${backupId}, ${age} ago`,
          some: `${countOf(dropped.length, 'critical table has', 'critical tables have')} lost more than ${limit} % of ${dropped.length === 1 ? 'its' : 'their'} rows since ${backupId}, ${age} ago`,
          action: `Stop what writes there, and look before you release. The rows are in ${backupId}.`,
        },
      );
    },
  }),
];
