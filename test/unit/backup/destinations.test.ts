import { describe, expect, test, vi } from 'vitest';
import { CopiedObject } from '../../../src/backup/copied-object.ts';
import { Destinations, type Target } from '../../../src/backup/destinations.ts';
import { openCipher } from '../../../src/crypto/age.ts';
import type { ObjectWriter, Storage } from '../../../src/ports.ts';
import { recordingLog } from '../../support/silent-log.ts';

function place(location: string, writer: Partial<ObjectWriter> = {}): Target {
  const working: ObjectWriter = {
    write: async () => undefined,
    commit: async () => ({ key: 'k', sizeBytes: 1, sha256: 'aa', evidence: 'read-back' }),
    abort: async () => undefined,
  };
  const storage = { location, create: async () => ({ ...working, ...writer }), close: async () => undefined };
  return { destination: { kind: 'directory', path: location }, storage: storage as unknown as Storage };
}

function open(targets: Target[]) {
  const run = new AbortController();
  const log = recordingLog();
  return { run, log, destinations: new Destinations({ targets, signal: run.signal, log }) };
}

const isTwo = ({ storage }: Target) => storage.location === '/two';
const failAtTwo = async (target: Target): Promise<string> => {
  if (isTwo(target)) throw new Error('broken');
  return target.storage.location;
};

describe('Destinations', () => {
  test('that fail twice at once are lost once', async () => {
    const { destinations, log } = open([place('/one'), place('/two')]);
    const both = await Promise.all([destinations.each(failAtTwo), destinations.each(failAtTwo)]);
    expect(both).toEqual([['/one'], ['/one']]);
    expect(destinations.lost).toHaveLength(1);
    expect(log.lines).toHaveLength(1);
  });

  test('are not at fault when the run itself was ended', async () => {
    const { destinations, run } = open([place('/one'), place('/two')]);
    run.abort(new Error('cancelled'));
    await expect(destinations.each(failAtTwo)).rejects.toThrow('cancelled');
    expect(destinations.lost).toEqual([]);
  });
});

describe('An object on its way to several destinations', () => {
  const parts = { key: 'k', cipher: openCipher({ method: 'none' }), options: {}, stallSeconds: 0.05 };

  test('is finished at the others when one stalls, and is aborted there', async () => {
    const abort = vi.fn(async () => undefined);
    const never = new Promise<never>(() => undefined);
    const stalled = place('/two', { write: () => never, abort });
    const { destinations } = open([place('/one'), stalled]);
    const object = await CopiedObject.create({ ...parts, destinations });
    await object.write(Buffer.from('x'));
    expect(object.holdsChunks).toBe(true);
    const holders: string[] = [];
    await object.commit(({ storage }) => holders.push(storage.location));
    expect(holders).toEqual(['/one']);
    expect(abort).toHaveBeenCalledOnce();
    expect(destinations.lost.map(({ error }) => error.code)).toEqual(['ERR_STORAGE_STALLED']);
  });

  test('is aborted everywhere, also where it was given up before', async () => {
    const aborted: string[] = [];
    const abort = (name: string) => ({ abort: async () => void aborted.push(name) });
    const broken = place('/two', { write: () => Promise.reject(new Error('broken')), ...abort('two') });
    const { destinations } = open([place('/one', abort('one')), broken]);
    const object = await CopiedObject.create({ ...parts, destinations });
    await object.write(Buffer.from('x'));
    await object.abort();
    expect(aborted.sort()).toEqual(['one', 'two']);
  });
});
