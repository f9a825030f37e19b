/**
 * SIGINT, and SIGTERM 7.5 s later, at every stage of a run with two destinations: it ends in time, leaves nothing that
 * counts as a backup, and its post step tells of it. A run that does not end by itself is killed, and told of as well.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { aptRepositoryAvailable } from '../support/apt-repository.ts';
import { describeIf, describeWith } from '../support/availability.ts';
import { DUMP_SESSION, type Scenario, SNAPSHOT_SESSION } from '../support/backup-scenario.ts';
import {
  clientsAndVersitygw,
  isContentsWrite,
  isGlobalsWrite,
  isGuideWrite,
  isManifestWrite,
} from '../support/bucket-scenario.ts';
import {
  type CancellationBench,
  isCompletion,
  NOTHING_ANSWERS,
  NOTHING_VISIBLE,
  NOTHING_WRITTEN,
  STUCK_IN_A_PART,
  startCancellationBench,
} from '../support/cancellation-bench.ts';
import { hasOwnTools } from '../support/clients.ts';
import { expectTidy, readable } from '../support/expect-run.ts';
import { type FaultProxy, type RequestTest, startFaultProxy } from '../support/fault-proxy.ts';
import { startGitHub } from '../support/github-api.ts';

describeWith(await clientsAndVersitygw(), 'A run that is cancelled', ({ clients }) => {
  let bench: CancellationBench;
  let scenario: Scenario;
  let proxy: FaultProxy;

  beforeAll(async () => {
    bench = await startCancellationBench(clients);
    ({ scenario, proxy } = bench);
    const run = await scenario.run(bench.backUp());
    expect(run.exitCode, run.maskedLog).toBe(0);
  });
  beforeEach(() => bench.before());
  afterEach(() => bench.calm());
  afterAll(() => bench?.stop());

  test('before it can say anything takes no backup in its post step', async () => {
    const run = await bench.cancelAt((now) => now());
    expect(run).toMatchObject({ exitCode: null, signal: 'SIGINT', stdout: '', state: {} });
    expect(run.post?.groups).toEqual([]);
    expect(run.post?.annotations).toMatchObject([{ kind: 'warning', title: expect.stringContaining('(ERR_KILLED)') }]);
    await bench.expectToldOnce(run, 'ERR_KILLED', 'ended from outside');
    await bench.expectNothingNew();
  });

  test('at its first word has written nothing', async () => {
    let said = false;
    const run = await scenario.run({
      ...bench.backUp(),
      onLine: (_line, action) => {
        if (!said) action.cancel();
        said = true;
      },
    });
    await bench.expectCancelled(run, NOTHING_WRITTEN);
    await bench.expectNothingNew();
  });

  test('while a database does not answer has written nothing', async () => {
    const run = await bench.cancelAt(bench.onSilence, {
      url: scenario.url({ database: 'large', port: bench.silentPort() }),
    });
    await bench.expectCancelled(run, NOTHING_WRITTEN);
    await bench.expectNothingNew();
  });

  const lacksTools = !hasOwnTools(clients.major) || {
    skipped: `this machine has the tools of Postgres ${clients.major}`,
  };

  describeIf(lacksTools === true ? aptRepositoryAvailable : lacksTools, 'without client tools', () => {
    test('while a repository of them does not answer ends apt', async () => {
      const empty = path.join(scenario.folder, 'empty');
      mkdirSync(empty);
      const run = await bench.cancelAt(bench.onSilence, {
        tools: { folder: empty, remove: async () => undefined },
        inputs: { 'postgres-apt-mirror': `http://127.0.0.1:${bench.silentPort()}/apt` },
      });
      expect(run.maskedLog).toContain('Fetching pg_dump');
      await bench.expectCancelled(run, NOTHING_WRITTEN);
      await bench.expectNothingNew();
    });
  });

  test('while it waits for a lock lets go of the others', async () => {
    const holder = await scenario.connect('large');
    try {
      await holder.query('BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE');
      const run = await bench.cancelAt(bench.onSession(`${SNAPSHOT_SESSION} AND wait_event_type = 'Lock'`));
      await bench.expectCancelled(run, NOTHING_WRITTEN);
      await bench.expectNothingNew();
    } finally {
      await holder.end();
    }
  });

  test('in its dump, before the first part, ends pg_dump', async () => {
    const slow = await startFaultProxy({ host: '127.0.0.1', port: scenario.server.port }, { bytesPerSecond: 200_000 });
    try {
      const url = scenario.url({ database: 'large', port: slow.port });
      const run = await bench.cancelAt(bench.onSession(`${DUMP_SESSION} AND query LIKE 'COPY%'`), { url });
      await bench.expectCancelled(run, NOTHING_VISIBLE);
      await bench.expectNothingNew();
    } finally {
      await slow.close();
    }
  });

  test('in the midst of a part discards the upload', async () => {
    proxy.set(STUCK_IN_A_PART);
    const run = await bench.cancelAt(bench.onStrike);
    await bench.expectCancelled(run, NOTHING_VISIBLE);
    await bench.expectNothingNew();
  });

  test.each<[string, RequestTest]>([
    ['completes the archive', isCompletion],
    ['stores the roles', isGlobalsWrite],
    ['stores the list of contents', isContentsWrite],
    ['writes RESTORE.md', isGuideWrite],
  ])('while it %s takes back what both destinations hold', async (_what, request) => {
    const run = await bench.cancelAt(bench.onAnswerTo(request));
    await bench.expectCancelled(run, NOTHING_VISIBLE);
    await bench.expectNothingNew();
  });

  test('while a bucket has stopped to answer cleans the directory all the same', async () => {
    const run = await bench.cancelAt(bench.onAnswerTo(isContentsWrite, NOTHING_ANSWERS));
    expect(bench.newFiles()).toEqual([]);
    expect((await bench.newObjects()).filter((key) => key.endsWith('/metadata.json'))).toEqual([]);
    proxy.set({});
    await bench.expectCancelled(run, NOTHING_VISIBLE);
  });

  test('while the last commit marker is on its way leaves whole sets, and says that they may be there', async () => {
    const run = await bench.cancelAt(bench.onAnswerTo(isManifestWrite));
    await bench.expectCancelled(run, 'It is not certain whether this backup became visible');
    expect(readable(run.summary)).toMatch(/look whether s3:\/\/backups\/team\/\S+, \/\S+ holds a metadata\.json/);
    bench.expectWholeFolder();
    await bench.expectWholeSetOrNone();
  });

  test('while the first of two commit markers is on its way leaves that set alone, and names it', async () => {
    const run = await bench.cancelAt(bench.onAnswerTo(isManifestWrite), { bucketLast: true });
    await bench.expectCancelled(run, 'It is not certain whether this backup became visible');
    expect(readable(run.summary)).toMatch(/look whether s3:\/\/backups\/team\/\S+ holds a metadata\.json/);
    expect(bench.newFiles()).toEqual([]);
    await bench.expectWholeSetOrNone();
  });

  test('after its success, while it closes an issue, has succeeded', async () => {
    const github = await startGitHub();
    try {
      const run = await bench.cancelAt(
        (now) => {
          github.fault = () => {
            github.fault = () => undefined;
            now();
            return 'hang';
          };
        },
        { github },
      );
      expect(run).toMatchObject({ exitCode: 0, outputs: { verdict: 'proven' } });
      expect(github.issues).toEqual([]);
      await expectTidy(scenario, run);
    } finally {
      await github.close();
    }
  });

  test('and does not heed it is killed: the post step tells of it, and the next run recovers', async () => {
    const github = await startGitHub();
    try {
      proxy.set(STUCK_IN_A_PART);
      const run = await bench.cancelAt(
        (now, action) =>
          bench.onStrike(() => {
            // A process that is stopped takes no signal but the last one.
            action.signal('SIGSTOP');
            now();
          }),
        { github },
      );
      expect(run).toMatchObject({ exitCode: null, signal: 'SIGKILL', filesLeftBehind: [], post: { exitCode: 0 } });
      expect(run.state).not.toHaveProperty('failure');
      expect(github.issues).toMatchObject([{ state: 'open', title: expect.stringContaining('(ERR_KILLED)') }]);
      const body = readable(github.issues[0]?.body ?? '');
      expect(body).toContain('ended from outside');
      expect(body).toContain(NOTHING_VISIBLE);
      expect(await bench.newObjects()).toEqual([]);
      expect(bench.newFiles().filter((key) => key.endsWith('/metadata.json'))).toEqual([]);
      await scenario.untilNoSessions();

      proxy.set({});
      const left = scenario.state();
      const next = await scenario.run(bench.backUp({ github }));
      expect(next, next.maskedLog).toMatchObject({ exitCode: 0, outputs: { verdict: 'proven', 'issue-number': '1' } });
      expect(github.issues).toMatchObject([{ state: 'closed', stateReason: 'completed' }]);
      bench.expectWholeFolder(left);
      await bench.expectWholeBucket();
      await expectTidy(scenario, next);
    } finally {
      await github.close();
    }
  });
});
