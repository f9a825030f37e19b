/**
 * `npm run demo`: a sample shop in a throwaway Postgres, backed up by the built action as a runner would run it, and
 * restored by RESTORE.md alone. Keeps the backup and its key in a temporary folder, and nothing else.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatDuration } from '../../src/domain/words.ts';
import { Screen } from './demo/screen.ts';
import { tellStory } from './demo/story.ts';
import { availableMajors } from './postgres-server.ts';
import type { RunningAction } from './run-action.ts';

/** How a shell tells an end by SIGINT. */
const EXIT_INTERRUPTED = 130;
/** How long after Ctrl-C what runs may take to end by itself. */
const GRACE_MS = 3_000;

/**
 * Resolves with the exit code when the server is stopped; after Ctrl-C something may still be under way, so the caller
 * ends the process. The first of `majors` with client tools is taken.
 */
export async function demo(majors: readonly number[] = availableMajors()): Promise<number> {
  const startedAt = performance.now();
  const screen = new Screen();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'db-backup-demo-'));
  const interruption = onInterrupt();
  const { signal } = interruption;
  await using resources = new AsyncDisposableStack();
  const onStart = (action: RunningAction): void => {
    signal.addEventListener('abort', () => action.cancel(), { once: true });
  };
  const story = tellStory({ screen, folder, resources, signal, onStart, majors });
  try {
    await Promise.race([story, interruption.fired]);
    screen.say(`Took ${formatDuration((performance.now() - startedAt) / 1000)}.`);
    return 0;
  } catch (error) {
    if (!signal.aborted) {
      screen.say(`\nThe demo failed: ${words(error)}\nIts files are in ${folder}`);
      return 1;
    }
    await Promise.race([story.catch(() => undefined), sleep(GRACE_MS)]);
    await resources.disposeAsync();
    await rm(folder, { recursive: true, force: true });
    screen.say('\nInterrupted. The server is stopped and its files are removed, and so is the backup.');
    return EXIT_INTERRUPTED;
  } finally {
    interruption.close();
  }
}

interface Interruption {
  signal: AbortSignal;
  /** Rejects on Ctrl-C, never resolves. */
  fired: Promise<never>;
  close(): void;
}

function onInterrupt(): Interruption {
  const controller = new AbortController();
  const { signal } = controller;
  const abort = (): void => controller.abort();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, abort);
  const fired = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return {
    signal,
    fired,
    close() {
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, abort);
    },
  };
}

/** A mistake of the demo itself shows where it happened. */
function words(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.name === 'Error' ? error.message : (error.stack ?? error.message);
}

if (import.meta.main) process.exit(await demo());
