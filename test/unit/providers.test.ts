import { describe, expect, test } from 'vitest';
import { OWN_SERVER } from '../../src/domain/providers/own-server.ts';
import { PROVIDERS } from '../../src/domain/providers/table.ts';
import { NO_SIGNS, providerAdvice, recogniseProvider, type ServerSigns, wordsOf } from '../../src/domain/providers.ts';

describe('What is known of providers', () => {
  test('is there for each that the documents promise, with its source', () => {
    const told = PROVIDERS.filter(({ words }) => words !== undefined).map(({ id }) => id);
    expect(told.sort()).toEqual([
      ...['aiven', 'aurora', 'azure', 'cloud-sql', 'crunchy-bridge', 'digitalocean', 'fly', 'heroku', 'neon'],
      ...['railway', 'rds', 'render', 'supabase', 'timescale', 'vercel'],
    ]);
    for (const { words, id } of PROVIDERS) {
      expect(words?.source ?? 'https://none.example/x', id).toMatch(/^https:\/\/[\w.-]+\/\S+$/);
    }
    expect(wordsOf(undefined)).toBe(OWN_SERVER);
    expect(wordsOf('prisma')).toBeUndefined();
  });

  test('says of each how to connect, what may be installed, what to restore by, and what is there besides', () => {
    const { pointInTime: own, ...others } = OWN_SERVER;
    for (const { words, id } of PROVIDERS) {
      if (words === undefined) continue;
      for (const name of Object.keys(others) as (keyof typeof others)[])
        expect(words[name], `${id} ${name}`).not.toBe('');
      for (const name of Object.keys(own) as (keyof typeof own)[])
        expect(words.pointInTime[name], `${id} ${name}`).not.toBe('');
    }
  });

  test('knows every role by which a provider is recognised as one of its own', () => {
    for (const { signs, managed, id } of PROVIDERS)
      expect(managed?.roles ?? [], id).toEqual(expect.arrayContaining([...(signs.roles ?? [])]));
  });

  test('is one entry for each', () => {
    expect(new Set(PROVIDERS.map(({ id }) => id)).size).toBe(PROVIDERS.length);
  });
});

describe('a provider', () => {
  test.each([
    ['db.abcdefghijklmnopqrst.supabase.co', 'supabase'],
    ['aws-1-eu-central-1.pooler.supabase.com', 'supabase'],
    ['ep-cool-dawn-1.us-east-2.aws.neon.tech', 'neon'],
    ['EP-COOL-DAWN-1.US-EAST-2.AWS.NEON.TECH.', 'neon'],
    ['ep-cool-dawn-1.us-east-1.postgres.vercel-storage.com', 'vercel'],
    ['dpg-abc123-a.frankfurt-postgres.render.com', 'render'],
    ['shop.c0ffee.eu-west-1.rds.amazonaws.com', 'rds'],
    ['shop.c0ffee.cn-north-1.rds.amazonaws.com.cn', 'rds'],
    ['shop.cluster-c0ffee.eu-west-1.rds.amazonaws.com', 'aurora'],
    ['shop.cluster-ro-c0ffee.eu-west-1.rds.amazonaws.com', 'aurora'],
    ['roundhouse.proxy.rlwy.net', 'railway'],
    ['ec2-3-210-10-1.compute-1.amazonaws.com', 'heroku'],
    ['ec2-3-210-10-1.eu-west-1.compute.amazonaws.com', 'heroku'],
    ['db-pg-fra1-1-do-user-1-0.b.db.ondigitalocean.com', 'digitalocean'],
    ['shop.postgres.database.azure.com', 'azure'],
    ['/cloudsql/acme:europe-west1:shop', 'cloud-sql'],
    ['direct.abc.flympg.net', 'fly'],
    ['abc-useast1-1.horizon.psdb.cloud', 'planetscale'],
    ['db.prisma.io', 'prisma'],
    ['p.abcdefgh.db.postgresbridge.com', 'crunchy-bridge'],
    ['shop-acme.a.aivencloud.com', 'aiven'],
    ['abc123.xyz.tsdb.cloud.timescale.com', 'timescale'],
  ])('is known by the host %s', (host, id) => {
    expect(recogniseProvider(host)).toMatchObject({ id, evidence: 'its host name' });
  });

  test.each([
    ['roles', 'supabase_admin', 'supabase'],
    ['settings', 'neon.project_id', 'neon'],
    ['roles', 'neon_superuser', 'neon'],
    ['settings', 'rds.extensions', 'rds'],
    ['roles', 'rdsadmin', 'rds'],
    ['functions', 'aurora_version', 'aurora'],
    ['settings', 'cloudsql.iam_authentication', 'cloud-sql'],
    ['roles', 'cloudsqlsuperuser', 'cloud-sql'],
    ['settings', 'azure.extensions', 'azure'],
    ['roles', 'azure_pg_admin', 'azure'],
    ['roles', 'doadmin', 'digitalocean'],
    ['schemas', '_heroku', 'heroku'],
    ['roles', 'avnadmin', 'aiven'],
    ['roles', 'tsdbadmin', 'timescale'],
  ] as const)('is known behind any host by what the server says: %s with %s', (kind, sign, id) => {
    const signs: ServerSigns = { ...NO_SIGNS, [kind]: [sign] };
    expect(recogniseProvider('10.0.0.5', signs)).toMatchObject({ id, evidence: expect.stringContaining(sign) });
  });

  test('that stands on another one is told apart from it', () => {
    const signs: ServerSigns = { ...NO_SIGNS, roles: ['rdsadmin'], settings: ['rds.extensions'] };
    const aurora = { ...signs, functions: ['aurora_version'] };
    expect(recogniseProvider('10.0.0.5', aurora)?.id).toBe('aurora');
    const heroku = { ...aurora, schemas: ['_heroku'] };
    expect(recogniseProvider('x.cluster-c0ffee.us-east-1.rds.amazonaws.com', heroku)?.id).toBe('heroku');
    const neon = { ...NO_SIGNS, roles: ['neon_superuser'] };
    expect(recogniseProvider('ep-a.us-east-1.postgres.vercel-storage.com', neon)?.id).toBe('vercel');
  });

  test.each(['localhost', 'db.example.org', 'postgres', '/var/run/postgresql', 'supabase.co.evil.example', ''])(
    'is nobody at %s',
    (host) => {
      expect(recogniseProvider(host)).toBeUndefined();
    },
  );

  test('gives at most two pieces of advice, notices all', () => {
    for (const host of ['db.abc.supabase.co', 'ep-a.eu.aws.neon.tech', 'a.b.c.rds.amazonaws.com', 'db.prisma.io']) {
      const provider = recogniseProvider(host);
      if (provider === undefined) throw new Error(host);
      const findings = providerAdvice(provider);
      expect(findings.length).toBeLessThanOrEqual(2);
      expect(findings.every(({ severity }) => severity === 'notice')).toBe(true);
    }
  });
});
