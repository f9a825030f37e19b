/** The benchmark's table as Markdown. Ratios are to the first row of each section: the floor. */
import { formatBytes } from '../src/domain/words.ts';

export interface Section {
  title: string;
  rows: { name: string; seconds: number; peakRssBytes: number }[];
}

export interface Report {
  sections: readonly Section[];
  startUpMilliseconds: number;
  machine: string;
  rounds: number;
  skipped: readonly string[];
}

export function renderReport(report: Report): string {
  const tables = report.sections.map((section) => {
    const floor = section.rows[0]?.seconds ?? Number.NaN;
    const rows = section.rows.map(
      (row) =>
        `| ${row.name.replaceAll('|', '\\|')} | ${row.seconds.toFixed(2)} s | ${(row.seconds / floor).toFixed(2)} | ${/^ours/.test(row.name) ? formatBytes(row.peakRssBytes) : ''} |`,
    );
    return [
      `### ${section.title}`,
      '',
      '| | median | ratio to the floor | peak RSS of the Node process |',
      '|---|---|---|---|',
      ...rows,
    ].join('\n');
  });
  return [
    `Medians of ${report.rounds} rounds in which the contenders take turns. ${report.machine}.`,
    '',
    tables.join('\n\n'),
    '',
    `Start-up of the bundle to its first line of output: ${report.startUpMilliseconds.toFixed(0)} ms (median of 7).`,
    ...report.skipped.map((line) => `\nNot measured: ${line}`),
  ].join('\n');
}
