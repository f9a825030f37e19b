import { describe, expect, it } from 'vitest';
import {
  authenticationFault,
  classifyConnectError,
  parseConnection,
  tlsAttempts,
} from '../../src/domain/connection.ts';

const failed = (message: string, code?: string) =>
  Object.assign(new Error(message), code === undefined ? {} : { code });

describe('a failed connection', () => {
  it.each([
    ['password authentication failed for user "u"', '28P01', 'ERR_AUTH'],
    ['no pg_hba.conf entry for host "::1", user "u", database "d", no encryption', '28000', 'ERR_AUTH'],
    ['database "x" does not exist', '3D000', 'ERR_DATABASE_MISSING'],
    ['permission denied for database "x"', '42501', 'ERR_AUTH'],
    ['Tenant or user not found', 'XX000', 'ERR_AUTH'],
    ['unsupported startup parameter: options', '08P01', 'ERR_POOLER'],
    ['getaddrinfo ENOTFOUND nowhere', 'ENOTFOUND', 'ERR_CONNECT'],
    ['connect ENETUNREACH ::1:5432', 'ENETUNREACH', 'ERR_CONNECT'],
    ['The server does not support SSL connections', undefined, 'ERR_TLS'],
    ['self-signed certificate', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'ERR_TLS'],
    ['unable to verify', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'ERR_TLS'],
    ["Hostname/IP does not match certificate's altnames", 'ERR_TLS_CERT_ALTNAME_INVALID', 'ERR_TLS'],
    ['certificate has expired', 'CERT_HAS_EXPIRED', 'ERR_TLS'],
    ['wrong version number', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_TLS'],
    ['SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a non-empty string', undefined, 'ERR_AUTH'],
  ])('is final at once: %s', (message, code, expected) => {
    const failure = classifyConnectError(failed(message, code));
    expect(failure).toMatchObject({ code: expected, retry: false });
    expect(failure.hint).not.toBe('');
  });

  it.each([
    ['connect ECONNREFUSED', 'ECONNREFUSED'],
    ['read ECONNRESET', 'ECONNRESET'],
    ['write EPIPE', 'EPIPE'],
    ['connect ETIMEDOUT', 'ETIMEDOUT'],
    ['getaddrinfo EAI_AGAIN h', 'EAI_AGAIN'],
    ['the database system is starting up', '57P03'],
    ['terminating connection due to administrator command', '57P01'],
    ['sorry, too many clients already', '53300'],
    ["Couldn't connect to compute node", 'XX000'],
    ['timeout expired', undefined],
    ['Connection terminated unexpectedly', undefined],
  ])('may pass: %s', (message, code) => {
    expect(classifyConnectError(failed(message, code))).toMatchObject({ code: 'ERR_CONNECT', retry: true });
  });

  it('of a host with several addresses may pass when one of them may', () => {
    const error = new AggregateError([failed('', 'ENETUNREACH'), failed('', 'ECONNREFUSED')]);
    expect(classifyConnectError(error).retry).toBe(true);
    expect(classifyConnectError(new AggregateError([failed('', 'ENETUNREACH')])).retry).toBe(false);
  });

  it('of an unknown kind is final and says what was said', () => {
    expect(classifyConnectError('odd')).toMatchObject({ code: 'ERR_CONNECT', reason: 'odd', retry: false });
  });
});

describe('sslmode', () => {
  const attempts = (text: string, hasRoot = false) => {
    const request = parseConnection(`host=h user=u ${text}`, {});
    return tlsAttempts(request, request.hosts[0], hasRoot).map(({ encrypted, verify }) =>
      encrypted ? verify : 'plain',
    );
  };

  it.each([
    ['sslmode=disable', ['plain']],
    ['sslmode=allow', ['plain', 'none']],
    ['sslmode=prefer', ['none', 'plain']],
    ['', ['none', 'plain']],
    ['sslmode=require', ['none']],
    ['sslmode=verify-ca', ['ca']],
    ['sslmode=verify-full', ['full']],
  ])('%s means what it means to libpq', (text, expected) => {
    expect(attempts(text)).toEqual(expected);
  });

  it('verifies the chain in every mode once there is a root certificate', () => {
    expect(attempts('sslmode=require', true)).toEqual(['ca']);
    expect(attempts('sslmode=prefer', true)).toEqual(['ca', 'plain']);
    expect(attempts('sslmode=verify-full', true)).toEqual(['full']);
  });

  it('does not apply to Unix sockets', () => {
    expect(attempts('host=/tmp sslmode=require')).toEqual(['plain']);
  });
});

describe('what the server may ask for', () => {
  const fault = (text: string, method: Parameters<typeof authenticationFault>[1], bound = false) =>
    authenticationFault(parseConnection(`host=h user=u ${text}`, {}), method, bound);

  it('is anything by default', () => {
    expect(fault('', 'password')).toBeUndefined();
  });

  it('is bound to the TLS channel with channel_binding=require', () => {
    expect(fault('channel_binding=require', 'scram-sha-256')).toContain('channel_binding');
    expect(fault('channel_binding=require', 'none')).toContain('channel_binding');
    expect(fault('channel_binding=require', 'scram-sha-256', true)).toBeUndefined();
  });

  it('is what require_auth lists, or does not exclude', () => {
    expect(fault('require_auth=scram-sha-256', 'md5')).toContain('md5');
    expect(fault('require_auth=scram-sha-256,none', 'none')).toBeUndefined();
    expect(fault('require_auth=!password,!md5', 'password')).toContain('password');
    expect(fault('require_auth=!password,!md5', 'scram-sha-256')).toBeUndefined();
  });
});
