/** Series of backups in a few words, and plans in lines, for tests of the planner. */

import { describePolicy, type RetentionPolicy } from '../../src/domain/retention/policy.ts';
import { planRetention, type RetentionPlan, type RetentionSet } from '../../src/domain/retention.ts';
import { isSafetyBackup } from '../../src/domain/selector.ts';

const DAY_MS = 86_400_000;
const RANDOM = '0123456789abcdefghjkmnpqrstvwxyz';

export function retentionSet(over: Partial<RetentionSet> & { at: Date }, number = 0): RetentionSet {
  const label = over.label ?? 'nightly';
  const digits = over.at
    .toISOString()
    .replaceAll(/[-:]|\.\d+Z$/g, '')
    .replace('T', '_');
  const random = [4, 3, 2, 1, 0, 0].map((place) => RANDOM[Math.floor(number / 32 ** place) % 32]).join('');
  return {
    id: `${digits}_${label}_${random}`,
    label,
    verdict: 'proven',
    restored: false,
    whole: true,
    keepForever: false,
    ...over,
  };
}

/**
 * One line for each backup, or for one of every day: `2026-11-15..2026-11-21 02:00 unproven`. Times are UTC. Words behind
 * it: `unproven`, `restored`, `part`, `forever`, `label=…`. A later line about the same moment and label takes the place
 * of an earlier one.
 */
export function series(text: string): RetentionSet[] {
  const sets = new Map<string, RetentionSet>();
  for (const line of text.split('\n').map((each) => each.trim())) {
    if (line === '') continue;
    const [days = '', time = '', ...words] = line.split(/\s+/);
    const [first = '', last = first] = days.split('..');
    const label = words.find((word) => word.startsWith('label='))?.slice('label='.length) ?? 'nightly';
    for (let at = Date.parse(`${first}T${time}:00Z`); at <= Date.parse(`${last}T${time}:00Z`); at += DAY_MS) {
      const set = retentionSet({
        at: new Date(at),
        label,
        verdict: words.includes('unproven') ? 'unproven' : 'proven',
        restored: words.includes('restored'),
        whole: !words.includes('part'),
        keepForever: words.includes('forever'),
      });
      sets.set(set.id, set);
    }
  }
  return [...sets.values()];
}

const NOON = '2026-11-21T12:00';

export interface RetentionCase {
  title: string;
  policy: Partial<RetentionPolicy>;
  /** ISO 8601 without seconds, UTC; absent: {@link NOON}. */
  now?: string;
  /** See {@link series}. */
  sets: string;
}

export function policyOf({ rules = {}, labels = [], timeZone = 'UTC' }: Partial<RetentionPolicy>): RetentionPolicy {
  return { rules, labels, timeZone };
}

export function planOf(one: RetentionCase): RetentionPlan {
  return planRetention(series(one.sets), policyOf(one.policy), new Date(`${one.now ?? NOON}:00Z`));
}

/** A title, the policy, and one line for each set, newest first. */
export function render(one: RetentionCase): string {
  const { keep, remove } = planOf(one);
  const decisions = [
    ...keep.map((decision) => ({ verb: 'keep  ', ...decision })),
    ...remove.map((decision) => ({ verb: 'remove', ...decision })),
  ].sort((left, right) => (left.set.id < right.set.id ? 1 : -1));
  const lines = decisions.map(({ verb, set, reasons }) => {
    const time = set.at.toISOString().slice(0, 16).replace('T', ' ');
    return `${verb}  ${time}  ${worth(set).padEnd(18)}  ${reasons.join('; ')}`;
  });
  return [
    `# ${one.title}`,
    `${describePolicy(policyOf(one.policy)).join('; ')}; now ${one.now ?? NOON}`,
    ...lines,
    '',
  ].join('\n');
}

function worth(set: RetentionSet): string {
  return [
    ...(set.label === 'nightly' ? [] : [set.label]),
    set.verdict === 'unproven' ? 'unproven' : set.restored ? 'restored' : 'proven',
    ...(set.whole ? [] : ['part']),
    ...(set.keepForever ? ['forever'] : []),
    ...(isSafetyBackup(set.id) ? ['(safety)'] : []),
  ].join(' ');
}
