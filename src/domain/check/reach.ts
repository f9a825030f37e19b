/** Whether the server can be reached, how far away it is, and how safe the way is. */
import { formatDuration } from '../words.ts';
import { healthCheck, unless } from './model.ts';

/** A way there and back that is longer makes every query of an application slow. */
const MAX_LATENCY_MS = 500;
const MAX_CLOCK_SECONDS = 30;
/** Waiting for a server that wakes up is no failure, and worth a word. */
const WORTH_TELLING_SECONDS = 2;

export const REACH = [
  healthCheck({
    code: 'connect',
    group: 'reach',
    needs: 'connect',
    words:
      'A session is opened, tried again for `connect-window-seconds`, so that a server that wakes up is no failure. Fails when there is none; then nothing else is looked at.',
    judge: ({ waitedSeconds, where }) => ({
      status: 'passed',
      seen:
        waitedSeconds < WORTH_TELLING_SECONDS
          ? `${where} answers`
          : `${where} answers after ${formatDuration(waitedSeconds)}`,
      value: waitedSeconds,
    }),
  }),
  healthCheck({
    code: 'tls',
    group: 'reach',
    needs: 'tls',
    words:
      'Fails when the way to another machine is not encrypted; warns when it is, but the certificate of the server is not verified.',
    judge: ({ encrypted, verify, local }) => {
      if (encrypted && verify !== 'none') {
        return {
          status: 'passed',
          seen: `TLS, with the certificate verified (${verify === 'full' ? 'name too' : 'its chain'})`,
        };
      }
      if (local) return { status: 'passed', seen: 'The server is on this machine: nothing crosses a network' };
      if (encrypted) {
        return {
          status: 'warning',
          seen: 'TLS is in use, but nobody verified whose certificate it is',
          action:
            'Write `sslmode=verify-full` and `sslrootcert=` (`system`, or the file of the authority) into `database-url`.',
        };
      }
      return {
        status: 'failed',
        seen: 'The connection is not encrypted: everybody on the way can read passwords and data',
        action: 'Write `sslmode=verify-full` into `database-url`, and switch TLS on at the server.',
      };
    },
  }),
  healthCheck({
    code: 'latency',
    group: 'reach',
    needs: 'latency',
    words: 'The median of ten round trips of the smallest query. Fails above the limit.',
    limit: { value: MAX_LATENCY_MS, unit: 'ms', input: 'max-latency-ms' },
    judge: ({ milliseconds }, { limit }) => {
      const sorted = milliseconds.toSorted((one, other) => one - other);
      const median = Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0);
      const worst = Math.round(sorted.at(-1) ?? 0);
      return unless(median > limit, 'failed', {
        seen: `A round trip takes ${median} ms, the slowest of ${sorted.length} took ${worst} ms`,
        action: 'Run this nearer to the database, or raise `max-latency-ms` if the way is as long as that.',
        value: median,
      });
    },
  }),
  healthCheck({
    code: 'clock',
    group: 'reach',
    needs: 'clock',
    words: 'The difference between the clocks of the runner and the server, less the way. Warns above the limit.',
    limit: { value: MAX_CLOCK_SECONDS, unit: 'seconds' },
    judge: ({ differenceSeconds }, { limit }) => {
      const seconds = Math.round(Math.abs(differenceSeconds));
      return unless(seconds > limit, 'warning', {
        seen: `The server's clock is ${seconds} s ${differenceSeconds < 0 ? 'behind' : 'ahead of'} this runner's`,
        action: 'Compare both with the true time: backups and audit records are named by it.',
        value: seconds,
      });
    },
  }),
  healthCheck({
    code: 'pooler',
    group: 'reach',
    needs: 'pooler',
    words:
      'Warns when sessions are pooled by transaction: a check works through such a pooler, and a backup does not. What cannot be seen through it is not run.',
    judge: ({ kind, how }) => {
      if (kind === 'transaction') {
        return {
          status: 'warning',
          seen: `This is a transaction pooler: ${how}. Latency and TLS are those of the pooler, and whether a backup would work cannot be seen through it`,
          action: 'Give the direct URL in `database-url`; a backup needs it anyway.',
        };
      }
      return {
        status: 'passed',
        seen: kind === 'direct' ? 'No pooler stands between' : `A pooler in session mode: ${how}`,
      };
    },
  }),
];
