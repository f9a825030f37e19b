import { describe, expect, it } from 'vitest';
import { Supervisor } from '../../src/runner/supervisor.ts';

const never = new Promise<never>(() => undefined);

describe('a supervisor', () => {
  it('throws the first failure, whatever fails after it', async () => {
    const supervisor = new Supervisor(new AbortController().signal);
    supervisor.fail(new Error('the snapshot is lost'));
    supervisor.fail(new Error('pg_dump was killed'));
    await expect(supervisor.guard(Promise.reject(new Error('broken pipe')))).rejects.toThrow('the snapshot is lost');
  });

  it('interrupts a part that would wait for ever', async () => {
    const supervisor = new Supervisor(new AbortController().signal);
    const waiting = supervisor.guard(never);
    supervisor.watch(Promise.reject(new Error('the network is dead')));
    await expect(waiting).rejects.toThrow('the network is dead');
    expect(supervisor.signal.aborted).toBe(true);
  });

  it('passes a value through and stays alive', async () => {
    const supervisor = new Supervisor(new AbortController().signal);
    await expect(supervisor.guard(Promise.resolve(42))).resolves.toBe(42);
    expect(supervisor.signal.aborted).toBe(false);
  });

  it('ends with the run that it belongs to', async () => {
    const run = new AbortController();
    const supervisor = new Supervisor(run.signal);
    const waiting = supervisor.guard(never);
    run.abort(new Error('cancelled'));
    await expect(waiting).rejects.toThrow('cancelled');
  });

  it('no longer listens to the run once closed', () => {
    const run = new AbortController();
    const supervisor = new Supervisor(run.signal);
    supervisor.close();
    run.abort(new Error('cancelled'));
    expect(supervisor.signal.aborted).toBe(false);
  });
});
