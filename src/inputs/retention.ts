/** The policy of `prune` and of a backup that prunes afterwards. */
import type { InputProblem } from '../domain/errors.ts';
import { isEmptyPolicy, type KeepRules, type RetentionPolicy } from '../domain/retention/policy.ts';
import { EMPTY_ADVICE } from './destinations.ts';
import type { InputValues } from './spec.ts';
import type { RetentionInputs } from './types.ts';

const RULES = {
  'keep-last': 'last',
  'keep-hourly': 'hourly',
  'keep-daily': 'daily',
  'keep-weekly': 'weekly',
  'keep-monthly': 'monthly',
  'keep-yearly': 'yearly',
  'keep-within-days': 'withinDays',
} as const satisfies Partial<Record<keyof InputValues, keyof KeepRules>>;
const RULE_NAMES = Object.keys(RULES) as (keyof typeof RULES)[];

/** All inputs that say what is pruned. */
export const RETENTION_NAMES = [...RULE_NAMES, 'keep-by-label', 'time-zone', 'max-prune-percent'] as const;

/** Of the finished backups of a destination. */
const DEFAULT_MAX_PRUNE_PERCENT = 50;

/** An empty policy is refused: it would keep next to nothing, and is what unset variables look like. */
export function retentionInputs(values: Partial<InputValues>, problems: InputProblem[]): RetentionInputs | undefined {
  if (!RETENTION_NAMES.every((name) => name in values)) return undefined;
  const given = RULE_NAMES.filter((name) => values[name] !== undefined);
  const rules: KeepRules = Object.fromEntries(given.map((name) => [RULES[name], values[name]]));
  const policy: RetentionPolicy = {
    rules,
    labels: values['keep-by-label'] ?? [],
    timeZone: values['time-zone'] ?? 'UTC',
  };
  if (isEmptyPolicy(policy)) {
    problems.push({
      input: 'keep-daily',
      message: `nothing says what to keep, so nothing is removed. Give at least one of ${RULE_NAMES.join(', ')} and keep-by-label. ${EMPTY_ADVICE}`,
    });
    return undefined;
  }
  return { policy, maxPrunePercent: values['max-prune-percent'] ?? DEFAULT_MAX_PRUNE_PERCENT };
}
