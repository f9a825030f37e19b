/** The plan of a prune in words, for the log and the job summary. */
import type { Decision, RetentionPlan } from '../domain/retention.ts';

/** What is removed first, one set a line; newest first. */
export function planLines({ keep, remove }: RetentionPlan): string[] {
  const line = (verb: string) => (decision: Decision) =>
    `${verb} ${decision.set.id} (${worthInWords(decision)}): ${decision.reasons.join('; ')}`;
  return [...remove.map(line('remove ')), ...keep.map(line('keep   '))];
}

/** `proven`, `restored`, `unproven`, with what is missing. */
export function worthInWords({ set }: Decision): string {
  const worth = set.verdict === 'unproven' ? 'unproven' : set.restored ? 'restored' : 'proven';
  return set.whole ? worth : `${worth}, a part`;
}
