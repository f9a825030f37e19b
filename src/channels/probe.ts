/** Whether those who hear of the alarm could be told, asked without telling them anything. */
import { messageOf } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import type { SendParts } from './channel.ts';
import type { Messenger } from './messenger.ts';
import { adviceOf, NotTaken } from './not-taken.ts';

const LONGEST_MS = 12_000;

/** A finding for each that could not be told, or of which that is not known. Rejects only when `signal` aborts. */
export async function probeMessengers(
  messengers: readonly Messenger[],
  { clock, signal }: SendParts,
): Promise<Finding[]> {
  const asked = messengers.map(async ({ input, probe }): Promise<Finding[]> => {
    if (probe === undefined) return [untested(input)];
    try {
      await probe({ clock, signal: AbortSignal.any([signal, AbortSignal.timeout(LONGEST_MS)]) });
      return [];
    } catch (error) {
      signal.throwIfAborted();
      return [unreachable(input, error)];
    }
  });
  return (await Promise.all(asked)).flat();
}

/** Not what a check fails for: nobody can ask them anything without telling it to people. */
function untested(input: string): Finding {
  return {
    code: 'alarm-untested',
    severity: 'notice',
    seen: `\`${input}\` was not tried, because it takes nothing but messages to people.`,
    action: '',
  };
}

function unreachable(input: string, error: unknown): Finding {
  const isPassing = error instanceof NotTaken && error.transient;
  return {
    code: isPassing ? 'alarm-unknown' : 'alarm-impossible',
    severity: 'notice',
    seen: `\`${input}\` could not be told of a failed run: ${messageOf(error)}.`,
    action: adviceOf(error),
  };
}
