/** A lock that others hold: whom it names, and when the waiting ends. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { expect, test } from 'vitest';
import { describeSnapshots } from '../support/snapshot-bench.ts';

describeSnapshots((bench) => {
  test('a lock that is not granted in time names the table and the session', async () => {
    const other = new pg.Client({ connectionString: bench.server.uri('shop'), application_name: 'migration' });
    await other.connect();
    try {
      await other.query('BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE');
      await expect(bench.open({ lockTimeoutSeconds: 0.3 })).rejects.toMatchObject({
        code: 'ERR_LOCK_TIMEOUT',
        retryable: true,
        message: expect.stringMatching(
          /public\.orders within 0\.3 s.*public\.orders is locked exclusively by session \d+ \(role postgres, application migration, idle in transaction/,
        ),
      });
    } finally {
      await other.end();
    }
  });

  test('a prepared transaction is named with what ends it', async () => {
    const other = await bench.server.connect('shop');
    await other.query(`BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE; PREPARE TRANSACTION 'it''s left'`);
    try {
      await expect(bench.open({ lockTimeoutSeconds: 0.3 })).rejects.toMatchObject({
        code: 'ERR_LOCK_TIMEOUT',
        message: expect.stringContaining(`COMMIT PREPARED 'it''s left' or ROLLBACK PREPARED 'it''s left'`),
      });
    } finally {
      await other.query(`ROLLBACK PREPARED 'it''s left'`);
      await other.end();
    }
  });

  test('an ALTER that queues behind a reader is named together with the reader', async () => {
    const reader = await bench.server.connect('shop');
    const alter = await bench.server.connect('shop');
    try {
      await reader.query('BEGIN; SELECT FROM orders');
      const queued = alter.query('ALTER TABLE orders ADD late int');
      await sleep(200);
      await expect(bench.open({ lockTimeoutSeconds: 0.3 })).rejects.toMatchObject({
        code: 'ERR_LOCK_TIMEOUT',
        message: expect.stringMatching(/waits for an exclusive lock on public\.orders behind session \d+/),
      });
      await reader.query('COMMIT');
      await queued;
    } finally {
      await reader.end();
      await alter.end();
    }
  });

  test('an abort while waiting for a lock is heard at once', async () => {
    const other = await bench.server.connect('shop');
    const controller = new AbortController();
    try {
      await other.query('BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE');
      const opening = bench.open({ signal: controller.signal });
      const outcome = expect(opening).rejects.toThrow('cancelled by the user');
      await bench.untilWaiting();
      const from = Date.now();
      controller.abort(new Error('cancelled by the user'));
      await outcome;
      expect(Date.now() - from).toBeLessThan(1_000);
    } finally {
      await other.end();
    }
  });
});
