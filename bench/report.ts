/** The benchmark's table as Markdown. Ratios are to the first row of each section: the floor. */
import { formatBytes } from '../src/domain/words.ts';
import type { RestoreSection } from './restore.ts';

export interface Section {
  title: string;
  rows: { name: string; seconds: number; joiningSeconds: number; peakRssBytes: number }[];
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
    const rows = section.rows.map((row) =>
      [
        `| ${row.name.replaceAll('|', '\\|')} | ${row.seconds.toFixed(2)} s | ${(row.seconds / floor).toFixed(2)}`,
        ...(/^ours/.test(row.name)
          ? [`${row.joiningSeconds.toFixed(1)} s`, ratioWithoutJoining(row, floor), formatBytes(row.peakRssBytes)]
          : ['', '', '']),
      ].join(' | '),
    );
    return [
      `### ${section.title}`,
      '',
      '| | median | ratio to the floor | of it the S3 server joining parts | ratio without that | peak RSS of the Node process |',
      '|---|---|---|---|---|---|',
      ...rows.map((row) => `${row} |`),
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

function ratioWithoutJoining({ seconds, joiningSeconds }: Section['rows'][number], floor: number): string {
  return ((seconds - joiningSeconds) / floor).toFixed(2);
}

/** Without the time of its proof a restore is held against the bare one, and the proof against the bare reading. */
export function renderRestores(
  section: RestoreSection,
  { machine, rounds }: Pick<Report, 'machine' | 'rounds'>,
): string {
  const { title, jobs, floor, reading, rows } = section;
  const seconds = (value: number): string => `${value.toFixed(2)} s`;
  const lines = rows.map(({ name, total, fetch, restore, analyze, prove, peakRssBytes }) =>
    [
      ...[name, seconds(total), seconds(fetch), seconds(restore), seconds(analyze), seconds(prove)],
      ...[(total - prove) / floor, prove / reading, total / floor].map((ratio) => ratio.toFixed(2)),
      formatBytes(peakRssBytes),
    ].join(' | '),
  );
  return [
    `Medians of ${rounds} rounds in which the contenders take turns. ${machine}.`,
    '',
    `### ${title}`,
    '',
    '| | total | fetch, check, decrypt | pg_restore | ANALYZE | proof | total without the proof ÷ bare pg_restore | proof ÷ bare reading | total ÷ bare pg_restore | peak RSS of the Node process |',
    '|---|---|---|---|---|---|---|---|---|---|',
    `| floor: pg_restore -j${jobs} of the archive on disk | ${seconds(floor)} | | ${seconds(floor)} | | | 1.00 | | 1.00 | |`,
    `| floor: psql, COPY … TO STDOUT of every table, ${jobs} at once | ${seconds(reading)} | | | | ${seconds(reading)} | | 1.00 | | |`,
    ...lines.map((line) => `| ${line} |`),
  ].join('\n');
}
