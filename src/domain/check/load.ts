/** What the server is busy with, as far as SQL can see it. */
import { countOf, formatAge, formatCount } from '../words.ts';
import type { LockWait, Session, SessionFacts } from './facts.ts';
import { healthCheck, type Judgement, unless } from './model.ts';

const MAX_TRANSACTION_MINUTES = 60;
const MAX_IDLE_MINUTES = 10;
const MAX_LOCK_WAIT_SECONDS = 30;
const LEAST_HIT_PERCENT = 90;
/** Below these nobody waits for a disk, whatever the ratio is. */
const FEW_READS = 10_000;
const MAX_MEAN_MS = 1000;
const MAX_LAG_SECONDS = 60;

export const LOAD = [
  healthCheck({
    code: 'active-sessions',
    group: 'load',
    needs: 'sessions',
    words:
      'Sessions that are at work, on the whole server. Fails above the limit. Left out without one: Postgres does not tell how many cores it has, which is what they should be held against.',
    limit: { unit: 'sessions', input: 'max-active-sessions' },
    judge: (facts, { limit }) => {
      const active = facts.sessions.filter(({ state }) => state === 'active');
      const waiting = active.filter((session) => session.waiting).length;
      return withHidden(facts, facts.hidden, {
        broken: active.length > limit,
        worse: 'failed',
        seen: `${countOf(active.length, 'session is', 'sessions are')} at work, ${waiting} of them waiting`,
        action: 'Look at what they do (pg_stat_activity) before a release adds to it.',
        details: active.slice(0, 10).map((session) => `${session.who} (pid ${session.pid})`),
        value: active.length,
      });
    },
  }),
  healthCheck({
    code: 'long-transaction',
    group: 'load',
    needs: 'sessions',
    words:
      'The longest transaction of this database. Fails above the limit: a migration waits behind it, and vacuum cannot clean up.',
    limit: { value: MAX_TRANSACTION_MINUTES, unit: 'minutes', input: 'max-transaction-minutes' },
    judge: (facts, { limit }) =>
      longest(facts, ({ transactionSeconds }) => transactionSeconds, {
        limit,
        worse: 'failed',
        what: 'transaction',
        action: 'Find out what it does, and end it if nobody needs it: SELECT pg_terminate_backend(PID).',
      }),
  }),
  healthCheck({
    code: 'long-query',
    group: 'load',
    needs: 'sessions',
    words: 'The longest running statement of this database. Warns above the limit.',
    limit: { value: MAX_TRANSACTION_MINUTES, unit: 'minutes' },
    judge: (facts, { limit }) =>
      longest(facts, ({ state, statementSeconds }) => (state === 'active' ? statementSeconds : null), {
        limit,
        worse: 'warning',
        what: 'statement',
        action: 'Look at it (pg_stat_activity). SELECT pg_cancel_backend(PID) ends the statement alone.',
      }),
  }),
  healthCheck({
    code: 'idle-in-transaction',
    group: 'load',
    needs: 'sessions',
    words:
      'The longest time that a session of this database has been idle inside of a transaction. Fails above the limit.',
    limit: { value: MAX_IDLE_MINUTES, unit: 'minutes' },
    judge: (facts, { limit }) =>
      longest(facts, ({ state, stateSeconds }) => (state.startsWith('idle in transaction') ? stateSeconds : null), {
        limit,
        worse: 'failed',
        what: 'pause inside of a transaction',
        action:
          'Somebody forgot to end it: it keeps its locks. End it by SELECT pg_terminate_backend(PID), and set `idle_in_transaction_session_timeout`.',
      }),
  }),
  healthCheck({
    code: 'lock-waits',
    group: 'load',
    needs: 'lockWaits',
    words: 'Sessions that wait for a lock, and for whom. Fails when one has waited longer than the limit.',
    limit: { value: MAX_LOCK_WAIT_SECONDS, unit: 'seconds' },
    judge: judgeLocks,
  }),
  healthCheck({
    code: 'cache-hit',
    group: 'load',
    needs: 'cache',
    words: `Blocks found in memory instead of being read, since statistics were reset. Warns below the limit, unless fewer than ${formatCount(FEW_READS)} blocks were read at all.`,
    limit: { value: LEAST_HIT_PERCENT, unit: 'percent', lessIsWorse: true },
    judge: ({ hits, reads }, { limit }) => {
      const percent = hits + reads === 0 ? 100 : Math.round((hits / (hits + reads)) * 1000) / 10;
      if (reads < FEW_READS) {
        return {
          status: 'passed',
          seen: `Hardly anything is read from the disk: ${countOf(reads, 'block')}`,
          value: percent,
        };
      }
      return unless(percent < limit, 'warning', {
        seen: `${percent} % of blocks were found in memory`,
        action: 'The server has less memory than its work needs: look for missing indexes, then at `shared_buffers`.',
        value: percent,
      });
    },
  }),
  healthCheck({
    code: 'slow-statements',
    group: 'load',
    needs: 'statements',
    words:
      'Statements whose mean time is above the limit, from pg_stat_statements, called ten times at least. Warns. Left out where that extension is not installed.',
    limit: { value: MAX_MEAN_MS, unit: 'ms' },
    judge: (statements, { limit }) => {
      const slow = statements.filter(({ meanMilliseconds }) => meanMilliseconds > limit);
      const worst = Math.round(Math.max(0, ...statements.map(({ meanMilliseconds }) => meanMilliseconds)));
      return unless(slow.length > 0, 'warning', {
        seen:
          slow.length === 0
            ? `No statement takes longer than ${limit} ms on average; the slowest takes ${worst} ms`
            : `${countOf(slow.length, 'statement takes', 'statements take')} longer than ${limit} ms on average`,
        action: 'Look at each with EXPLAIN (ANALYZE, BUFFERS); `queryid` finds it in pg_stat_statements.',
        details: slow.map(
          ({ id, text, calls, meanMilliseconds }) =>
            `queryid ${id}: ${Math.round(meanMilliseconds)} ms, ${countOf(calls, 'call')}${text === '' ? '' : `: ${text}`}`,
        ),
        value: worst,
      });
    },
  }),
  healthCheck({
    code: 'replication-lag',
    group: 'load',
    needs: 'replication',
    words:
      'How far replicas are behind; on a standby how far it is behind itself, which is the age of its last transaction when nothing streams to it. Warns above the limit. Left out without replicas.',
    limit: { value: MAX_LAG_SECONDS, unit: 'seconds' },
    judge: (replicas, { limit }) => {
      if (replicas.length === 0) return undefined;
      const known = replicas.flatMap(({ name, seconds }) => (seconds === null ? [] : [{ name, seconds }]));
      if (known.length === 0) {
        return {
          status: 'not-run',
          seen: `This role may not see how far ${countOf(replicas.length, 'replica is', 'replicas are')} behind`,
          action: 'Grant it the role pg_monitor.',
        };
      }
      const late = known.filter(({ seconds }) => seconds > limit);
      const most = Math.round(Math.max(...known.map(({ seconds }) => seconds)));
      return unless(late.length > 0, 'warning', {
        seen: `Replication is ${formatAge(most)} behind`,
        action: 'Look at the network and the load of the replica; readers see old data until it has caught up.',
        details: late.map(({ name, seconds }) => `${name}: ${formatAge(seconds)}`),
        value: most,
      });
    },
  }),
];

interface Rule {
  broken: boolean;
  worse: 'failed' | 'warning';
  seen: string;
  action: string;
  details: readonly string[];
  value: number;
}

/** What can be seen may break a limit; only a whole view can hold it. */
function withHidden({ grant }: SessionFacts, hidden: number, rule: Rule): Judgement {
  const { broken, worse, ...words } = rule;
  if (broken || hidden === 0) return unless(broken, worse, words);
  return {
    status: 'not-run',
    seen: `This role may not see what ${countOf(hidden, 'other session does', 'other sessions do')}`,
    action: grant,
  };
}

interface LongestRule {
  /** In minutes. */
  limit: number;
  worse: 'failed' | 'warning';
  what: string;
  action: string;
}

function longest(facts: SessionFacts, seconds: (session: Session) => number | null, rule: LongestRule): Judgement {
  const lasting = facts.sessions
    .filter(({ here }) => here)
    .flatMap((session) => {
      const lasts = seconds(session);
      return lasts === null ? [] : [{ session, lasts }];
    })
    .toSorted((one, other) => other.lasts - one.lasts);
  const most = lasting[0]?.lasts ?? 0;
  const over = lasting.filter(({ lasts }) => lasts > rule.limit * 60);
  return withHidden(facts, facts.hiddenHere, {
    broken: over.length > 0,
    worse: rule.worse,
    seen: lasting.length === 0 ? `There is no ${rule.what}` : `The longest ${rule.what} has lasted ${formatAge(most)}`,
    action: rule.action,
    details: over
      .slice(0, 10)
      .map(({ session, lasts }) => `${session.who} (pid ${session.pid}), ${session.state}: ${formatAge(lasts)}`),
    value: Math.round((most / 60) * 10) / 10,
  });
}

function judgeLocks(waits: readonly LockWait[], { limit }: { limit: number }): Judgement {
  const known = waits.flatMap(({ seconds }) => (seconds === null ? [] : [seconds]));
  const most = Math.round(Math.max(0, ...known) * 10) / 10;
  const details = waits.map(
    ({ who, lock, blockers, seconds }) =>
      `${who} waits ${seconds === null ? '' : `${formatAge(seconds)} `}for ${lock}, held back by ${blockers.length === 0 ? 'nobody that can be seen' : blockers.join(' and ')}`,
  );
  if (most > limit) {
    return {
      status: 'failed',
      seen: `${countOf(waits.length, 'session waits', 'sessions wait')} for a lock, the longest for ${formatAge(most)}`,
      action:
        'Look at who holds the lock (below): SELECT pg_terminate_backend(PID) of the one that blocks frees the others.',
      details,
      value: most,
    };
  }
  if (known.length < waits.length) {
    return {
      status: 'not-run',
      seen: 'This role may not see for how long sessions wait',
      action: 'Grant it the role pg_monitor.',
      details,
    };
  }
  const seen =
    waits.length === 0
      ? 'Nobody waits for a lock'
      : `${countOf(waits.length, 'session waits', 'sessions wait')} for a lock, not longer than ${most} s`;
  return { status: 'passed', seen, value: most };
}
