/** Local servers that a test starts in a folder of its own, and the search for what is left of them. */
import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { type EphemeralServer, type ServerOptions, startEphemeralServer } from '../../src/postgres/server/start.ts';
import { systemClock } from '../../src/runner/clock.ts';
import type { Availability } from './availability.ts';
import { until } from './backup-scenario.ts';
import { availableMajors } from './postgres-server.ts';
import { processesWith } from './process-watch.ts';
import { silentLog } from './silent-log.ts';

/** The newest that npm installed. */
export const MAJOR = availableMajors().at(-1) ?? 0;
export const AS_ROOT: Availability = process.getuid?.() === 0 || {
  skipped: 'only root can lend the server another account',
};

type Wishes = Partial<ServerOptions> & Pick<ServerOptions, 'search'>;

/** For every test of the file its own folder, set up by the hooks; what is started there is stopped after the test. */
export function serverBench(): ServerBench {
  const bench = new ServerBench();
  beforeEach(() => bench.renew());
  afterEach(() => bench.clear());
  return bench;
}

/** Complete inside tests only. */
export class ServerBench {
  declare folder: string;
  #started: EphemeralServer[] = [];

  /** Of the run. */
  get workDir(): string {
    return path.join(this.folder, 'work');
  }

  async renew(): Promise<void> {
    this.folder = await mkdtemp(path.join(os.tmpdir(), 'ephemeral-'));
    // The server's account has to get to the tool cache.
    await chmod(this.folder, 0o755);
    await mkdir(this.workDir, { mode: 0o700 });
    this.#started = [];
  }

  async clear(): Promise<void> {
    for (const server of this.#started) await server.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  async start(given: Wishes): Promise<EphemeralServer> {
    const server = await startEphemeralServer({
      major: MAJOR,
      workDir: this.workDir,
      env: {},
      signal: new AbortController().signal,
      log: silentLog,
      clock: systemClock,
      ...given,
    });
    this.#started.push(server);
    return server;
  }

  /** Why it did not start; nothing of it is left then. */
  async failureOf(given: Wishes): Promise<Error & { code: string; hint: string }> {
    const error = await this.start(given).then(
      () => undefined,
      (thrown: unknown) => thrown as Error & { code: string; hint: string },
    );
    if (error === undefined) throw new Error('it started');
    await this.expectNothingLeft();
    return error;
  }

  /** Neither a folder, nor a note, nor a process whose command line or environment names one. */
  async expectNothingLeft(): Promise<void> {
    expect(await readdir(this.workDir)).toEqual([]);
    expect((await readdir(this.folder)).filter((name) => name.includes('server'))).toEqual([]);
    const left = await until(
      () => Promise.resolve(processesWith(path.join(this.folder, 'db-backup-action-server'))),
      (processes) => processes.length === 0,
    );
    expect(left).toEqual([]);
  }
}
