/**
 * Who was told of which warnings, kept between runs in GitHub's Actions cache: a green run has no issue that could
 * remember it, and a status may only read the bucket. What is forgotten is told again, and that is all.
 */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Environment } from '../domain/destination.ts';
import { messageOf } from '../domain/errors.ts';
import { readTold, type Told, toldLine } from '../domain/notify/told.ts';
import { runnerEnvironment } from '../inputs/runner-environment.ts';
import type { Log } from '../ports.ts';
import { type ActionsCache, type CachePurpose, openClientCache } from '../postgres/client-cache.ts';

const WARNED: CachePurpose = {
  passage: 'db-backup-action-warned',
  without: 'Whoever hears of warnings may be told of the same once more.',
};
const FILE = 'told';
/** A run is not held up for it. */
const LIMIT_SECONDS = 8;

export interface WarnedBeforeParts {
  env: Environment;
  log: Log;
  /** The script of the thread that speaks with the cache. */
  cacheWorker: URL;
  /** The same for runs that warn of the same things. */
  subject: string;
}

/** What earlier runs told; `undefined` where no cache is offered or it is of no use. Never rejects. */
export async function recallWarned(parts: WarnedBeforeParts, signal: AbortSignal): Promise<Told[] | undefined> {
  return await withCache(parts, signal, async (cache, folder) => {
    const found = await cache.restoreNewest(keyBeginning(parts), folder);
    // Whoever tried to keep something there now would wait as long again.
    if (cache.failed) return undefined;
    return found === undefined ? [] : readTold(await readFile(path.join(folder, FILE), 'utf8'));
  });
}

/** Never rejects. */
export async function keepWarned(told: readonly Told[], parts: WarnedBeforeParts, signal: AbortSignal): Promise<void> {
  await withCache(parts, signal, async (cache, folder) => {
    const text = toldLine(told);
    await mkdir(folder);
    await writeFile(path.join(folder, FILE), text);
    await cache.save(`${keyBeginning(parts)}${shortHash(text)}`, folder);
  });
}

/** An entry is never written over, so that each has a key of its own; the newest counts. */
function keyBeginning({ subject }: WarnedBeforeParts): string {
  return `${WARNED.passage}-v1-${shortHash(subject)}-`;
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24);
}

async function withCache<T>(
  { env, log, cacheWorker: workerUrl }: WarnedBeforeParts,
  signal: AbortSignal,
  work: (cache: ActionsCache, folder: string) => Promise<T>,
): Promise<T | undefined> {
  const { tempDirectory } = runnerEnvironment(env);
  let workDir: string | undefined;
  try {
    workDir = await mkdtemp(path.join(tempDirectory, 'warned-'));
    const places = { env, tempDirectory, workDir, workerUrl };
    const cache = openClientCache({ purpose: WARNED, ...places, log, signal, limitSeconds: LIMIT_SECONDS });
    return cache === undefined ? undefined : await work(cache, path.join(workDir, 'entry'));
  } catch (error) {
    if (!signal.aborted) log.info(`Who was told of warnings is not known: ${messageOf(error)}`);
    return undefined;
  } finally {
    if (workDir !== undefined) await rm(workDir, { recursive: true, force: true });
  }
}
