/** Whether the alarm could sound, asked without opening an issue. */
import type { Finding } from '../domain/findings.ts';
import { GitHubError } from './errors.ts';
import type { Issues } from './issues.ts';

/**
 * Findings are notices at most: a backup needs no right to open issues. None means that it was shown that it may.
 *
 * GitHub tells nobody what a job's token may do. But it looks at rights before it looks at what is asked for: a request
 * for an issue without a title is refused with 403 where the right is missing, with 410 where issues are turned off, and
 * with 422 where only the title is missing. TruffleHog tells the rights of tokens apart in the same way.
 */
export async function probeIssueRights(issues: Pick<Issues, 'refusesUntitled'>): Promise<Finding[]> {
  try {
    if (await issues.refusesUntitled()) return [];
    return [unknown('GitHub accepted a request that it should have refused', 'Close the issue without a title.')];
  } catch (error) {
    if (!(error instanceof GitHubError)) throw error;
    const certain = ['denied', 'disabled', 'unauthorized'].includes(error.fault);
    if (!certain) return [unknown(error.message, error.hint)];
    return [
      {
        code: 'alarm-impossible',
        severity: 'notice',
        seen: `A failed run could not open an issue. ${error.message}.`,
        action: error.hint,
      },
    ];
  }
}

function unknown(why: string, action: string): Finding {
  return {
    code: 'alarm-unknown',
    severity: 'notice',
    seen: `It cannot be told whether a failed run could open an issue. ${why}.`,
    action,
  };
}
