/** A target as it is in most tests: empty, reached by its superuser, with everything that a restore may want. */
import type { DatabaseFacts } from '../../src/domain/facts.ts';
import type { TargetFacts } from '../../src/domain/target.ts';

export const SHOP: DatabaseFacts = {
  name: 'shop',
  encoding: 'UTF8',
  collate: 'en_US.UTF-8',
  ctype: 'en_US.UTF-8',
  localeProvider: 'libc',
  sizeBytes: 1_000_000,
};

export const SUPERUSER: TargetFacts['role'] = {
  name: 'postgres',
  superuser: true,
  createDatabase: true,
  createRole: true,
  bypassRls: true,
  ownsDatabase: true,
  signalsOthers: true,
};

export function targetFacts(over: Partial<TargetFacts> = {}): TargetFacts {
  return {
    fingerprint: 'db.example.com/shop',
    server: { version: '17.6', major: 17, isStandby: false },
    database: SHOP,
    exists: true,
    objects: 0,
    examples: [],
    objectsBySchema: [],
    source: { fingerprint: 'f'.repeat(64), kind: 'system' },
    role: SUPERUSER,
    roles: ['postgres'],
    availableExtensions: [],
    maintenanceDatabase: 'postgres',
    databases: ['postgres', 'shop'],
    leftovers: [],
    madeByUs: false,
    otherSessions: 0,
    lastingSessions: [],
    preparedTransactions: 0,
    readOnly: { target: false, maintenance: false },
    icu: true,
    ...over,
  };
}
