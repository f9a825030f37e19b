import { describe, expect, test } from 'vitest';
import { compareSource, providerProject, sourceFingerprint } from '../../src/domain/fingerprint.ts';

const DIRECT = { systemIdentifier: '7710558331669842759', database: 'postgres', host: 'db', port: 5432, user: 'app' };
const { systemIdentifier: _, ...ADDRESS } = DIRECT;

describe('the fingerprint of a source', () => {
  test('stays the same across host, port and user where the system identifier is known', () => {
    const elsewhere = sourceFingerprint({ ...DIRECT, host: '10.0.0.7', port: 6000, user: 'other' });
    expect(compareSource(sourceFingerprint(DIRECT), elsewhere)).toBe('same');
    expect(elsewhere.kind).toBe('system');
    expect(elsewhere.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  });

  test.each([
    ['another cluster', { systemIdentifier: '7710558331669842760' }],
    ['another database of the cluster', { database: 'shop' }],
    ['a Neon branch that shares the identifier', { host: 'ep-cool-dawn-1234.eu-central-1.aws.neon.tech' }],
  ])('tells %s apart', (_name, part) => {
    expect(compareSource(sourceFingerprint(DIRECT), sourceFingerprint({ ...DIRECT, ...part }))).toBe('different');
  });

  test('two Supabase projects cloned from one image differ, one project by two roads does not', () => {
    const direct = { ...DIRECT, host: 'db.abcdefghijklmnopqrst.supabase.co', user: 'postgres' };
    const pooled = {
      ...DIRECT,
      host: 'aws-0-eu-central-1.pooler.supabase.com',
      user: 'postgres.abcdefghijklmnopqrst',
    };
    const other = { ...pooled, user: 'postgres.zyxwvutsrqponmlkjihg' };
    expect(compareSource(sourceFingerprint(direct), sourceFingerprint(pooled))).toBe('same');
    expect(compareSource(sourceFingerprint(other), sourceFingerprint(pooled))).toBe('different');
  });

  test('without a system identifier it is the address, or the project that the address shows', () => {
    const here = sourceFingerprint(ADDRESS);
    expect(here.kind).toBe('address');
    expect(compareSource(here, sourceFingerprint({ ...ADDRESS, host: 'DB', user: 'other' }))).toBe('same');
    expect(compareSource(here, sourceFingerprint({ ...ADDRESS, port: 5433 }))).toBe('different');
    const neon = { ...ADDRESS, host: 'ep-cool-dawn-1234.eu-central-1.aws.neon.tech' };
    const pooler = { ...neon, host: 'ep-cool-dawn-1234-pooler.eu-central-1.aws.neon.tech', port: 6543 };
    expect(compareSource(sourceFingerprint(neon), sourceFingerprint(pooler))).toBe('same');
  });

  test('cannot tell when one knows the system and the other only the address', () => {
    expect(compareSource(sourceFingerprint(DIRECT), sourceFingerprint(ADDRESS))).toBe('cannot-tell');
  });

  test('parts cannot be shifted into one another', () => {
    const left = sourceFingerprint({ ...ADDRESS, host: 'a', database: '5432' });
    const right = sourceFingerprint({ ...ADDRESS, host: 'a\n5432', database: '' });
    expect(left.fingerprint).not.toBe(right.fingerprint);
  });

  test('names the provider project from host and user', () => {
    expect(providerProject('shop.cluster-ro-abc123.eu-west-1.rds.amazonaws.com', 'x')).toBe('rds:shop.eu-west-1');
    expect(providerProject('shop.cluster-abc123.eu-west-1.rds.amazonaws.com', 'x')).toBe('rds:shop.eu-west-1');
    expect(providerProject('staging.abc123.eu-west-1.rds.amazonaws.com', 'x')).toBe('rds:staging.eu-west-1');
    expect(providerProject('db.example.org', 'postgres.abcdefghijklmnopqrst')).toBeUndefined();
  });
});
