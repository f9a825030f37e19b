/** Where tests of pruning take place: the same ones in a directory and in a bucket of a real S3 server, each in a fresh one. */
import { mkdir, mkdtemp, rm, utimes } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, type TestAPI, test } from 'vitest';
import type { PrunedDestination, PruneResult } from '../../src/domain/retention/result.ts';
import type { Storage } from '../../src/ports.ts';
import { readBytes } from '../../src/storage/write-object.ts';
import { describeIf } from './availability.ts';
import { type PruneBench, pruneBench } from './prune-bench.ts';
import { clientOf } from './s3-client.ts';
import { availabilityOf, availableS3Servers, startVersitygw, type Versitygw } from './s3-servers.ts';
import { keysOf } from './storage-bench.ts';

export const DAY_MS = 86_400_000;
/** Of the machine: what a test stores carries its time. */
export const NOW = new Date();
export const daysAgo = (days: number): string =>
  `${new Date(NOW.getTime() - days * DAY_MS).toISOString().slice(0, 11)}02:00:00Z`;

export const [versitygw] = await availableS3Servers();

/** Makes a file older than it is. */
export async function ageFile(file: string, days: number): Promise<void> {
  const then = new Date(Date.now() - days * DAY_MS);
  await utimes(file, then, then);
}

interface Place {
  line: string;
  env: Record<string, string>;
  /** Makes what lies there older. */
  age(key: string, days: number): Promise<void>;
}

export interface PrunedPlace {
  storage: Storage;
  /** What lies there. */
  prune: PruneBench['prune'];
  log: PruneBench['log'];
  age: Place['age'];
}

/** `suite` in a directory and in a bucket; it is given the function to define its tests with. */
export function describeInEachPlace(title: string, suite: (test: TestAPI<PrunedPlace>) => void): void {
  describe(`${title} in a directory`, () => {
    const newFolder = useFolders();
    suite(
      testIn(async () => {
        const line = await newFolder();
        return { line, env: {}, age: (key, days) => ageFile(path.join(line, key), days) };
      }),
    );
  });
  describeIf(availabilityOf(versitygw), `${title} in a bucket`, () => {
    let server: Versitygw;
    let count = 0;
    beforeAll(async () => {
      server = await startVersitygw();
    });
    afterAll(() => server?.stop());
    suite(
      testIn(async () => {
        const bucket = `place-${++count}`;
        const client = clientOf(server);
        await client.send(new CreateBucketCommand({ Bucket: bucket })).finally(() => client.destroy());
        const age = (key: string, days: number) => ageFile(path.join(server.dataFolder, bucket, 'team', key), days);
        return { line: server.storageUri(bucket, 'team'), env: server.env, age };
      }),
    );
  });
}

/** Fresh folders, removed after the suite it is called in. */
export function useFolders(): () => Promise<string> {
  let root: string;
  let count = 0;
  beforeAll(async () => {
    root = await mkdtemp(path.join(os.tmpdir(), 'prune-'));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));
  return async () => {
    const folder = path.join(root, `place-${++count}`);
    await mkdir(folder);
    return folder;
  };
}

function testIn(newPlace: () => Promise<Place>): TestAPI<PrunedPlace> {
  return test.extend<PrunedPlace & { place: Place; made: PruneBench }>({
    // biome-ignore lint/correctness/noEmptyPattern: vitest reads from the pattern what a fixture needs
    place: async ({}, use) => use(await newPlace()),
    made: async ({ place }, use) => use(pruneBench([place.line], place.env)),
    storage: async ({ made }, use) => {
      const [storage] = made.storages as [Storage];
      await use(storage);
      await storage.close();
    },
    prune: async ({ made }, use) => use(made.prune),
    log: async ({ made }, use) => use(made.log),
    age: async ({ place }, use) => use(place.age),
  }) as TestAPI<PrunedPlace>;
}

export function only({ destinations }: PruneResult): PrunedDestination {
  expect(destinations).toHaveLength(1);
  return destinations[0] as PrunedDestination;
}

export function codes({ findings }: PruneResult): string[] {
  return findings.map(({ code }) => code);
}

/** Keys of sets, without records. */
export async function setsIn(storage: Storage, series = 'shop'): Promise<string[]> {
  const keys = await keysOf(storage, `${series}/`);
  return [...new Set(keys.map((key) => key.split('/')[1] ?? '').filter((name) => !name.startsWith('_')))];
}

export async function auditIn(storage: Storage, part: 'started' | 'finished'): Promise<unknown[]> {
  const keys = (await keysOf(storage, 'shop/_audit/')).filter((key) => key.endsWith(`.${part}.json`));
  return await Promise.all(keys.map(async (key) => JSON.parse((await readBytes(storage, key)).toString())));
}
