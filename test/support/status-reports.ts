/** Made-up reports of status for the dashboard: always the same ones. */
import type { RecoveryVerdict } from '../../src/domain/recovery.ts';
import type {
  BackupPoint,
  DayState,
  DrillPoint,
  Level,
  SeriesStatus,
  StatusDay,
  StatusFinding,
  StatusReport,
} from '../../src/domain/status/model.ts';

export const NOW = new Date('2026-11-21T05:12:00Z');
export const BUCKETS = ['s3://acme-backups/postgres', 's3://acme-second/postgres'] as const;
const DAY_MS = 86_400_000;
const GIB = 1024 ** 3;

/** Numbers from 0 to 1 that only look like chance. */
function chances(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

export function backupPoint(over: Partial<BackupPoint> = {}): BackupPoint {
  const at = over.at ?? new Date(NOW.getTime() - 3 * 3_600_000);
  const label = over.label ?? 'nightly';
  const time = at.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '_');
  return {
    id: `${time}_${label}_k3v9qa`,
    at,
    label,
    verdict: 'proven',
    restored: false,
    whole: true,
    keepForever: false,
    seconds: 260,
    plainBytes: 21 * GIB,
    storedBytes: 6 * GIB,
    rows: 48_211_090,
    tables: 131,
    locations: BUCKETS,
    ...over,
  };
}

export function finding(level: Level, code: string, over: Partial<StatusFinding> = {}): StatusFinding {
  return { code, level, seen: `What ${code} means.`, action: `Look at ${code}.`, ...over };
}

/** A report that holds together: levels are those of the findings. */
export function reportOf(over: Partial<StatusReport> & { series: readonly SeriesStatus[] }): StatusReport {
  const findings = over.findings ?? over.series.flatMap((each) => each.findings);
  return {
    now: NOW,
    level: worst(findings),
    destinations: BUCKETS.map((location) => ({ location, storedBytes: 402 * GIB, sets: 61 })),
    findings,
    storage: { bytes: 402 * GIB, budgetBytes: 500 * GIB, bytesPerDay: 0.41 * GIB, fullInDays: 239 },
    ...over,
  };
}

export function seriesOf(name: string, over: Partial<SeriesStatus> = {}): SeriesStatus {
  const backups = over.backups ?? [backupPoint()];
  const drills = over.drills ?? [];
  const findings = over.findings ?? [];
  const newestProven = backups.findLast(({ verdict }) => verdict === 'proven');
  const newestRestored = backups.findLast(({ restored }) => restored);
  const lastDrill = drills.at(-1);
  return {
    name,
    level: worst(findings),
    ...(newestProven === undefined ? {} : { newestProven }),
    ...(newestRestored === undefined ? {} : { newestRestored }),
    ...(lastDrill === undefined ? {} : { lastDrill }),
    ...(drills.length === 0
      ? {}
      : { drillSuccessPercent: (drills.filter(({ verdict }) => verdict === 'passed').length / drills.length) * 100 }),
    cadenceHours: 24,
    days: lastDays(backups, drills),
    backups,
    drills,
    findings,
    storedBytes: backups.reduce((sum, { storedBytes }) => sum + storedBytes, 0),
    ...over,
  };
}

export function lastDays(backups: readonly BackupPoint[], drills: readonly DrillPoint[] = []): StatusDay[] {
  const first = backups[0]?.at;
  return Array.from({ length: 30 }, (_, index) => {
    const day = new Date(NOW.getTime() - (29 - index) * DAY_MS).toISOString().slice(0, 10);
    const taken = backups.filter(({ at }) => at.toISOString().startsWith(day));
    const drill = drills.findLast(({ at }) => at.toISOString().startsWith(day));
    const begun = first !== undefined && first.toISOString().slice(0, 10) <= day;
    const empty: DayState = begun ? 'missed' : 'none';
    const state =
      taken.length === 0 ? empty : taken.some(({ verdict }) => verdict === 'proven') ? 'proven' : 'unproven';
    return { day, state, backups: taken.length, ...(drill === undefined ? {} : { drill: drill.verdict }) };
  });
}

/** `count` backups, evenly over `days` days until three hours ago. */
export function evenly(count: number, days: number, over: Partial<BackupPoint> = {}): BackupPoint[] {
  const last = NOW.getTime() - 3 * 3_600_000;
  return Array.from({ length: count }, (_, index) =>
    backupPoint({ at: new Date(last - ((count - 1 - index) / count) * days * DAY_MS), ...over }),
  );
}

export interface YearOptions {
  seed?: number;
  /** Of the first backup. */
  gib?: number;
  /** Growth over the year: 2 is twice as large at its end. */
  growth?: number;
  /** Days before now on which nothing came. */
  missed?: readonly number[];
  /** Days before now of which the backup is not proven. */
  unproven?: readonly number[];
  /** What a drill each 28 days has said, oldest first. */
  drills?: readonly RecoveryVerdict[];
}

/** A year of nightly backups, releases between them, and a drill every four weeks. */
export function yearOf(name: string, options: YearOptions = {}, over: Partial<SeriesStatus> = {}): SeriesStatus {
  const { seed = 7, gib = 12, growth = 1.8, missed = [], unproven = [], drills: verdicts = [] } = options;
  const chance = chances(seed);
  const passedOn = (ago: number): boolean => ago % 28 === 12 && verdicts.at(-1 - (ago - 12) / 28) === 'passed';
  const backups: BackupPoint[] = [];
  for (let ago = 365; ago >= 0; ago -= 1) {
    const size = gib * GIB * (1 + ((365 - ago) / 365) * (growth - 1)) * (0.985 + chance() * 0.03);
    const seconds = (size / GIB) * 11 * (0.85 + chance() * 0.4) * (ago > 92 && ago < 99 ? 2.3 : 1);
    const at = new Date(Date.UTC(2026, 10, 21 - ago, 2, Math.floor(chance() * 20)));
    if (missed.includes(ago)) continue;
    const shared = { seconds, plainBytes: Math.round(size), storedBytes: Math.round(size * 0.29) };
    const rows = Math.round(size / 460);
    backups.push(
      backupPoint({
        at,
        ...shared,
        rows,
        ...(unproven.includes(ago) ? { verdict: 'unproven' } : {}),
        ...(passedOn(ago) ? { restored: true } : {}),
        ...(ago === 3 ? { locations: [BUCKETS[0]] } : {}),
      }),
    );
    if (ago % 45 === 4) {
      const release = { at: new Date(at.getTime() + 8 * 3_600_000), label: `release-4.${9 - Math.floor(ago / 45)}` };
      backups.push(backupPoint({ ...release, ...shared, rows, keepForever: true }));
    }
  }
  const drills = verdicts.map((verdict, index): DrillPoint => {
    const ago = 12 + 28 * (verdicts.length - 1 - index);
    const at = new Date(Date.UTC(2026, 10, 21 - ago, 4, 30));
    const recoverySeconds = 420 + index * 25 + chance() * 60;
    const backupId = backupPoint({ at }).id;
    return { at, backupId, verdict, ...(verdict === 'failed' ? {} : { recoverySeconds }) };
  });
  return seriesOf(name, { backups, drills, ...over });
}

/** Rich: all that a page may have to show. */
export function richReport(): StatusReport {
  const shop = yearOf(
    'shop',
    {
      gib: 2.2,
      missed: [6, 19, 20, 140, 141, 142],
      unproven: [10, 27, 88],
      drills: [
        'passed',
        'passed',
        'failed',
        'passed',
        'passed',
        'partial',
        'passed',
        'passed',
        'failed',
        'passed',
        'passed',
        'passed',
        'passed',
      ],
    },
    {
      findings: [
        finding('warning', 'check-failed', {
          series: 'shop',
          seen: 'The last health check of the database of shop, 3 h 31 min ago, failed: long-transaction',
          action: 'Read its report, or run `command: check` again. The next one that does not fail ends this.',
        }),
        finding('info', 'copy-missing', {
          series: 'shop',
          seen: 's3://acme-second/postgres lacks 1 proven backup of shop that another destination has',
          action: '',
        }),
      ],
      health: {
        last: { at: new Date('2026-11-21T01:41:00Z'), verdict: 'failed', failed: ['long-transaction'] },
        ...{ checks: 120, failed: 2, reached: 120 },
      },
    },
  );
  const billing = yearOf(
    'billing',
    {
      seed: 23,
      gib: 0.4,
      growth: 1.3,
      missed: [0, 1, 2],
      unproven: [3],
      drills: ['passed', 'passed', 'passed', 'failed', 'failed'],
    },
    {
      findings: [
        finding('critical', 'backup-too-old', {
          series: 'billing',
          seen: 'The newest proven backup of billing is 4 days 3 h old; `max-age-hours` allows 26',
          action:
            'Run the nightly workflow by hand now (`gh workflow run nightly-backup.yml`), and look at why the last three runs did not come.',
        }),
        finding('critical', 'drill-failed', {
          series: 'billing',
          seen: 'The last two drills of billing failed, the newest on 2026-11-09',
          action:
            'Open the report of the last drill; until one passes, nobody knows whether `billing` can be brought back.',
        }),
      ],
    },
  );
  const wiki = seriesOf('wiki', {
    backups: evenly(9, 9, { plainBytes: 180 * 1024 ** 2, storedBytes: 61 * 1024 ** 2, rows: 81_020, seconds: 9 }),
    findings: [
      finding('warning', 'never-drilled', {
        series: 'wiki',
        seen: 'No backup of wiki was ever brought back by a drill',
        action: 'Add it to the workflow restore-drill.',
      }),
    ],
  });
  const storage = finding('warning', 'storage-budget', {
    seen: '402 GiB of 500 GiB are used (80 %), and it grows by 420 MiB a day.',
    action: 'Raise `storage-budget-gb`, or keep less: `command: prune` with `dry-run` shows what goes.',
  });
  const verdicts = ['passed', 'warning', 'failed'] as const;
  const days = shop.days.map((each, index) => ({ ...each, check: verdicts[index % verdicts.length] ?? 'passed' }));
  const series = [billing, { ...shop, days }, wiki];
  return reportOf({
    series,
    findings: [...billing.findings, storage, ...shop.findings.slice(0, 1), ...wiki.findings, ...shop.findings.slice(1)],
    destinations: [
      { location: BUCKETS[0], storedBytes: 402 * GIB, sets: 61 },
      { location: BUCKETS[1], storedBytes: 398 * GIB, sets: 60 },
      { location: '/mnt/nas/backups', error: 'ERR_STORAGE_READ: the folder is not there' },
    ],
    verified: { sets: 4, bytes: 23 * GIB, damaged: [] },
  });
}

function worst(findings: readonly StatusFinding[]): Level {
  const levels = findings.map(({ level }) => level);
  return levels.includes('critical') ? 'critical' : levels.includes('warning') ? 'warning' : 'info';
}

/** That of docs/dashboard.png: one series, and one thing that needs somebody. `test/support/dashboard-picture.ts` renders it. */
export function pictureReport(): StatusReport {
  const { series } = richReport();
  return reportOf({
    series: series
      .filter(({ name }) => name === 'shop')
      .map((shop) => ({ ...shop, findings: shop.findings.filter(({ level }) => level !== 'info') })),
  });
}
