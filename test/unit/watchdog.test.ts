import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/ports.ts';
import { type SessionState, type Watch, watchForStall } from '../../src/postgres/watchdog.ts';

/** A clock that jumps: sleeping takes no time and moves `now` on. */
class JumpingClock implements Clock {
  milliseconds = 0;
  now(): Date {
    return new Date(this.milliseconds);
  }
  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.milliseconds += milliseconds;
    await Promise.resolve();
  }
}

function watch(over: Partial<Watch> & { state?: SessionState | Error } = {}): {
  watch: Watch;
  clock: JumpingClock;
  stop: AbortController;
} {
  const clock = new JumpingClock();
  const stop = new AbortController();
  const state = over.state ?? 'waiting-for-client';
  return {
    clock,
    stop,
    watch: {
      clock,
      signal: stop.signal,
      stallSeconds: 60,
      who: 'pg_dump',
      lastSignOfLife: () => 0,
      isHeldUp: () => false,
      askServer: () => (state instanceof Error ? Promise.reject(state) : Promise.resolve(state)),
      onWorking: () => undefined,
      ...over,
    },
  };
}

describe('the watchdog', () => {
  it.each<[string, SessionState | Error, string]>([
    ['the server waits for us', 'waiting-for-client', 'the network between them is dead'],
    ['the session is gone', 'gone', 'no longer knows its session'],
    ['the server cannot be asked', new Error('connect ETIMEDOUT'), 'could not be asked: connect ETIMEDOUT'],
  ])('ends a silent dump when %s', async (_what, state, words) => {
    const rig = watch({ state });
    await expect(watchForStall(rig.watch)).rejects.toMatchObject({
      code: 'ERR_DUMP_STALLED',
      message: expect.stringContaining(words),
    });
    expect(rig.clock.milliseconds).toBe(60_000);
  });

  it('lets a server work that says it is at work', async () => {
    let asked = 0;
    const rig = watch({ askServer: async () => (++asked < 5 ? 'working' : 'gone') });
    await expect(watchForStall(rig.watch)).rejects.toThrow();
    expect(asked).toBe(5);
    expect(rig.clock.milliseconds).toBe(300_000);
  });

  it('takes back what it thought when a sign of life comes while the server is asked', async () => {
    let asked = 0;
    let aliveAt = 0;
    const rig = watch({
      lastSignOfLife: () => aliveAt,
      askServer: async () => {
        if (++asked === 1) aliveAt = rig.clock.milliseconds;
        return 'gone';
      },
    });
    await expect(watchForStall(rig.watch)).rejects.toThrow('no longer knows');
    expect(asked).toBe(2);
    expect(rig.clock.milliseconds).toBe(120_000);
  });

  it('does not count the time in which storage holds the dump up', async () => {
    const rig = watch({ isHeldUp: () => rig.clock.milliseconds < 600_000 });
    await expect(watchForStall(rig.watch)).rejects.toThrow();
    expect(rig.clock.milliseconds).toBeGreaterThanOrEqual(655_000);
  });

  it('ends quietly with the dump', async () => {
    const rig = watch({ lastSignOfLife: () => rig.clock.milliseconds });
    const watching = watchForStall(rig.watch);
    rig.stop.abort();
    await expect(watching).resolves.toBeUndefined();
  });
});
