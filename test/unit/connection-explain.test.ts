import { describe, expect, test } from 'vitest';
import { explainConnectError } from '../../src/domain/connection.ts';

const failed = (code: string, address = '', message = `connect ${code}`) =>
  Object.assign(new Error(message), { code, ...(address === '' ? {} : { address }) });
const at = (host: string, user = 'postgres') => ({ host, user });

const V6 = '2a05:d014::5';
const REFERENCE = 'abcdefghijklmnopqrst';
const SUPABASE = `db.${REFERENCE}.supabase.co`;

describe('a host that has IPv6 addresses only', () => {
  test.each(['ENETUNREACH', 'EADDRNOTAVAIL', 'EHOSTUNREACH', 'EAFNOSUPPORT'])(
    'is told as such when this machine has no way to it: %s',
    (code) => {
      const failure = explainConnectError(failed(code, V6), at('db.example.org'));
      expect(failure).toMatchObject({ code: 'ERR_CONNECT', reason: expect.stringContaining('no IPv4 address') });
      expect(failure.hint).toContain('IPv4');
    },
  );

  test('is told so when all of several addresses fail so, and not when one is of IPv4', () => {
    const both = (other: string) => new AggregateError([failed('ENETUNREACH', V6), failed('ENETUNREACH', other)]);
    expect(explainConnectError(both('2a05:d014::6'), at('h')).reason).toContain('no IPv4 address');
    expect(explainConnectError(both('192.0.2.1'), at('h')).reason).toBe('there is no route to the host');
  });

  test('of Supabase is answered with the session pooler: its user, port, and where its region is to be had', () => {
    const { hint } = explainConnectError(failed('ENETUNREACH', V6), at(SUPABASE));
    expect(hint).toContain(
      `postgresql://postgres.${REFERENCE}:PASSWORD@aws-N-REGION.pooler.supabase.com:5432/postgres`,
    );
    expect(hint).toContain('Connect, "Session pooler"');
    const kept = explainConnectError(failed('ENETUNREACH', V6), at(SUPABASE, `postgres.${REFERENCE}`)).hint;
    expect(kept).toContain(`//postgres.${REFERENCE}:PASSWORD@`);
  });

  test('may also be one that the name server does not know without IPv6, or a paused project', () => {
    const { hint } = explainConnectError(failed('ENOTFOUND'), at(SUPABASE));
    expect(hint).toMatch(/gives no IPv6 addresses.*paused or deleted.*pooler\.supabase\.com:5432/);
    expect(explainConnectError(failed('ENOTFOUND'), at('db.example.org')).hint).toContain('spelling');
  });
});

describe('a host that answers inside its provider’s network only', () => {
  test.each([
    ['postgres.railway.internal', 'DATABASE_PUBLIC_URL'],
    ['dpg-abc123def456-a', 'External Database URL'],
    ['direct.abc.flympg.net', 'fly mpg proxy'],
  ])('%s', (host, advice) => {
    expect(explainConnectError(failed('ENOTFOUND'), at(host)).hint).toContain(advice);
  });

  test('is not every private name', () => {
    expect(explainConnectError(failed('ENOTFOUND'), at('db.corp.internal')).hint).not.toMatch(/Fly|Railway/);
  });
});

describe('a host that keeps silent', () => {
  test.each([
    ['db-1.db.ondigitalocean.com', 'trusted sources'],
    ['shop.c0ffee.eu-west-1.rds.amazonaws.com', 'security group'],
    ['shop.postgres.database.azure.com', 'firewall rule'],
  ])('is most often one that does not admit the runner: %s', (host, advice) => {
    const failure = explainConnectError(failed('ETIMEDOUT'), at(host));
    expect(failure).toMatchObject({ retry: true, hint: expect.stringContaining(advice) });
  });

  test('is told by pg_hba.conf on Azure', () => {
    const refused = failed('28000', '', 'no pg_hba.conf entry for host "192.0.2.1", user "u", database "d", SSL on');
    expect(explainConnectError(refused, at('shop.postgres.database.azure.com')).hint).toContain('firewall rule');
    expect(explainConnectError(refused, at('db.example.org')).hint).not.toContain('firewall rule');
  });
});

describe('a certificate that is not trusted', () => {
  const untrusted = failed('SELF_SIGNED_CERT_IN_CHAIN', '', 'self-signed certificate in certificate chain');

  test.each([
    [SUPABASE, 'SSL Configuration'],
    ['shop.c0ffee.eu-west-1.rds.amazonaws.com', 'global-bundle.pem'],
    ['db-1.db.ondigitalocean.com', 'CA certificate'],
    ['ep-a.eu-central-1.aws.neon.tech', 'sslrootcert=system'],
  ])('is answered with where the authority of %s is to be had', (host, advice) => {
    expect(explainConnectError(untrusted, at(host))).toMatchObject({
      code: 'ERR_TLS',
      retry: false,
      hint: expect.stringContaining(advice),
    });
  });

  test('of an unknown host is answered in general', () => {
    expect(explainConnectError(untrusted, at('db.example.org')).hint).toMatch(/sslrootcert=\/path.*sslrootcert=system/);
  });
});
