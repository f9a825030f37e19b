/** libpq's meaning of `sslmode`: which ways of connecting are tried, in which order, and what is verified. */
import { type ConnectionHost, type ConnectionRequest, isUnixSocket } from './request.ts';

export interface TlsAttempt {
  encrypted: boolean;
  /** `ca`: the certificate's chain; `full`: its name as well. Only with `encrypted`. */
  verify: 'none' | 'ca' | 'full';
}

/**
 * The attempts for one host. `allow` and `prefer` have two; the second is made only after a refusal that another
 * kind of connection could change. With a root certificate at hand libpq verifies the chain in every mode, so that
 * `require` acts like `verify-ca`. There is no TLS over Unix sockets, whatever the mode.
 */
export function tlsAttempts(
  request: Pick<ConnectionRequest, 'sslmode'>,
  host: ConnectionHost,
  hasRootCertificate: boolean,
): readonly [TlsAttempt, ...TlsAttempt[]] {
  const plain: TlsAttempt = { encrypted: false, verify: 'none' };
  if (isUnixSocket(host) || request.sslmode === 'disable') return [plain];
  const chain = hasRootCertificate || request.sslmode === 'verify-ca';
  const verify = request.sslmode === 'verify-full' ? 'full' : chain ? 'ca' : 'none';
  const encrypted: TlsAttempt = { encrypted: true, verify };
  if (request.sslmode === 'allow') return [plain, encrypted];
  if (request.sslmode === 'prefer') return [encrypted, plain];
  return [encrypted];
}
