/** What is there is not given up for something that cannot be proven, unless somebody said so. */
import type { Finding } from '../findings.ts';
import type { RecoverySource, Strategy } from '../recovery.ts';
import { doubtAbout } from '../recovery-checks.ts';
import { countOf } from '../words.ts';
import { inTheWay } from './finding.ts';

export interface PartialInput {
  strategy: Strategy;
  targetIsEmpty: boolean;
  source: RecoverySource;
  /** Parts of the backup that the target cannot take, of `EntryPlan`. */
  gaps: readonly string[];
  acceptPartial: boolean;
}

/** Refuses to replace a database by what is known beforehand to be partial at best. */
export function assessPartial({ strategy, targetIsEmpty, source, gaps, acceptPartial }: PartialInput): Finding[] {
  if (strategy === 'new-database' || targetIsEmpty || acceptPartial) return [];
  const doubt = doubtAbout(source);
  const lacking =
    gaps.length === 0
      ? undefined
      : `The target cannot take ${countOf(gaps.length, 'part')} of the backup: ${gaps.join(', ')}`;
  const seen = [doubt, lacking].filter((each) => each !== undefined);
  if (seen.length === 0) return [];
  const instead = [
    ...(source.unproven === undefined ? [] : ['take `backup: latest-proven`']),
    ...(lacking === undefined ? [] : ['name what is yours alone in `schemas`']),
    'use `strategy: new-database` and look at the copy',
  ].join(', or ');
  const action = `To keep what is there, ${instead}. \`accept-partial: true\` replaces it all the same.`;
  return [inTheWay('partial-at-best', seen.join('. '), action)];
}
