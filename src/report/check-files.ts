/** The files that a check leaves where `report-path` says. */
import type { CheckResult } from '../command.ts';
import { serializeCheckRecord } from '../domain/check/record.ts';
import { formatSchemaList } from '../domain/check/schema-list.ts';
import { checkReport } from './check-report.ts';
import { reportPaths } from './drill-files.ts';
import { checkJUnit } from './junit.ts';

export interface ReportFile {
  path: string;
  text: string;
}

/** `check.md`, `check.xml`, `check.json` (for `baseline`) and `check.schema.txt` (for `expected-schema`); Markdown last. */
export function checkFiles(result: CheckResult, given: string, redact: (text: string) => string): ReportFile[] {
  const { markdown, junit } = reportPaths(given);
  const base = junit.replace(/\.xml$/, '');
  return [
    { path: junit, text: checkJUnit(result, redact) },
    { path: `${base}.json`, text: serializeCheckRecord(result.record) },
    ...(result.schemaList === undefined
      ? []
      : [{ path: `${base}.schema.txt`, text: formatSchemaList(result.schemaList) }]),
    { path: markdown, text: checkReport(result, redact) },
  ];
}
