/** A run that somebody hears of, or not: what was told before, and by which rules. */
import type { Told } from '../../src/domain/notify/told.ts';
import { type Hearer, type History, type NotifyRules, type RunEvent, whoHears } from '../../src/domain/notify.ts';

/** When everything happens in these tests. */
export const NOW = new Date('2026-11-22T02:30:00Z');
export const hoursAgo = (hours: number): Date => new Date(NOW.getTime() - hours * 3_600_000);

export const AUTH = { code: 'ERR_AUTH', level: 'warning' } as const;
export const toldOf = (hours: number, more: Partial<Told> = {}): Told => ({
  ...AUTH,
  to: 'slack',
  at: hoursAgo(hours),
  ...more,
});
export const open = (...told: Told[]): History => ({ known: 'open-issue', told });
export const FAILED: RunEvent = { kind: 'failed', condition: AUTH };

/** What Slack, or `hearer`, is told. */
export function heard(
  event: RunEvent,
  history: History,
  rules: Partial<NotifyRules> = {},
  hearer: Partial<Hearer> = {},
) {
  const all = { on: ['failure', 'recovery'], remindAfterHours: 20, now: NOW, ...rules } as const;
  return whoHears(event, history, [{ name: 'slack', ...hearer }], all)[0];
}
