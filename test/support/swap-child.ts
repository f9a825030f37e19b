/**
 * A run of its own that pauses a target, swaps it, and stops at the step that it is told, until somebody kills it:
 * `node swap-child.ts URL RESTORED FORMER STEP`. Says `at STEP` when it is there, `done` when it came to its end.
 */

import { unfinishedMark } from '../../src/domain/restore-mark.ts';
import { createDatabaseSql } from '../../src/domain/strategy/creation.ts';
import { createDatabase } from '../../src/postgres/databases.ts';
import { pauseAccess } from '../../src/restore/pause-access.ts';
import { type SwapStep, swapDatabases } from '../../src/restore/swap.ts';
import { lockTarget } from '../../src/restore/target-lock.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { silentLog } from './silent-log.ts';
import { examined } from './target-bench.ts';

const [uri = '', restored = '', former = '', stopAt = ''] = process.argv.slice(2);
const { facts, access } = await examined(uri, silentLog);
const step = async (name: SwapStep | 'locked' | 'paused' | 'created' | 'unborn'): Promise<void> => {
  if (name !== stopAt) return;
  console.log(`at ${name}`);
  await new Promise(() => setInterval(() => undefined, 1000));
};
await lockTarget(access, facts, silentLog);
await step('locked');
const paused = await pauseAccess(access, facts, {
  clock: systemClock,
  log: silentLog,
  remember: (note) => console.log(`note ${note}`),
});
await step('paused');
const name = restored;
const sql = createDatabaseSql(name, facts.database, facts.server.major);
await access.use('create', facts.maintenanceDatabase, async ({ client }) => {
  if (stopAt === 'unborn') {
    await client.query(sql);
    await step('unborn');
  }
  await createDatabase(client, { name, sql, mark: unfinishedMark(facts.database.name, 'test', 'a test') });
});
await step('created');
await access.use('fill', name, ({ client }) =>
  client.query("CREATE TABLE which AS SELECT 'new' AS which; GRANT SELECT ON which TO PUBLIC"),
);
const parts = { access, facts, restored, former, properties: paused.properties, clock: systemClock, log: silentLog };
await swapDatabases({ ...parts, onStep: step });
await paused.resume();
console.log('done');
process.exit();
