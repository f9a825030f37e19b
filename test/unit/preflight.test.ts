import { describe, expect, test } from 'vitest';
import {
  adviseOnce,
  assessDestinations,
  assessPreflight,
  assessServerVersion,
  type DestinationFacts,
  errorCodeOf,
  type PreflightChoices,
  type PreflightFacts,
  preflightError,
} from '../../src/domain/preflight.ts';
import { NO_SIGNS, recogniseProvider } from '../../src/domain/providers.ts';
import { type Scope, WHOLE } from '../../src/domain/scope.ts';

const FACTS: PreflightFacts = {
  server: { version: '17.10', major: 17, isStandby: false },
  database: 'shop',
  databaseBytes: 1e9,
  tablesInDatabase: 3,
  selectedTables: 3,
  misses: [],
  system: [],
  rights: {
    role: 'dumper',
    rowSecured: [],
    schemas: [],
    tables: [],
    sequences: [],
    largeObjects: { total: 0, unreadable: 0, sample: [] },
  },
  critical: [],
  hiding: [],
  unlogged: [],
  foreign: [],
  extensions: [],
  signs: NO_SIGNS,
  surroundings: { databaseSettings: 0, subscriptions: 0, logicalSlots: 0, bareUserMappings: 0 },
};

const CHOICES: PreflightChoices = {
  scope: WHOLE,
  address: { host: 'db.example.org', port: 5432, user: 'dumper', database: 'shop' },
  allowEmpty: false,
  allowEphemeral: false,
  hosted: true,
  destinations: [{ kind: 's3', location: 's3://bucket/prefix' }],
};

const table = (name: string) => ({ schema: 'public', name });

function assess(facts: Partial<PreflightFacts> = {}, choices: Partial<PreflightChoices> = {}) {
  return assessPreflight({ ...FACTS, ...facts }, { ...CHOICES, ...choices });
}

function withRights(part: Partial<PreflightFacts['rights']>, major = 17) {
  return assess({ rights: { ...FACTS.rights, ...part }, server: { ...FACTS.server, major } });
}

describe('the preflight', () => {
  test('finds nothing in a plain database', () => {
    expect(assess()).toEqual([]);
    expect(preflightError(assess())).toBeUndefined();
  });

  test('stops where the server hides damaged pages, because every check would agree with the rest', () => {
    const [finding] = assess({ hiding: ['zero_damaged_pages'] });
    expect(finding).toMatchObject({
      code: 'damage-hidden',
      severity: 'error',
      action: expect.stringContaining('RESET'),
    });
  });

  test('stops at row-level security and names tables and statement', () => {
    const [finding] = withRights({ rowSecured: [table('orders'), table('User')] });
    expect(finding).toMatchObject({
      code: 'row-level-security',
      severity: 'error',
      seen: expect.stringContaining('public.orders, public."User"'),
      action: expect.stringContaining('ALTER ROLE "dumper" BYPASSRLS;'),
    });
  });

  test('stops at what cannot be read, with the grant that this major knows', () => {
    const one = expect.stringMatching(/^Run `GRANT pg_read_all_data TO "dumper";`\. Where .* one by one\.$/);
    const missing = { schemas: ['Shop'], tables: [table('orders')], sequences: [table('orders_id_seq')] };
    expect(withRights(missing).map(({ code, action }) => [code, action])).toEqual([
      ['schema-not-usable', one],
      ['table-not-readable', one],
      ['sequence-not-readable', one],
    ]);
    expect(withRights(missing, 13).map(({ action }) => action)).toEqual([
      'Run `GRANT USAGE ON SCHEMA "Shop" TO "dumper";`.',
      'Run `GRANT SELECT ON ALL TABLES IN SCHEMA "public" TO "dumper";`.',
      'Run `GRANT SELECT ON ALL SEQUENCES IN SCHEMA "public" TO "dumper";`.',
    ]);
  });

  test('stops at large objects that cannot be read', () => {
    const [finding] = withRights({ largeObjects: { total: 9, unreadable: 7, sample: [11, 12] } });
    expect(finding).toMatchObject({
      code: 'large-object-not-readable',
      seen: expect.stringContaining('11, 12 and 5 more'),
    });
  });

  test('warns when the scope leaves large objects out', () => {
    const rights = { ...FACTS.rights, largeObjects: { total: 9, unreadable: 0, sample: [] } };
    const codes = (scope: Partial<Scope>) =>
      assess({ rights }, { scope: { ...WHOLE, ...scope } }).map(({ code }) => code);
    expect(codes({ schemas: ['public'] })).toEqual(['large-objects-left-out']);
    expect(codes({ tables: ['orders'] })).toEqual(['large-objects-left-out']);
    expect(codes({ excludeSchemas: ['audit'] })).toEqual([]);
    expect(codes({ schemas: ['public'], content: 'schema' })).toEqual([]);
  });

  test('refuses a database without tables unless that is allowed', () => {
    const empty = { tablesInDatabase: 0, selectedTables: 0 };
    const [finding] = assess(empty);
    expect(finding).toMatchObject({ code: 'no-tables', severity: 'error', seen: expect.stringContaining('`shop`') });
    expect(preflightError(assess(empty))?.code).toBe('ERR_EMPTY_DATABASE');
    expect(assess(empty, { allowEmpty: true })).toMatchObject([{ code: 'no-tables', severity: 'warning' }]);
    expect(assess({ selectedTables: 0 })).toMatchObject([
      { seen: expect.stringContaining('`shop` has 3 tables, but the scope selects none') },
    ]);
  });

  test('says what is meant when only the case or the search_path differs', () => {
    const miss = { input: 'tables', literal: true, outOfScope: false } as const;
    const [byCase] = assess({ misses: [{ ...miss, pattern: 'User', near: [table('User')] }] });
    expect(byCase).toMatchObject({
      code: 'pattern-without-match',
      severity: 'error',
      action: expect.stringContaining('Did you mean `public."User"`?'),
    });
    const [schema] = assess({
      misses: [{ ...miss, input: 'schemas', pattern: 'shop', near: [{ schema: 'Shop', name: '' }] }],
    });
    expect(schema?.action).toContain('Did you mean `"Shop"`?');
    const [scope] = assess({
      misses: [{ ...miss, input: 'critical-tables', pattern: 'orders', near: [], outOfScope: true }],
    });
    expect(scope?.seen).toContain('only tables that this backup leaves out');
  });

  test('lets a wildcard of an exclusion match nothing, and nothing else', () => {
    const miss = { pattern: 'x', near: [], outOfScope: false };
    const severity = (input: 'exclude-tables' | 'tables', literal: boolean) =>
      assess({ misses: [{ ...miss, input, literal }] })[0]?.severity;
    expect(severity('exclude-tables', false)).toBe('notice');
    expect(severity('exclude-tables', true)).toBe('error');
    expect(severity('tables', false)).toBe('error');
  });

  test('refuses a pattern that takes the system along', () => {
    const [finding] = assess({ system: [{ input: 'tables', pattern: '*', tables: [table('pg_class')] }] });
    expect(finding && errorCodeOf(finding)).toBe('ERR_PATTERN');
    expect(finding?.action).toContain('public.*');
  });

  test('mentions a standby, unlogged and foreign tables', () => {
    const facts = { unlogged: [table('cache')], foreign: [table('far')] };
    expect(assess(facts).map(({ code, severity }) => `${severity} ${code}`)).toEqual([
      'notice unlogged-tables',
      'notice foreign-tables',
    ]);
    const server = { ...FACTS.server, isStandby: true };
    expect(assess({ ...facts, server }).map(({ code, severity }) => `${severity} ${code}`)).toEqual([
      'warning unlogged-tables',
      'notice standby',
      'notice foreign-tables',
    ]);
  });

  test('refuses a server older than 13', () => {
    expect(assess({ server: { ...FACTS.server, major: 12 } })).toMatchObject([
      { code: 'server-too-old', severity: 'error' },
    ]);
    expect(assessServerVersion({ major: 9, version: '9.6.24' })).toMatchObject([
      { seen: expect.stringContaining('9.6.24') },
    ]);
    expect(assess({ server: { ...FACTS.server, major: 19 } })).toEqual([]);
  });

  test('warns of a server newer than all that it knows, and does not refuse it', () => {
    const findings = assess({ server: { ...FACTS.server, major: 20, version: '20.1' } });
    expect(findings).toMatchObject([
      {
        code: 'server-newer-than-known',
        severity: 'warning',
        seen: expect.stringContaining('Postgres 20.1'),
        action: expect.stringContaining('newer release of this action'),
      },
    ]);
    expect(preflightError(findings)).toBeUndefined();
  });

  test.each([
    ['timescaledb', 'notice', 'timescaledb_pre_restore()'],
    ['citus', 'warning', 'distribute the tables again'],
    ['supabase_vault', 'notice', 'root key'],
    ['pgsodium', 'notice', 'root key'],
    ['pg_cron', 'notice', 'cron.launch_active_jobs'],
  ])('says what a restore must do about %s', (extension, severity, action) => {
    expect(assess({ extensions: ['plpgsql', extension] })).toMatchObject([
      { code: 'extension-care', severity, action: expect.stringContaining(action) },
    ]);
  });

  test('says nothing of extensions that pg_dump brings along as they are, and of two with one care once', () => {
    expect(assess({ extensions: ['plpgsql', 'postgis', 'pg_partman', 'pg_stat_statements'] })).toEqual([]);
    expect(assess({ extensions: ['pgsodium', 'supabase_vault'] })).toHaveLength(1);
  });

  test('advises once on what a restore does not bring back by itself, in one notice', () => {
    const surroundings = { databaseSettings: 2, subscriptions: 1, logicalSlots: 1, bareUserMappings: 3 };
    const [finding, ...more] = adviseOnce({ ...FACTS, surroundings });
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ code: 'restored-by-hand', severity: 'notice' });
    expect(finding?.seen).toMatch(
      /: 2 settings of the database, 1 subscription, 1 logical replication slot, 3 user mappings whose/,
    );
    expect(finding?.action).toMatch(/^RESTORE\.md says .*ALTER SUBSCRIPTION … ENABLE.*set it again\.$/);
    expect(adviseOnce(FACTS)).toEqual([]);
    expect(adviseOnce({ ...FACTS, surroundings }, recogniseProvider('db.abc.supabase.co'))).toHaveLength(3);
  });

  test('refuses a directory of a hosted runner as the only destination', () => {
    const directory = { kind: 'directory', location: 'backups' } as const;
    const bucket = { kind: 's3', location: 's3://bucket' } as const;
    const of = (part: Partial<PreflightChoices>) =>
      assessDestinations({ ...CHOICES, destinations: [directory], ...part }, 0).map(({ severity }) => severity);
    expect(of({})).toEqual(['error']);
    expect(of({ allowEphemeral: true })).toEqual(['warning']);
    expect(of({ hosted: false })).toEqual([]);
    expect(of({ destinations: [directory, bucket] })).toEqual([]);
  });

  test('refuses a directory in which a backup cannot fit, and warns where it may not', () => {
    const of = (freeBytes: number, databaseBytes: number) =>
      assessDestinations(
        { destinations: [{ kind: 'directory', location: '/data', freeBytes }], hosted: false, allowEphemeral: false },
        databaseBytes,
      ).map(({ code }) => code);
    expect(of(10e6, 1e9)).toEqual(['no-space']);
    expect(of(100e6, 1e9)).toEqual(['little-space']);
    expect(of(600e6, 1e9)).toEqual([]);
    expect(of(1000, 0)).toEqual(['no-space']);
  });

  test('lets one of several destinations be full, and warns', () => {
    const full = { kind: 'directory' as const, location: '/data', freeBytes: 1000 };
    const of = (destinations: DestinationFacts[]) =>
      assessDestinations({ destinations, hosted: false, allowEphemeral: false }, 1e9).map(({ severity }) => severity);
    expect(of([full])).toEqual(['error']);
    expect(of([full, { kind: 's3', location: 's3://bucket' }])).toEqual(['warning']);
  });

  test('turns all errors into one, under the code of the first', () => {
    const findings = assess(
      { selectedTables: 0, tablesInDatabase: 0 },
      { address: { ...CHOICES.address, host: 'ep-a-pooler.x.neon.tech' } },
    );
    const error = preflightError(findings);
    expect(error?.code).toBe('ERR_POOLER');
    expect(error?.message).toMatch(/^2 things are in the way:\n- ep-a-pooler.*\n- The database/);
    expect(error?.hint).toContain('without `-pooler`');
  });
});
