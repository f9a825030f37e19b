/** What `sslrootcert=system` means here. */
import tls from 'node:tls';

/**
 * PEM certificates: the roots that OpenSSL finds (SSL_CERT_FILE, SSL_CERT_DIR, the distribution's); Node's own where
 * there are none.
 */
export function systemRoots(): string[] {
  const system = tls.getCACertificates('system');
  return system.length > 0 ? system : tls.getCACertificates('bundled');
}
