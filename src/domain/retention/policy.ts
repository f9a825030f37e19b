/** Which old backups are to be kept: rules for all of a series, and others for those of a label. */
import { isSafetyBackup } from '../selector.ts';

/** Calendar slots, each kept by one backup. */
export const SLOT_KINDS = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
export type SlotKind = (typeof SLOT_KINDS)[number];

/** How many of each; what is absent keeps nothing. Every number is at least 1. */
export interface KeepRules extends Partial<Record<SlotKind, number>> {
  /** The newest ones, whenever they were taken. */
  last?: number;
  /** Everything that is not older than so many times 24 hours. */
  withinDays?: number;
}

export interface LabelRules {
  /** A label, in which `*` stands for anything. */
  pattern: string;
  keep: KeepRules | 'forever';
}

export interface RetentionPolicy {
  /** For whatever no label has rules of its own for. Empty: all of that is kept. */
  rules: KeepRules;
  /** The first that fits a label counts. Such backups have slots of their own. */
  labels: readonly LabelRules[];
  /** Of the IANA, in which calendar slots are counted. */
  timeZone: string;
}

/** A policy that keeps nothing is none: it was forgotten, or a variable was not set. */
export function isEmptyPolicy({ rules, labels }: RetentionPolicy): boolean {
  return Object.keys(rules).length === 0 && labels.length === 0;
}

/** The rules for one backup. */
export function rulesFor(policy: RetentionPolicy, label: string): LabelRules | KeepRules {
  return policy.labels.find(({ pattern }) => matchesLabel(pattern, label)) ?? policy.rules;
}

export function matchesLabel(pattern: string, label: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.\\+?^${}()|[\]]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(label);
}

/** What is kept whatever the policy says, and why; `undefined` for everything else. */
export function keptForEver(set: { id: string; label: string; keepForever: boolean }): string | undefined {
  if (isSafetyBackup(set.id)) return 'what a restore saved is kept for ever';
  if (set.keepForever) return 'marked keep-forever';
  return isRelease(set.label) ? `a release (label ${set.label}) is kept for ever` : undefined;
}

/** `release`, `release-2.4.0`, `v2.4`, `2.4.0-rc1`: labels that say that somebody may come back to this state. */
export function isRelease(label: string): boolean {
  return /^releases?([._-]|$)/.test(label) || /^v?\d+\.\d+([._-]|$)/.test(label) || /^v\d+$/.test(label);
}

/** As the inputs say it, one a line: `keep-daily=14`, `label=pre-migration: keep-within-days=30`. */
export function describePolicy({ rules, labels, timeZone }: RetentionPolicy): string[] {
  return [
    ...describeRules(rules),
    ...labels.map(({ pattern, keep }) => {
      const words = keep === 'forever' ? 'keep-forever' : describeRules(keep).join(', ');
      return `label=${pattern}: ${words}`;
    }),
    `time-zone=${timeZone}`,
  ];
}

function describeRules(rules: KeepRules): string[] {
  const { last, withinDays } = rules;
  return [
    ...(last === undefined ? [] : [`keep-last=${last}`]),
    ...SLOT_KINDS.flatMap((kind) => (rules[kind] === undefined ? [] : [`keep-${kind}=${rules[kind]}`])),
    ...(withinDays === undefined ? [] : [`keep-within-days=${withinDays}`]),
  ];
}
