/** Runs of two destinations that are cancelled at a moment that can be seen, and what must be left of them. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { expect } from 'vitest';
import type { Manifest } from '../../src/domain/manifest.ts';
import { type FolderState, type ScenarioRun, type ScenarioRunOptions, until } from './backup-scenario.ts';
import { startBucketScenario } from './bucket-scenario.ts';
import type { Clients } from './clients.ts';
import { expectFailureWords, expectNoResult, expectNoSecret, expectTidy, readable } from './expect-run.ts';
import type { Faults, RequestTest } from './fault-proxy.ts';
import type { RunningAction } from './run-action.ts';

const MIB = 1024 * 1024;
/** For a moment to come; a loaded machine must not make it pass. */
const PATIENCE_MS = 30_000;
/** The server has done what it was asked; its answer never arrives. */
const ANSWER_NEVER_COMES: Faults = { direction: 'to-client', blackholeAfter: 0, strikes: 1 };
export const STUCK_IN_A_PART: Faults = { direction: 'to-server', blackholeAfter: 2 * MIB, strikes: 1 };
export const NOTHING_ANSWERS: Faults = { direction: 'to-client', blackholeAfter: 0 };
export const isCompletion: RequestTest = (head) => /^POST [^\s]*database\.backup\?[^\s]*uploadId=/.test(head);

export const NOTHING_WRITTEN = 'Nothing was written';
export const NOTHING_VISIBLE = 'Nothing of this backup became visible';

/** Started by {@link startCancellationBench}; `before` is to be called before each test, `calm` after it. */
export type CancellationBench = Awaited<ReturnType<typeof startCancellationBench>>;

/** The caller stops it. */
export async function startCancellationBench(clients: Clients) {
  const started = await startBucketScenario(clients);
  const { scenario, server, bucket, proxy } = started;
  const silent = createServer((socket) => socket.on('error', () => socket.destroy()));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  let bucketBefore: FolderState = new Map();
  let folderBefore: FolderState = new Map();

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

  async function expectWholeBucket(): Promise<void> {
    const state = await bucket.state();
    expectWholeSet(state, bucketBefore, await readObjectsOf(state));
  }

  /** In the bucket: a commit marker whose answer never came may have been taken back. */
  async function expectWholeSetOrNone(): Promise<void> {
    const fresh = newKeys(await bucket.state(), bucketBefore);
    if (fresh.some((key) => key.endsWith('/metadata.json'))) await expectWholeBucket();
  }

  return {
    ...started,
    backUp,
    cancelAt,
    onAnswerTo,
    onStrike,
    onSession,
    onSilence,
    silentPort,
    expectCancelled,
    expectToldOnce,
    expectNothingNew,
    expectWholeSetOrNone,
    /** `older`: by default what was there before the test. */
    expectWholeFolder: (older: FolderState = folderBefore) => expectWholeSet(scenario.state(), older, readFile),
    expectWholeBucket,
    /** What is new in the directory and in the bucket. */
    newFiles: () => newKeys(scenario.state(), folderBefore),
    newObjects: async () => newKeys(await bucket.state(), bucketBefore),
    /** Remembers what is there. */
    before: async (): Promise<void> => {
      bucketBefore = await bucket.state();
      folderBefore = scenario.state();
    },
    calm: (): void => {
      proxy.set({});
      silent.removeAllListeners('connection');
    },
    stop: async (): Promise<void> => {
      silent.close();
      await started.stop();
    },
  };
}
