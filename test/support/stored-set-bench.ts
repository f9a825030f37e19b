/** One encrypted set in two destinations, and copies of it for tests to spoil. */
import path from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { DecryptionKeys } from '../../src/crypto/decryption.ts';
import type { Contents } from '../../src/domain/contents.ts';
import { readDocuments } from '../../src/restore/documents.ts';
import type { FetchParts } from '../../src/restore/fetched.ts';
import { describeWith } from './availability.ts';
import { type Clients, clientTools } from './clients.ts';
import { FetchBench } from './fetch-bench.ts';
import { type StoredSet, storeSet } from './stored-sets.ts';

export const ARCHIVE = 'database.backup.age';
export const CONTENTS = 'contents.json.age';
export const GLOBALS = 'globals.sql.age';

type Spoil = (first: string, second: string) => Promise<void>;

/** One set for the suite, taken and removed by the hooks. */
export async function describeStoredSet(body: (bench: StoredSetBench, clients: Clients) => void): Promise<void> {
  describeWith(await clientTools(17), 'a stored set', (clients: Clients) => {
    const bench = new StoredSetBench();
    beforeAll(() => bench.take(clients));
    afterAll(() => bench.stored?.remove());
    body(bench, clients);
  });
}

/** Complete inside tests only. */
export class StoredSetBench {
  declare stored: StoredSet;
  declare keys: DecryptionKeys;
  declare contents: Contents;

  async take(clients: Clients): Promise<void> {
    this.stored = await storeSet({ clients });
    this.keys = { identities: [this.stored.identity] };
    const bench = new FetchBench(await this.stored.copies());
    ({ contents: this.contents } = await readDocuments(await bench.selectSet(), this.keys, bench.parts('')));
  }

  /** An object's file in one of the copies. */
  readonly object = (place: string, name: string): string => path.join(place, this.stored.setFolder, name);

  /** What is recorded of the archive before it was encrypted. */
  readonly plain = () => this.contents.plainObjects.find(({ role }) => role === 'archive');

  /** Two copies of the set, spoiled before they are selected. */
  readonly spoiled = async (spoil: Spoil = async () => undefined) => {
    const [first, second] = await this.stored.copies();
    await spoil(first, second);
    const bench = new FetchBench([first, second]);
    const workDir = await this.stored.folder();
    const parts = (over: Partial<FetchParts> = {}) => bench.parts(workDir, over);
    return { bench, first, second, workDir, parts };
  };

  /** …and after that, so that only reading shows it. */
  readonly selected = async (spoil: Spoil) => {
    const scene = await this.spoiled();
    const set = await scene.bench.selectSet();
    await spoil(scene.first, scene.second);
    return { ...scene, set };
  };
}
