/** Whether there is room: connections, the disk, and what fills it. */
import { DAY_MS, dayOf } from '../time.ts';
import { countOf, formatBytes, shareOf } from '../words.ts';
import type { GrowthPoint } from './facts.ts';
import { healthCheck, type Judgement, noneOf, unless } from './model.ts';

const GIB = 1024 ** 3;
/** Providers sell decimal gigabytes. */
export const GIGABYTE = 1e9;
const MAX_CONNECTIONS_PERCENT = 80;
/** Of `storage-limit-gb`: worth a word, worth acting, worth stopping a release. */
const [NOTE_PERCENT, ACT_PERCENT, STOP_PERCENT] = [70, 85, 95];
const LEAST_DAYS_LEFT = 30;
/** Less says nothing about how fast a database grows. */
const LEAST_GROWTH_DAYS = 3;
const MAX_TEMP_GIB = 10;
const MAX_SLOT_GIB = 10;

export const ROOM = [
  healthCheck({
    code: 'connections',
    group: 'room',
    needs: 'connections',
    words:
      'Client connections against `max_connections` less the reserved ones, with who holds most of them, by application and state. Fails above the limit.',
    limit: { value: MAX_CONNECTIONS_PERCENT, unit: 'percent', input: 'max-connections-percent' },
    judge: ({ used, max, reserved, by }, { limit }) => {
      const free = Math.max(1, max - reserved);
      const percent = Math.round((used / free) * 100);
      const judged = unless(percent > limit, 'failed', {
        seen: `${shareOf(used, free, 'connection')} ${used === 1 ? 'is' : 'are'} in use (${percent} %)`,
        action: 'Find out who holds them (below), lower the size of pools, or put a pooler in front.',
        value: percent,
      });
      // Who holds how many is worth knowing before they run out.
      return { ...judged, details: by };
    },
  }),
  healthCheck({
    code: 'database-size',
    group: 'room',
    needs: 'database',
    words: `The size of the database against \`storage-limit-gb\` (10⁹ bytes). Warns from ${NOTE_PERCENT} % and, more urgently, ${ACT_PERCENT} % on, fails from ${STOP_PERCENT} %. Left out without a limit.`,
    limit: { unit: 'GB', input: 'storage-limit-gb' },
    judge: ({ bytes }, { limit }) => judgeSize(bytes, limit),
  }),
  healthCheck({
    code: 'growth',
    group: 'room',
    needs: 'growth',
    words:
      'The day on which the database fills `storage-limit-gb` if it goes on growing as it did between recorded backups. Warns when that is nearer than the limit. Needs `storage`.',
    limit: { value: LEAST_DAYS_LEFT, unit: 'days', lessIsWorse: true },
    judge: ({ points, bytes }, { limit, limitOf, now }) => judgeGrowth(points, bytes, { limit, limitOf, now }),
  }),
  healthCheck({
    code: 'temp-files',
    group: 'room',
    needs: 'tempFiles',
    words: 'Temporary files of running queries, in all tablespaces. Warns above the limit.',
    limit: { value: MAX_TEMP_GIB, unit: 'GiB' },
    judge: ({ bytes }, { limit }) =>
      unless(bytes > limit * GIB, 'warning', {
        seen: `Temporary files take ${formatBytes(bytes)} at this moment`,
        action: 'Look for the query that sorts or joins so much (pg_stat_activity), and for `work_mem`.',
        value: round(bytes / GIB),
      }),
  }),
  healthCheck({
    code: 'slot-wal',
    group: 'room',
    needs: 'slots',
    words:
      'WAL that the server keeps for replication slots. Fails above the limit, and when a slot has lost what it needs: kept WAL fills the disk and stops the server.',
    limit: { value: MAX_SLOT_GIB, unit: 'GiB' },
    judge: (slots, { limit }) => {
      const lost = slots.filter(({ walStatus }) => walStatus === 'lost');
      const over = slots.filter(({ bytes }) => bytes > limit * GIB);
      const most = Math.max(0, ...slots.map(({ bytes }) => bytes));
      const advice =
        lost.length > 0
          ? 'The reader of a slot that lost WAL has to be set up anew: drop the slot'
          : 'Bring the reader of the slot back, or drop the slot';
      return unless(lost.length + over.length > 0, 'failed', {
        seen:
          lost.length > 0
            ? `${countOf(lost.length, 'replication slot')} lost the WAL that is needed`
            : slots.length === 0
              ? 'No replication slot keeps WAL'
              : `Replication slots keep up to ${formatBytes(most)} of WAL`,
        action: `${advice}: SELECT pg_drop_replication_slot('NAME').`,
        details: [...lost, ...over].map(
          ({ name, bytes, walStatus }) => `${name}: ${formatBytes(bytes)}, ${walStatus ?? 'nothing kept'}`,
        ),
        value: round(most / GIB),
      });
    },
  }),
  healthCheck({
    code: 'inactive-slots',
    group: 'room',
    needs: 'slots',
    words: 'Warns about replication slots that nobody reads.',
    judge: (slots) => {
      const idle = slots
        .filter(({ active }) => !active)
        .map(({ name, kind, bytes }) => `${name} (${kind}): ${formatBytes(bytes)} kept`);
      return noneOf(idle, 'warning', {
        none: slots.length === 0 ? 'There are no replication slots' : 'Every replication slot has its reader',
        some: `${countOf(idle.length, 'replication slot is', 'replication slots are')} read by nobody`,
        action: 'Start its reader again, or drop it: until then the server keeps all WAL from there on.',
      });
    },
  }),
];

function judgeSize(bytes: number, limitGb: number): Judgement {
  const percent = round((bytes / (limitGb * GIGABYTE)) * 100);
  const seen = `The database takes ${formatBytes(bytes)}, ${percent} % of ${limitGb} GB`;
  if (percent < NOTE_PERCENT) return { status: 'passed', seen, value: round(bytes / GIGABYTE) };
  const urgent = percent < ACT_PERCENT ? 'Plan for more storage' : 'Make room or buy storage now';
  return {
    status: percent < STOP_PERCENT ? 'warning' : 'failed',
    seen,
    action: `${urgent}: a server whose disk is full stops taking writes, and most providers make it read-only before that.`,
    value: round(bytes / GIGABYTE),
  };
}

function judgeGrowth(
  points: readonly GrowthPoint[],
  bytes: number,
  { limit, limitOf, now }: { limit: number; limitOf(code: string): number | undefined; now: Date },
): Judgement | undefined {
  const most = limitOf('database-size');
  if (most === undefined) return undefined;
  const oldest = points.reduce<GrowthPoint | undefined>(
    (first, each) => (first === undefined || each.at < first.at ? each : first),
    undefined,
  );
  const days = oldest === undefined ? 0 : (now.getTime() - oldest.at.getTime()) / DAY_MS;
  if (oldest === undefined || days < LEAST_GROWTH_DAYS) {
    return {
      status: 'not-run',
      seen: `No recorded backup is older than ${LEAST_GROWTH_DAYS} days, so growth is not known yet`,
      action: 'Nothing: it is known as soon as backups of some days are there.',
    };
  }
  const perDay = (bytes - oldest.bytes) / days;
  const grown = `It grew by ${formatBytes(Math.max(0, perDay))} a day over ${Math.round(days)} days`;
  if (perDay <= 0) return { status: 'passed', seen: `The database has not grown in ${Math.round(days)} days` };
  const left = Math.max(0, (most * GIGABYTE - bytes) / perDay);
  const day = dayOf(new Date(now.getTime() + Math.min(left, 36_500) * DAY_MS));
  return unless(left < limit, 'warning', {
    seen: left > 36_500 ? grown : `${grown}; at that pace ${most} GB are full on ${day}`,
    action: 'Make room or buy storage before that day.',
    value: Math.round(Math.min(left, 36_500)),
  });
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
