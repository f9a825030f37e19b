import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { assessPooler, isCertainPooler } from '../../src/domain/poolers.ts';

const at = (host: string, port = 5432) => ({ host, port, user: 'postgres', database: 'postgres' });

describe('a pooler', () => {
  test.each([
    ['aws-0-eu-central-1.pooler.supabase.com', 6543, 'aws-0-eu-central-1.pooler.supabase.com:5432'],
    ['db.abcdefghijklmnopqrst.supabase.co', 6543, 'db.abcdefghijklmnopqrst.supabase.co:5432'],
    ['ep-cool-dawn-1-pooler.us-east-2.aws.neon.tech', 5432, 'ep-cool-dawn-1.us-east-2.aws.neon.tech:5432'],
    ['EP-COOL-DAWN-1-POOLER.us-east-2.aws.neon.tech', 5432, 'without `-pooler`'],
    ['shop-pooler.internal.example.org', 5432, 'shop.internal.example.org:5432'],
    ['app.proxy-c0ffee.eu-west-1.rds.amazonaws.com', 5432, 'endpoint of the instance'],
    ['db-1.db.ondigitalocean.com', 25061, 'db-1.db.ondigitalocean.com:25060'],
    ['app.endpoint.proxy-c0ffee.us-gov-west-1.rds.amazonaws.com', 5432, 'endpoint of the instance'],
    ['ep-cool-dawn-1-pooler.us-east-1.postgres.vercel-storage.com', 5432, 'ep-cool-dawn-1.us-east-1'],
    ['shop.postgres.database.azure.com', 6432, 'shop.postgres.database.azure.com:5432'],
    ['shop.postgres.database.azure.com', 8432, 'shop.postgres.database.azure.com:5432'],
    ['c-shop.123.postgres.cosmos.azure.com', 6432, 'c-shop.123.postgres.cosmos.azure.com:5432'],
    ['abc-useast1-1.horizon.psdb.cloud', 6432, 'abc-useast1-1.horizon.psdb.cloud:5432'],
    ['pooled.db.prisma.io', 5432, 'db.prisma.io:5432'],
    ['pgbouncer.abc.flympg.net', 5432, 'direct.abc.flympg.net:5432'],
  ])('is certain at %s:%i and the other URL is named', (host, port, instead) => {
    expect(isCertainPooler(at(host, port))).toBe(true);
    expect(assessPooler(at(host, port), { kind: 'direct', how: '' })).toMatchObject({
      code: 'transaction-pooler',
      severity: 'error',
      action: expect.stringContaining(instead),
    });
  });

  test.each([6432, 6543, 25061])('is likely on port %i, unless the session proves to be direct', (port) => {
    const address = at('db.example.org', port);
    expect(isCertainPooler(address)).toBe(false);
    expect(assessPooler(address)?.severity).toBe('error');
    expect(assessPooler(address, { kind: 'session', how: '' })?.severity).toBe('error');
    expect(assessPooler(address, { kind: 'direct', how: '' })).toBeUndefined();
  });

  test.each(['README.md', 'docs/providers.md', 'docs/setup/own-server.md'])(
    'in session mode is refused on the ports that %s names, and on no other',
    (document) => {
      const [words = ''] = /[^\n]*6432, 6543 (and|or) 25061[^\n]*/.exec(readFileSync(document, 'utf8')) ?? [];
      const named = [...words.matchAll(/\b\d{4,5}\b/g)].map(([port]) => Number(port));
      const ports = Array.from({ length: 65_535 }, (_, index) => index + 1);
      const session = { kind: 'session', how: '' } as const;
      expect(ports.filter((port) => assessPooler(at('db.example.org', port), session) !== undefined)).toEqual(named);
    },
  );

  test('is likely on the port that Crunchy Bridge has for it, and the usual one is named', () => {
    const address = at('p.abc.db.postgresbridge.com', 5431);
    expect(assessPooler(address, { kind: 'session', how: '' })?.action).toContain('p.abc.db.postgresbridge.com:5432');
    expect(assessPooler(address, { kind: 'direct', how: '' })).toBeUndefined();
    expect(assessPooler(at('p.abc.db.postgresbridge.com'))).toBeUndefined();
  });

  test('is found by behaviour where the address looks innocent', () => {
    const finding = assessPooler(at('db.example.org'), { kind: 'transaction', how: 'sessions shared a process' });
    expect(finding).toMatchObject({ code: 'transaction-pooler', seen: expect.stringContaining('sessions shared') });
    expect(assessPooler(at('db.example.org'), { kind: 'session', how: '' })).toBeUndefined();
  });

  test.each([
    'db.abcdefghijklmnopqrst.supabase.co',
    'aws-0-eu-central-1.pooler.supabase.com',
    'ep-cool-dawn-1.us-east-2.aws.neon.tech',
    'shop.c0ffee.eu-west-1.rds.amazonaws.com',
    'direct.abc.flympg.net',
    'shop.postgres.database.azure.com',
    'abc-useast1-1.horizon.psdb.cloud',
    'db.prisma.io',
    'localhost',
  ])('is not %s on the usual port', (host) => {
    expect(assessPooler(at(host))).toBeUndefined();
  });
});
