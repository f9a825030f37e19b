/** The report of a drill on disk: Markdown, and JUnit XML beside it. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';

export interface ReportPaths {
  markdown: string;
  junit: string;
}

/** `drill.md` (or `drill.xml`, or `drill`) stands for `drill.md` and `drill.xml`; another ending stays in both names. */
export function reportPaths(given: string): ReportPaths {
  const base = given.replace(/\.(md|markdown|xml)$/i, '');
  const markdown = /\.markdown$/i.test(given) ? given : `${base}.md`;
  return { markdown, junit: `${base}.xml` };
}

export interface WrittenReport {
  /** Of the files that were written, Markdown first: `DrillResult.reportPaths`. */
  paths: readonly string[];
  findings: readonly Finding[];
}

/** A report that cannot be written changes nothing of the verdict, and is a warning. */
export async function writeDrillReport(
  given: string,
  { markdown, junit }: { markdown: string; junit: string },
): Promise<WrittenReport> {
  const names = reportPaths(given);
  const paths: string[] = [];
  const findings: Finding[] = [];
  for (const [file, text] of [
    [names.markdown, markdown],
    [names.junit, junit],
  ] as const) {
    try {
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, text);
      paths.push(file);
    } catch (error) {
      findings.push({
        code: 'report-unwritten',
        severity: 'warning',
        seen: `The report of the drill could not be written to ${file}: ${messageOf(error)}`,
        action: 'Correct `report-path`, or make its folder writable. The job summary says the same.',
      });
    }
  }
  return { paths, findings };
}
