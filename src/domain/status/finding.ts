/** Findings of a status, put together and put in order. */
import type { Finding, Severity } from '../findings.ts';
import { LEVELS, type Level, type StatusFinding } from './model.ts';
import type { SeriesView } from './series-view.ts';

/** In the form that all commands share. */
export function asFinding({ code, level, seen, action }: StatusFinding): Finding {
  return { code, severity: SEVERITIES[level], seen, action };
}

const SEVERITIES: Readonly<Record<Level, Severity>> = { critical: 'error', warning: 'warning', info: 'notice' };

/** A rule about one series: what it sees, in no order. */
export type SeriesRule = (view: SeriesView) => readonly StatusFinding[];

/** The worst; `info` when there is none. */
export function worstOf(findings: readonly StatusFinding[]): Level {
  const worst = Math.max(0, ...findings.map(({ level }) => LEVELS.indexOf(level)));
  return LEVELS[worst] as Level;
}

/** Whether a level is at least as bad as another. */
export function isAtLeast(level: Level, least: Level): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(least);
}

/** Worst first; of one level those about the whole storage, then by series. */
export function sortFindings(findings: readonly StatusFinding[]): StatusFinding[] {
  const rank = ({ level }: StatusFinding): number => -LEVELS.indexOf(level);
  return findings.toSorted(
    (one, other) => rank(one) - rank(other) || (one.series ?? '').localeCompare(other.series ?? '', 'en'),
  );
}
