/**
 * SIGINT, and SIGTERM 7.5 s later, at every stage of a run with two destinations: it ends in time, leaves nothing that
 * counts as a backup, and its post step tells of it. A run that does not end by itself is killed, and told of as well.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Manifest } from '../../src/domain/manifest.ts';
import { aptRepositoryAvailable } from '../support/apt-repository.ts';
import { describeIf, describeWith } from '../support/availability.ts';
import {
  DUMP_SESSION,
  type FolderState,
  type Scenario,
  type ScenarioRun,
  type ScenarioRunOptions,
  SNAPSHOT_SESSION,
  until,
} from '../support/backup-scenario.ts';
import type { Bucket } from '../support/bucket.ts';
import {
  type BucketScenario,
  clientsAndVersitygw,
  isContentsWrite,
  isGlobalsWrite,
  isGuideWrite,
  isManifestWrite,
  startBucketScenario,
} from '../support/bucket-scenario.ts';
import { hasOwnTools } from '../support/clients.ts';
import { expectFailureWords, expectNoResult, expectNoSecret, expectTidy, readable } from '../support/expect-run.ts';
import { type FaultProxy, type Faults, type RequestTest, startFaultProxy } from '../support/fault-proxy.ts';
import { startGitHub } from '../support/github-api.ts';
import type { RunningAction } from '../support/run-action.ts';
import type { S3Server } from '../support/s3-servers.ts';

const MIB = 1024 * 1024;
/** For a moment to come; a loaded machine must not make it pass. */
const PATIENCE_MS = 30_000;
/** The server has done what it was asked; its answer never arrives. */
const ANSWER_NEVER_COMES: Faults = { direction: 'to-client', blackholeAfter: 0, strikes: 1 };
const STUCK_IN_A_PART: Faults = { direction: 'to-server', blackholeAfter: 2 * MIB, strikes: 1 };
const NOTHING_ANSWERS: Faults = { direction: 'to-client', blackholeAfter: 0 };
const isCompletion: RequestTest = (head) => /^POST [^\s]*database\.backup\?[^\s]*uploadId=/.test(head);

const NOTHING_WRITTEN = 'Nothing was written';
const NOTHING_VISIBLE = 'Nothing of this backup became visible';

describeWith(await clientsAndVersitygw(), 'A run that is cancelled', ({ clients }) => {
  let started: BucketScenario;
  let scenario: Scenario;
  let server: S3Server;
  let bucket: Bucket;
  let proxy: FaultProxy;
  let silent: Server;
  let bucketBefore: FolderState;
  let folderBefore: FolderState;

  beforeAll(async () => {
    started = await startBucketScenario(clients);
    ({ scenario, server, bucket, proxy } = started);
    silent = createServer((socket) => socket.on('error', () => socket.destroy()));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const run = await scenario.run(backUp());
    expect(run.exitCode, run.maskedLog).toBe(0);
  });
  beforeEach(async () => {
    bucketBefore = await bucket.state();
    folderBefore = scenario.state();
  });
  afterEach(() => {
    proxy.set({});
    silent.removeAllListeners('connection');
  });
  afterAll(async () => {
    silent?.close();
    await started?.stop();
  });

  /** 14 MiB, to the bucket behind the proxy in three parts, and to the directory. */
  function backUp(options: ScenarioRunOptions & { bucketLast?: boolean } = {}): ScenarioRunOptions {
    const { bucketLast = false, ...more } = options;
    const endpoint = `http://${proxy.host}:${proxy.port}`;
    const uri = server.storageUri('backups', 'team', { endpoint, 'part-size-mib': '5' });
    const lines = bucketLast ? [scenario.storage, uri] : [uri, scenario.storage];
    return {
      url: scenario.url({ database: 'large' }),
      ...more,
      inputs: { name: 'large', compression: 'none', storage: lines.join('\n'), ...more.inputs },
      env: { ...server.env, ...more.env },
    };
  }

  /** A run that is cancelled once, when `moment` says so. */
  async function cancelAt(
    moment: (now: () => void, action: RunningAction) => unknown,
    options: Parameters<typeof backUp>[0] = {},
  ): Promise<ScenarioRun> {
    let times = 0;
    const run = await scenario.run({
      ...backUp(options),
      onStart: (action) => {
        moment(() => {
          times += 1;
          action.cancel();
        }, action);
      },
    });
    expect(times, run.maskedLog).toBe(1);
    return run;
  }

  /** The moment in which the bucket has done what a request asked for; its answer falls victim to `faults`. */
  function onAnswerTo(request: RequestTest, faults: Faults = ANSWER_NEVER_COMES): (now: () => void) => void {
    return (now) => {
      const observe: RequestTest = (head) => {
        if (!request(head)) return false;
        proxy.set(faults);
        void onStrike(now);
        return false;
      };
      proxy.set({ direction: 'to-client', answerTo: { request: observe, times: 1, response: '' } });
    };
  }

  /** The moment in which the proxy strikes. */
  async function onStrike(now: () => void): Promise<void> {
    const before = proxy.counts.struck;
    const struck = await until(
      () => proxy.counts.struck,
      (count) => count > before,
      PATIENCE_MS,
    );
    if (struck > before) now();
  }

  /** The moment in which a session of the run is seen. */
  function onSession(where: string) {
    const seen = () => scenario.query(`SELECT FROM pg_stat_activity WHERE ${where}`);
    return async (now: () => void): Promise<void> => {
      const sessions = await until(seen, (rows) => rows.length > 0, PATIENCE_MS);
      if (sessions.length > 0) now();
    };
  }

  /** The moment in which somebody connects to the server that never answers. */
  function onSilence(now: () => void): void {
    silent.once('connection', now);
  }

  const silentPort = (): number => (silent.address() as { port: number }).port;

  /** In time, by itself, tidy, and told of by one issue. */
  async function expectCancelled(run: ScenarioRun, safety: string): Promise<void> {
    // A kill after 10 s would be its end by a signal.
    expect(run.signal, run.maskedLog).toBe(null);
    expectFailureWords(run, { code: 'ERR_CANCELLED', happened: ['(SIGINT)'], action: ['Run it again'], safety });
    expectNoResult(run);
    await expectToldOnce(run, 'ERR_CANCELLED', 'The run was cancelled');
  }

  async function expectToldOnce(run: ScenarioRun, code: string, words: string): Promise<void> {
    expect(run.github.issues).toMatchObject([{ title: expect.stringContaining(`(${code})`), comments: [] }]);
    expect(readable(run.github.issues[0]?.body ?? '')).toContain(words);
    expect(run.post?.annotations.filter(({ kind }) => kind === 'error')).toEqual([]);
    expect(await bucket.unfinishedUploads()).toBe(0);
    await expectTidy(scenario, run);
    expectNoSecret(run, [server.secretAccessKey]);
  }

  /** What is new of files or objects. All that is older is as it was. */
  function newKeys(after: FolderState, before: FolderState): string[] {
    for (const [key, sha256] of before) expect(after.get(key)).toBe(sha256);
    return [...after.keys()].filter((key) => !before.has(key));
  }

  async function expectNothingNew(): Promise<void> {
    expect(newKeys(scenario.state(), folderBefore)).toEqual([]);
    expect(newKeys(await bucket.state(), bucketBefore)).toEqual([]);
  }

  /** Every object that the new set's manifest names is there with its bytes. */
  function expectWholeSet(after: FolderState, before: FolderState, manifestText: (key: string) => Buffer | string) {
    const fresh = newKeys(after, before).filter((key) => after.get(key) !== '');
    const marker = fresh.find((key) => key.endsWith('/metadata.json')) ?? '';
    const { objects }: Manifest = JSON.parse(String(manifestText(marker)));
    expect(fresh).toHaveLength(objects.length + 1);
    for (const { name, sha256 } of objects) expect(after.get(path.join(path.dirname(marker), name))).toBe(sha256);
  }

  const readFile = (key: string): Buffer => readFileSync(path.join(scenario.storage, key));

  async function readObjectsOf(state: FolderState): Promise<(key: string) => Buffer> {
    const markers = [...state.keys()].filter((key) => key.endsWith('/metadata.json'));
    const texts = new Map(await Promise.all(markers.map(async (key) => [key, await bucket.read(key)] as const)));
    return (key) => texts.get(key) ?? Buffer.alloc(0);
  }

  /** In the bucket: a commit marker whose answer never came may have been taken back. */
  async function expectWholeSetOrNone(): Promise<void> {
    const state = await bucket.state();
    if (newKeys(state, bucketBefore).some((key) => key.endsWith('/metadata.json')))
      expectWholeSet(state, bucketBefore, await readObjectsOf(state));
  }

  test('before it can say anything takes no backup in its post step', async () => {
    const run = await cancelAt((now) => now());
    expect(run).toMatchObject({ exitCode: null, signal: 'SIGINT', stdout: '', state: {} });
    expect(run.post?.groups).toEqual([]);
    expect(run.post?.annotations).toMatchObject([{ kind: 'warning', title: expect.stringContaining('(ERR_KILLED)') }]);
    await expectToldOnce(run, 'ERR_KILLED', 'ended from outside');
    await expectNothingNew();
  });

  test('at its first word has written nothing', async () => {
    let said = false;
    const run = await scenario.run({
      ...backUp(),
      onLine: (_line, action) => {
        if (!said) action.cancel();
        said = true;
      },
    });
    await expectCancelled(run, NOTHING_WRITTEN);
    await expectNothingNew();
  });

  test('while a database does not answer has written nothing', async () => {
    const run = await cancelAt(onSilence, { url: scenario.url({ database: 'large', port: silentPort() }) });
    await expectCancelled(run, NOTHING_WRITTEN);
    await expectNothingNew();
  });

  const lacksTools = !hasOwnTools(clients.major) || {
    skipped: `this machine has the tools of Postgres ${clients.major}`,
  };

  describeIf(lacksTools === true ? aptRepositoryAvailable : lacksTools, 'without client tools', () => {
    test('while a repository of them does not answer ends apt', async () => {
      const empty = path.join(scenario.folder, 'empty');
      mkdirSync(empty);
      const run = await cancelAt(onSilence, {
        tools: { folder: empty, remove: async () => undefined },
        inputs: { 'postgres-apt-mirror': `http://127.0.0.1:${silentPort()}/apt` },
      });
      expect(run.maskedLog).toContain('Fetching pg_dump');
      await expectCancelled(run, NOTHING_WRITTEN);
      await expectNothingNew();
    });
  });

  test('while it waits for a lock lets go of the others', async () => {
    const holder = await scenario.connect('large');
    try {
      await holder.query('BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE');
      const run = await cancelAt(onSession(`${SNAPSHOT_SESSION} AND wait_event_type = 'Lock'`));
      await expectCancelled(run, NOTHING_WRITTEN);
      await expectNothingNew();
    } finally {
      await holder.end();
    }
  });

  test('in its dump, before the first part, ends pg_dump', async () => {
    const slow = await startFaultProxy({ host: '127.0.0.1', port: scenario.server.port }, { bytesPerSecond: 200_000 });
    try {
      const url = scenario.url({ database: 'large', port: slow.port });
      const run = await cancelAt(onSession(`${DUMP_SESSION} AND query LIKE 'COPY%'`), { url });
      await expectCancelled(run, NOTHING_VISIBLE);
      await expectNothingNew();
    } finally {
      await slow.close();
    }
  });

  test('in the midst of a part discards the upload', async () => {
    proxy.set(STUCK_IN_A_PART);
    const run = await cancelAt(onStrike);
    await expectCancelled(run, NOTHING_VISIBLE);
    await expectNothingNew();
  });

  test.each<[string, RequestTest]>([
    ['completes the archive', isCompletion],
    ['stores the roles', isGlobalsWrite],
    ['stores the list of contents', isContentsWrite],
    ['writes RESTORE.md', isGuideWrite],
  ])('while it %s takes back what both destinations hold', async (_what, request) => {
    const run = await cancelAt(onAnswerTo(request));
    await expectCancelled(run, NOTHING_VISIBLE);
    await expectNothingNew();
  });

  test('while a bucket has stopped to answer cleans the directory all the same', async () => {
    const run = await cancelAt(onAnswerTo(isContentsWrite, NOTHING_ANSWERS));
    expect(newKeys(scenario.state(), folderBefore)).toEqual([]);
    expect(newKeys(await bucket.state(), bucketBefore).filter((key) => key.endsWith('/metadata.json'))).toEqual([]);
    proxy.set({});
    await expectCancelled(run, NOTHING_VISIBLE);
  });

  test('while the last commit marker is on its way leaves whole sets, and says that they may be there', async () => {
    const run = await cancelAt(onAnswerTo(isManifestWrite));
    await expectCancelled(run, 'It is not certain whether this backup became visible');
    expect(readable(run.summary)).toMatch(/look whether s3:\/\/backups\/team\/\S+, \/\S+ holds a metadata\.json/);
    expectWholeSet(scenario.state(), folderBefore, readFile);
    await expectWholeSetOrNone();
  });

  test('while the first of two commit markers is on its way leaves that set alone, and names it', async () => {
    const run = await cancelAt(onAnswerTo(isManifestWrite), { bucketLast: true });
    await expectCancelled(run, 'It is not certain whether this backup became visible');
    expect(readable(run.summary)).toMatch(/look whether s3:\/\/backups\/team\/\S+ holds a metadata\.json/);
    expect(newKeys(scenario.state(), folderBefore)).toEqual([]);
    await expectWholeSetOrNone();
  });

  test('after its success, while it closes an issue, has succeeded', async () => {
    const github = await startGitHub();
    try {
      const run = await cancelAt(
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
      const run = await cancelAt(
        (now, action) =>
          onStrike(() => {
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
      const visible = (state: FolderState) => newKeys(state, bucketBefore);
      expect(visible(await bucket.state())).toEqual([]);
      expect(newKeys(scenario.state(), folderBefore).filter((key) => key.endsWith('/metadata.json'))).toEqual([]);
      await scenario.untilNoSessions();

      proxy.set({});
      const left = scenario.state();
      const next = await scenario.run(backUp({ github }));
      expect(next, next.maskedLog).toMatchObject({ exitCode: 0, outputs: { verdict: 'proven', 'issue-number': '1' } });
      expect(github.issues).toMatchObject([{ state: 'closed', stateReason: 'completed' }]);
      expectWholeSet(scenario.state(), left, readFile);
      const state = await bucket.state();
      expectWholeSet(state, bucketBefore, await readObjectsOf(state));
      await expectTidy(scenario, next);
    } finally {
      await github.close();
    }
  });
});
