/** What a backup does not hold or did not check by design, said aloud. */
import type { CatalogFacts } from './facts.ts';
import type { Finding } from './findings.ts';
import { listNames } from './relations.ts';

/** Notices for the summary of a backup. `facts` have been counted. */
export function assessLeftOut(facts: CatalogFacts): Finding[] {
  const findings: Finding[] = [];
  const withRows = facts.tables.filter((table) => table.hasData);
  if (withRows.length > 0 && withRows.every((table) => table.rows === undefined)) {
    findings.push({
      code: 'rows-not-counted',
      severity: 'notice',
      seen: 'No table is small enough to be counted at the source, so there is no check of row counts',
      action: 'Name the tables that matter in `critical-tables`, or set `verify: source`.',
    });
  }
  const foreign = facts.tables.filter((table) => table.ofExtension && !table.hasData && table.sizeBytes > 0);
  if (foreign.length > 0) {
    findings.push({
      code: 'extension-rows-left-out',
      severity: 'warning',
      seen: `Rows of tables that belong to an extension are not in this backup, because pg_dump leaves them to the extension: ${listNames(foreign)}`,
      action:
        'If you put rows there yourself, take the table out of the extension (`ALTER EXTENSION … DROP TABLE …`) or copy them elsewhere.',
    });
  }
  return findings;
}
