/** Verdicts in words: titles and last lines say what the output `verdict` says, wherever they stand. */
import type { RecoveryResult } from '../command.ts';

/** Of a restore or drill, for a title. */
export function verdictWords({ command, recovery, acceptPartial }: RecoveryResult): string {
  switch (recovery.verdict) {
    case 'passed':
      return 'passed';
    case 'partial':
      return acceptPartial ? 'partial, which was accepted' : 'partial, so not passed';
    case 'failed':
      return command === 'restore' ? 'FAILED, what came back is wrong' : 'FAILED';
  }
}
