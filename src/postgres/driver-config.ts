/** A connection in the terms of the `pg` driver, with libpq's meaning of TLS. */
import { isIP } from 'node:net';
import tls, { type ConnectionOptions, type PeerCertificate, type SecureVersion } from 'node:tls';
import type { ClientConfig } from 'pg';
import { type ConnectionHost, type ConnectionRequest, passwordFor, type TlsAttempt } from '../domain/connection.ts';
import type { TlsFiles } from './credentials.ts';
import { systemRoots } from './system-roots.ts';

/** First keepalive probe after this much silence. */
const KEEPALIVE_DELAY_MS = 30_000;
const FALLBACK_APPLICATION_NAME = 'db-backup-action';

/**
 * The configuration for one attempt on one host. Everything that `pg` would otherwise take from PG* variables or a
 * password file is set, so that the request alone decides.
 */
export function nodePgConfig(
  request: ConnectionRequest,
  host: ConnectionHost,
  files: TlsFiles,
  attempt: TlsAttempt,
  applicationName: string = FALLBACK_APPLICATION_NAME,
): ClientConfig {
  const { settings } = request;
  // A function, because `pg` reads PGPASSWORD and ~/.pgpass when the password is absent or empty.
  const password = () => passwordFor(request, host) ?? '';
  return {
    host: host.hostaddr ?? host.host,
    port: host.port,
    user: request.user,
    database: request.dbname,
    password,
    ssl: attempt.encrypted ? tlsOptions(request, host, files, attempt) : false,
    sslnegotiation: attempt.encrypted ? request.sslnegotiation : 'postgres',
    enableChannelBinding: attempt.encrypted && request.channelBinding !== 'disable',
    application_name: request.applicationName || settings.fallback_application_name || applicationName,
    keepAlive: settings.keepalives !== '0',
    keepAliveInitialDelayMillis: Number(settings.keepalives_idle ?? 0) * 1000 || KEEPALIVE_DELAY_MS,
    ...(request.options === undefined ? {} : { options: request.options }),
  };
}

function tlsOptions(
  request: ConnectionRequest,
  host: ConnectionHost,
  files: TlsFiles,
  attempt: TlsAttempt,
): ConnectionOptions {
  const { settings } = request;
  const name = host.host === '' ? (host.hostaddr ?? '') : host.host;
  const minVersion = tlsVersion(settings.ssl_min_protocol_version);
  const maxVersion = tlsVersion(settings.ssl_max_protocol_version);
  return {
    host: name,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    rejectUnauthorized: attempt.verify !== 'none',
    checkServerIdentity: (_, certificate) => (attempt.verify === 'full' ? checkIdentity(name, certificate) : undefined),
    ...(files.ca === undefined ? {} : { ca: files.ca === 'system' ? systemRoots() : files.ca }),
    ...(files.cert === undefined ? {} : { cert: files.cert }),
    ...(files.key === undefined ? {} : { key: files.key }),
    ...(files.crl === undefined ? {} : { crl: files.crl }),
    ...(settings.sslpassword === undefined ? {} : { passphrase: settings.sslpassword }),
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
  };
}

/** Like libpq, and unlike Node, an address may stand in the common name when the certificate names no other. */
function checkIdentity(name: string, certificate: PeerCertificate): Error | undefined {
  const commonName = certificate.subject?.CN;
  if (isIP(name) !== 0 && certificate.subjectaltname === undefined && commonName === name) return undefined;
  return tls.checkServerIdentity(name, certificate);
}

const TLS_VERSIONS: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

function tlsVersion(setting: string | undefined): SecureVersion | undefined {
  return TLS_VERSIONS.find((version) => version.toLowerCase() === setting?.toLowerCase());
}
