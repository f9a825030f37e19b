/** Whether the newest backup looks like those before it. */
import { LEAST_BYTES_CHANGED, LEAST_ROWS_CHANGED } from '../previous-backup.ts';
import { countOf, formatBytes, formatDuration } from '../words.ts';
import type { SeriesRule } from './finding.ts';
import type { BackupPoint, StatusFinding } from './model.ts';
import { median } from './series-view.ts';

/** Like backups that there must be besides the newest. */
export const LEAST_LIKE = 4;
/** The newest of them that are compared with. */
const MOST_LIKE = 10;
export const CHANGED_PERCENT = 50;
export const LONGER_TIMES = 2;
/** Seconds below which it is noise. */
export const LONGER_LEAST_SECONDS = 60;

export const judgeAnomalies: SeriesRule = ({ name: series, good }) => {
  const newest = good.find((point, index) => likeOf(point, good.slice(index + 1)).length >= LEAST_LIKE);
  if (newest === undefined) return [];
  const like = likeOf(newest, good.slice(good.indexOf(newest) + 1));
  const usual = (of: (point: BackupPoint) => number): number => median(like.map(of)) ?? 0;
  const amounts = [
    changed('size-anomaly', 'holds', newest.plainBytes, usual(bytesOf), LEAST_BYTES_CHANGED, formatBytes),
    changed('rows-anomaly', 'holds', newest.rows, usual(rowsOf), LEAST_ROWS_CHANGED, rowsInWords),
  ];
  const findings = [...amounts, longer(newest.seconds, usual(secondsOf))].flatMap((found) => found ?? []);
  return findings.map(({ code, words, action }): StatusFinding => {
    const seen = `${newest.id} ${words}, the median of ${like.length} backups like it`;
    return { code, level: 'warning', series, seen, action };
  });
};

const bytesOf = ({ plainBytes }: BackupPoint): number => plainBytes;
const rowsOf = ({ rows }: BackupPoint): number => rows;
const secondsOf = ({ seconds }: BackupPoint): number => seconds;

/** The label stands for the scope: what a workflow takes, it takes under one label. */
function likeOf(point: BackupPoint, older: readonly BackupPoint[]): BackupPoint[] {
  return older.filter(({ label, whole }) => label === point.label && whole === point.whole).slice(0, MOST_LIKE);
}

interface Noticed {
  code: string;
  /** Predicate of the backup. */
  words: string;
  action: string;
}

function changed(
  code: string,
  verb: string,
  now: number,
  usual: number,
  least: number,
  format: (amount: number) => string,
): Noticed | undefined {
  const change = Math.abs(now - usual);
  if (change < least || change * 100 <= usual * CHANGED_PERCENT) return undefined;
  const percent = usual === 0 ? '' : `${now < usual ? '-' : '+'}${Math.round((change / usual) * 100)} %: `;
  return {
    code,
    words: `${verb} ${format(now)}, ${percent}${format(usual)} is`,
    action:
      now < usual
        ? 'Find out whether data was deleted. Until then keep older backups from being pruned: `keep-forever`, or stop the prune.'
        : 'Find out what grew. Nothing is lost; time, storage and the time to recover grow with it.',
  };
}

function longer(now: number, usual: number): Noticed | undefined {
  if (now <= usual * LONGER_TIMES || now - usual < LONGER_LEAST_SECONDS) return undefined;
  return {
    code: 'duration-anomaly',
    words: `took ${formatDuration(now)}; ${formatDuration(usual)} is`,
    action: 'Compare the phases in the log of its run: locks, the network, or a database under load.',
  };
}

function rowsInWords(rows: number): string {
  return countOf(rows, 'row');
}
