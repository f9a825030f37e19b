/** A simulated year, pruned and looked at every day: levels rise with their condition, and fall back with it. */
import { describe, expect, test } from 'vitest';
import type { DrillOutcome } from '../../../src/domain/drill-record.ts';
import { planRetention, type RetentionSet } from '../../../src/domain/retention.ts';
import type { SeenSet } from '../../../src/domain/status/facts.ts';
import { judgeStatus } from '../../../src/domain/status/judge.ts';
import { idOf, type MadeUpSet } from '../../support/prune-bench.ts';
import { simulatedYear, YEAR_POLICY } from '../../support/simulated-year.ts';
import { backup, part, place } from '../../support/status-facts.ts';

const HOUR_MS = 3_600_000;

function seen(set: MadeUpSet): SeenSet {
  const { at, label = 'nightly', unproven = false, keepForever = false } = set;
  const { facts } = backup(0, { label, keepForever, verdict: unproven ? 'unproven' : 'proven' });
  return { facts: { ...facts, id: idOf(set), snapshotAt: `${at.slice(0, 19)}.000Z` }, damaged: [] };
}

function known({ facts }: SeenSet, restored: boolean): RetentionSet {
  const { id, label, verdict, whole, keepForever } = facts;
  return { id, label, verdict, whole, keepForever, restored, at: new Date(facts.snapshotAt) };
}

function drillOf(id: string, startedAt: Date): DrillOutcome {
  return {
    backup: { id, name: 'shop', snapshotAt: startedAt.toISOString() },
    verdict: 'passed',
    startedAt: startedAt.toISOString(),
    timings: { recoverySeconds: 60, totalSeconds: 60 },
  };
}

describe('a year that is looked at every day', () => {
  test.each([1, 2, 3])('has the levels of that day, worked out in another way (year %d)', (seed) => {
    let sets: MadeUpSet[] = [];
    const drills: DrillOutcome[] = [];
    const counts: Record<string, number> = {};
    const days = simulatedYear(new Date('2026-11-21T00:00:00Z'), seed);
    for (const [index, day] of days.entries()) {
      sets.push(...day.backups);
      const good = sets.filter(({ unproven, label }) => unproven !== true && label !== 'emergency');
      const newest =
        good
          .map(({ at }) => at)
          .toSorted()
          .at(-1) ?? '';
      const target = good.find(({ at }) => at === newest);
      if (day.drill && target !== undefined) drills.push(drillOf(idOf(target), day.now));
      if (target === undefined) continue;
      const report = judgeStatus({
        now: day.now,
        expectedNames: ['shop'],
        limits: { maxAgeHours: 26, maxDrillAgeDays: 35 },
        destinations: [place([part(sets.map(seen), { drills })])],
      });
      const levelOf = (code: string) => report.findings.find((finding) => finding.code === code)?.level;
      const words = `${seed}: ${day.now.toISOString()}`;
      const hours = (day.now.getTime() - Date.parse(newest)) / HOUR_MS;
      expect(levelOf('backup-too-old'), words).toBe(hours > 26 ? 'critical' : hours >= 24 ? 'warning' : undefined);
      const failed = sets.some(({ at, unproven }) => unproven === true && at > newest);
      expect(levelOf('failed-since-proven'), words).toBe(failed ? 'warning' : undefined);
      expect(levelOf('never-drilled'), words).toBe(drills.length === 0 ? 'warning' : undefined);
      expect(levelOf('drill-overdue'), words).toBeUndefined();
      const ranToday = day.backups.some(({ label }) => label === undefined);
      // Before that nobody knows how often they come.
      if (index > 10) {
        expect(levelOf('runs-missed'), words).toBe(ranToday ? undefined : 'warning');
        expect(report.series[0]?.days.at(-1)?.state === 'missed', words).toBe(day.backups.length === 0);
      }
      counts[report.level] = (counts[report.level] ?? 0) + 1;
      const restored = new Set(drills.map((each) => each.backup.id));
      const plan = planRetention(
        sets.map((set) => known(seen(set), restored.has(idOf(set)))),
        YEAR_POLICY,
        day.now,
      );
      const kept = new Set(plan.keep.map(({ set }) => set.id));
      sets = sets.filter((set) => kept.has(idOf(set)));
    }
    expect(counts.info).toBeGreaterThan(200);
    expect(counts.critical).toBeGreaterThan(15);
  });
});
