import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/availability.ts';
import { clientTools } from '../support/clients.ts';
import { expectRestoreFailed, lookBefore, type RestoreScenario, startRestoreScenario } from '../support/restore-scenario.ts';

describeWith(await clientTools(17), 'A restore', (clients) => {
  let bench: RestoreScenario;
  beforeAll(async () => { bench = await startRestoreScenario(clients); });
  afterAll(() => bench?.stop());
  afterEach(() => bench.reset());

  test.each(['a', 'b', 'c', 'd'] as const)('try %s', async (k) => {
    const before = await lookBefore(bench);
    const t = performance.now();
    const run = k === 'a' ? await bench.restore({ inputs: { 'age-identity': '' } })
      : k === 'b' ? await bench.replace('swap') : k === 'c' ? await bench.replace('in-place') : await bench.replace('in-place', { inputs: {confirm: `localhost:${bench.scenario.server.port}/shop`, reason: ''}});
    console.log(k, (performance.now() - t) / 1000, run.exitCode, run.maskedLog, run.summary, JSON.stringify(run.outputs), run.github.issues.map((i) => i.title + '\n' + i.body).join('\n'));
    console.log(JSON.stringify((await bench.look()).databases), await bench.served());
    console.log([...bench.scenario.state().keys()].join('\n'));
  });
});
