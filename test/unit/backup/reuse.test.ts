/** When a recent backup that could be reused is really there: at every destination, as far as they can be asked. */
import { describe, expect, test } from 'vitest';
import { Destinations, type Target } from '../../../src/backup/destinations.ts';
import type { Prepared } from '../../../src/backup/prepare.ts';
import { findReusable } from '../../../src/backup/reuse.ts';
import type { CommandContext } from '../../../src/command.ts';
import { BackupError } from '../../../src/domain/errors.ts';
import type { Manifest } from '../../../src/domain/manifest.ts';
import { scopeFingerprint } from '../../../src/domain/previous-backup.ts';
import { WHOLE } from '../../../src/domain/scope.ts';
import { objectKey } from '../../../src/domain/set-layout.ts';
import type { BackupInputs } from '../../../src/inputs/types.ts';
import type { ObjectInfo, Storage } from '../../../src/ports.ts';
import { backupResult } from '../../support/backup-result.ts';
import { recordingLog } from '../../support/silent-log.ts';

const made = backupResult().manifest;
const manifest: Manifest = {
  ...made,
  encryption: { method: 'none' },
  scope: { ...made.scope, fingerprint: scopeFingerprint(WHOLE, made.tableStats.salt) },
};
const DENIED = new BackupError('ERR_STORAGE_DENIED', 'This role may not list.', { op: 'list', hint: 'Grant it.' });

/** Holds the whole set; `list` fails with `refusal` where one is given. */
function place(location: string, refusal?: BackupError): Target {
  const storage: Pick<Storage, 'location' | 'uri' | 'list'> = {
    location,
    uri: (key) => `${location}/${key}`,
    async *list(): AsyncIterable<ObjectInfo> {
      if (refusal !== undefined) throw refusal;
      const names = [...manifest.objects, { name: 'metadata.json', sizeBytes: 1 }];
      for (const { name, sizeBytes } of names) {
        yield { key: objectKey(manifest.name, manifest.id, name), sizeBytes, modifiedAt: new Date(0) };
      }
    },
  };
  return { destination: { kind: 'directory', path: location }, storage: storage as Storage };
}

async function look(targets: Target[], prepareThem: (destinations: Destinations) => Promise<unknown> = async () => {}) {
  const log = recordingLog();
  const { signal } = new AbortController();
  const destinations = new Destinations({ targets, signal, log });
  await prepareThem(destinations);
  const inputs = {
    reuseWithinMinutes: 30,
    scope: WHOLE,
    encryption: { method: 'none' },
    keepForever: false,
    globals: false,
    verifySource: false,
    verifyRestore: false,
  } as unknown as BackupInputs;
  const source = { fingerprint: manifest.source.fingerprint, kind: manifest.source.fingerprintKind };
  const facts = { critical: [] };
  const history = { manifests: [manifest], findings: [] };
  const prepared = { source, facts, history, findings: [] } as unknown as Prepared;
  const clock = { now: () => new Date(Date.parse(manifest.snapshotAt) + 60_000) };
  const context = { clock, log, signal, env: {} } as unknown as CommandContext;
  return { found: await findReusable(inputs, context, prepared, destinations), destinations, log };
}

describe('A recent backup', () => {
  test('that every destination holds is taken', async () => {
    const { found } = await look([place('/one'), place('/two')]);
    expect(found).toMatchObject({ copies: [`/one/shop/${manifest.id}`, `/two/shop/${manifest.id}`], lost: [] });
  });

  test('is not taken where a destination does not say what it holds, and that destination is still written to', async () => {
    const { found, destinations, log } = await look([place('/one'), place('/two', DENIED)]);
    expect(found).toBeUndefined();
    expect(destinations.lost).toEqual([]);
    expect(log.lines.join()).toContain(`/two cannot be asked for ${manifest.id}: This role may not list.`);
  });

  test('is not taken when a destination is lost already: what is left gets a new one', async () => {
    const { found } = await look([place('/one'), place('/two')], (destinations) =>
      destinations.each(async ({ storage }) => {
        if (storage.location === '/two') throw DENIED;
      }),
    );
    expect(found).toBeUndefined();
  });
});
