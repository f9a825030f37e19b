/**
 * Keeps fetched client tools, and what was read of manifests, in GitHub's Actions cache, by `@actions/cache` on a thread of its own. There it can be
 * ended when it takes too long (it retries for minutes), its annotations do not reach the log of a run that goes well
 * without it, `tar` inherits none of the step's secrets, and no start pays for loading it.
 */
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { messageOf } from '../domain/errors.ts';
import type { Log } from '../ports.ts';
import type { CacheAnswer, CacheWorkerInput } from './client-cache/worker.ts';
import { PROXY_VARIABLES } from './short-command.ts';

/** Never stands in the way of a run: what does not go well is a warning. */
export interface ClientCache {
  /** True when the entry of exactly this key was unpacked as `folder`, which must not exist yet. */
  restore(key: string, folder: string): Promise<boolean>;
  save(key: string, folder: string): Promise<void>;
}

export interface ActionsCache extends ClientCache {
  /** Something did not go well: the warning stands in the log. */
  readonly failed: boolean;
  /** The newest entry whose key begins like this, unpacked as `folder`, which must not exist yet: its whole key. */
  restoreNewest(beginning: string, folder: string): Promise<string | undefined>;
}

export interface ClientCacheOptions {
  /** Client tools by default. */
  purpose?: CachePurpose;
  env: Readonly<Record<string, string | undefined>>;
  /** RUNNER_TEMP. Entries are bound to the path that they were saved from, so it has to be the same on every run. */
  tempDirectory: string;
  /** Private to this run, inside of `tempDirectory`. */
  workDir: string;
  /** The script that calls `runClientCacheWorker`. */
  workerUrl: URL;
  log: Log;
  signal: AbortSignal;
  /** 20 by default, for each of restoring and saving: 3 MB take well under one second when all is well. */
  limitSeconds?: number;
}

/** What is kept. */
export interface CachePurpose {
  /** Name of the folder in RUNNER_TEMP through which it passes; never another for the same entries. */
  passage: string;
  /** For the warning that the cache failed: who goes on without it. */
  without: string;
}

const CLIENT_TOOLS: CachePurpose = {
  passage: 'db-backup-action-client-tools',
  without: 'The backup does not depend on it.',
};
const LIMIT_SECONDS = 20;
/** Of the whole environment all that `@actions/cache` reads, and what `tar` needs. */
const PASSED_ON = [
  ...['PATH', 'HOME', 'ACTIONS_RESULTS_URL', 'ACTIONS_CACHE_URL', 'ACTIONS_RUNTIME_TOKEN', 'ACTIONS_CACHE_SERVICE_V2'],
  ...['ACTIONS_CACHE_MODE', 'GITHUB_SERVER_URL', ...PROXY_VARIABLES],
];

/** `undefined` where the runner offers no cache, as outside of a workflow. */
export function openClientCache(options: ClientCacheOptions): ActionsCache | undefined {
  const { env } = options;
  if (!env.ACTIONS_RUNTIME_TOKEN || !(env.ACTIONS_RESULTS_URL || env.ACTIONS_CACHE_URL)) return undefined;
  return new ActionsClientCache(options);
}

class ActionsClientCache implements ActionsCache {
  readonly #options: ClientCacheOptions;
  /** Fixed, unlike the work folder. Things are only passing through. */
  readonly #passage: string;
  #failed = false;

  constructor(options: ClientCacheOptions) {
    this.#options = options;
    const { passage } = options.purpose ?? CLIENT_TOOLS;
    this.#passage = path.join(path.resolve(options.tempDirectory), passage);
  }

  get failed(): boolean {
    return this.#failed;
  }

  async restore(key: string, folder: string): Promise<boolean> {
    return (await this.#restore('restore', key, folder)) !== undefined;
  }

  restoreNewest(beginning: string, folder: string): Promise<string | undefined> {
    return this.#restore('restore-newest', beginning, folder);
  }

  #restore(verb: CacheWorkerInput['verb'], key: string, folder: string): Promise<string | undefined> {
    return this.#quietly('be read', async () => {
      await rm(this.#passage, { recursive: true, force: true });
      const answer = await this.#ask(verb, key);
      if (!answer.hit) return undefined;
      await rename(this.#passage, folder);
      return answer.key;
    });
  }

  async save(key: string, folder: string): Promise<void> {
    await this.#quietly('be written', async () => {
      await rm(this.#passage, { recursive: true, force: true });
      await rename(folder, this.#passage);
      try {
        await this.#ask('save', key);
      } finally {
        await rename(this.#passage, folder);
      }
    });
  }

  async #quietly<T>(what: string, body: () => Promise<T>): Promise<T | undefined> {
    const { log, signal, purpose = CLIENT_TOOLS } = this.#options;
    try {
      return await body();
    } catch (error) {
      this.#failed = true;
      signal.throwIfAborted();
      log.warning(`GitHub's cache could not ${what}: ${messageOf(error)}. ${purpose.without}`);
      return undefined;
    } finally {
      await rm(this.#passage, { recursive: true, force: true });
    }
  }

  async #ask(verb: CacheWorkerInput['verb'], key: string): Promise<CacheAnswer> {
    const { workerUrl, signal, log, limitSeconds = LIMIT_SECONDS } = this.#options;
    const workerData: CacheWorkerInput = { verb, key, folder: this.#passage };
    const env = await this.#environment();
    const worker = new Worker(workerUrl, { workerData, env, execArgv: [], stdout: true, stderr: true });
    const { promise, resolve, reject } = Promise.withResolvers<CacheAnswer>();
    const onAbort = () => reject(signal.reason);
    const timer = setTimeout(() => reject(new Error(`it took longer than ${limitSeconds} s`)), limitSeconds * 1000);
    signal.addEventListener('abort', onAbort, { once: true });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('its thread ended without an answer')));
    try {
      const answer = await promise;
      log.debug(`cache ${verb} ${key}: ${withoutQueries(answer.said).slice(-2000)}`);
      const complaint = complaintIn(answer.said);
      if (!answer.hit && complaint !== undefined) throw new Error(complaint);
      return answer;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      await worker.terminate();
    }
  }

  async #environment(): Promise<Record<string, string>> {
    const { env, workDir } = this.#options;
    const temp = path.join(workDir, 'cache');
    await mkdir(temp, { recursive: true });
    const passed = PASSED_ON.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
    // The library leaves its own folders behind in RUNNER_TEMP, and has tar work from the workspace.
    return { ...Object.fromEntries(passed), RUNNER_TEMP: temp, GITHUB_WORKSPACE: path.dirname(this.#passage) };
  }
}

/** The library throws little: it writes workflow commands and goes on. */
function complaintIn(said: string): string | undefined {
  const words = /^::(?:warning|error)[^:]*::(.*)$/m.exec(said)?.[1];
  return words === undefined ? undefined : withoutQueries(words);
}

/** Signed URLs carry their right to read or write in the query. */
function withoutQueries(text: string): string {
  return text.replaceAll(/\?[^\s"']+/g, '?…');
}
