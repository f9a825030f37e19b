import { describe, expect, test } from 'vitest';
import { recipientsCipher } from '../../src/crypto/age.ts';
import type { Manifest } from '../../src/domain/manifest.ts';
import { scopeFingerprint, tableHash } from '../../src/domain/previous-backup.ts';
import type { QualifiedName } from '../../src/domain/relations.ts';
import { chooseReusable, type ReuseWish } from '../../src/domain/reuse.ts';
import { WHOLE } from '../../src/domain/scope.ts';
import { backupResult } from '../support/backup-result.ts';

const RECIPIENT = 'age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj';
const OTHER = 'age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg';
const [ORDERS, CUSTOMERS, HOLLOW] = ['orders', 'customers', 'hollow'].map((name) => ({ schema: 'public', name })) as [
  QualifiedName,
  QualifiedName,
  QualifiedName,
];
const UNCRITICAL: Manifest['checks'] = [{ id: 'archive', status: 'passed', reason: 'read to its end' }];
/** Of 02:00, proven; `orders` was critical and holds rows, `hollow` holds none. */
function manifest(part: Partial<Manifest> = {}): Manifest {
  const made = backupResult().manifest;
  const { salt } = made.tableStats;
  return {
    ...made,
    scope: { ...made.scope, fingerprint: scopeFingerprint(WHOLE, salt) },
    tableStats: {
      salt,
      tables: { [tableHash(salt, ORDERS)]: { rows: 7, bytes: 70 }, [tableHash(salt, HOLLOW)]: { rows: 0, bytes: 0 } },
    },
    checks: [...UNCRITICAL, { id: 'critical-tables', status: 'passed', reason: '1 of 1 critical tables hold rows' }],
    ...part,
  };
}

const source = { fingerprint: manifest().source.fingerprint, kind: manifest().source.fingerprintKind };
const WISH: ReuseWish = {
  withinMinutes: 30,
  now: new Date('2026-11-21T02:20:30.000Z'),
  source,
  scope: WHOLE,
  encryption: { method: 'age', recipients: [RECIPIENT] },
  keepForever: false,
  globals: false,
  verifySource: false,
  verifyRestore: false,
  criticalTables: [],
};

describe('a recent backup', () => {
  test('that is proven and alike is taken', () => {
    const decision = chooseReusable(WISH, [manifest()]);
    expect(decision.manifest?.id).toBe(manifest().id);
    expect(decision.reason).toBe(`${manifest().id} is proven and 20 minutes old`);
  });

  test('that holds rows of the critical table is taken', () => {
    expect(chooseReusable({ ...WISH, criticalTables: [ORDERS] }, [manifest()]).manifest?.id).toBe(manifest().id);
  });

  test('is passed over for an older one that is good enough', () => {
    const unproven = manifest({ id: '20261121_021000_manual_aaaaaa', verdict: 'unproven' });
    expect(chooseReusable(WISH, [unproven, manifest()]).manifest?.id).toBe(manifest().id);
  });

  test.each<[string, Partial<ReuseWish>, Partial<Manifest>, string]>([
    ['that is too old', { withinMinutes: 20 }, {}, 'is 20 minutes old'],
    ['from the future', { now: new Date('2026-11-21T01:59:59.000Z') }, {}, 'lies in the future'],
    ['that is not proven', {}, { verdict: 'unproven' }, 'is not proven'],
    ['of another database', { source: { ...source, fingerprint: 'cd'.repeat(32) } }, {}, 'of this database'],
    ['whose database cannot be compared', { source: { ...source, kind: 'address' } }, {}, 'of this database'],
    ['of another scope', { scope: { ...WHOLE, tables: ['orders'] } }, {}, 'another part of the database'],
    ['without encryption', { encryption: { method: 'none' } }, {}, 'encrypted in another way'],
    ['for other keys', { encryption: { method: 'age', recipients: [OTHER] } }, {}, 'encrypted in another way'],
    ['for fewer keys', { encryption: { method: 'age', recipients: [RECIPIENT, OTHER] } }, {}, 'in another way'],
    ['that is to be kept for ever', { keepForever: true }, {}, 'is not kept for ever'],
    ['without roles', { globals: true }, {}, 'holds no roles'],
    ['that was not restored for a trial', { verifyRestore: true }, {}, 'was not restored for a trial'],
    ['that was not compared with the source', { verifySource: true }, {}, 'was not compared with the source'],
    ['without critical tables', { criticalTables: [ORDERS] }, { checks: UNCRITICAL }, 'without critical tables'],
    ['with other critical tables', { criticalTables: [ORDERS, CUSTOMERS] }, {}, 'rows of every critical table'],
    ['whose critical table is empty', { criticalTables: [HOLLOW] }, {}, 'rows of every critical table'],
  ])('%s is not taken', (_what, wish, part, reason) => {
    const decision = chooseReusable({ ...WISH, ...wish }, [manifest(part)]);
    expect(decision.manifest).toBeUndefined();
    expect(decision.reason).toContain(reason);
  });

  test('may be missing altogether', () => {
    expect(chooseReusable(WISH, [])).toEqual({ reason: 'no earlier backup is known' });
  });

  test('is for real keys', () => {
    for (const key of [RECIPIENT, OTHER]) expect(() => recipientsCipher([key])).not.toThrow();
  });
});
