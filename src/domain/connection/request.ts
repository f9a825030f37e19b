/** What a connection string means once everything is resolved: the form in which it travels. */
import type { Finding } from '../findings.ts';

export type SslMode = 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';
export type TargetSession = 'any' | 'read-write' | 'read-only' | 'primary' | 'standby' | 'prefer-standby';

/** One server of the list, tried in order. */
export interface ConnectionHost {
  /** A name, an address, or the folder of a Unix socket (begins with `/`). Empty only beside a `hostaddr`. */
  host: string;
  /** Where to connect instead of resolving `host`. */
  hostaddr?: string;
  port: number;
  /** From the password file, which may hold another one for each host. The request's own password wins. */
  password?: string;
}

export interface ConnectionRequest {
  hosts: readonly [ConnectionHost, ...ConnectionHost[]];
  user: string;
  dbname: string;
  /** Absent or empty: the password file is looked at. */
  password?: string;
  /** The password file to look into; absent: `~/.pgpass`. */
  passfile?: string;
  sslmode: SslMode;
  sslnegotiation: 'postgres' | 'direct';
  /** A path, or `system` for the machine's own trusted roots. */
  sslrootcert?: string;
  sslcert?: string;
  sslkey?: string;
  channelBinding: 'disable' | 'prefer' | 'require';
  options?: string;
  /** Per attempt; absent when the user gave none, 0 for no limit. */
  connectTimeoutSeconds?: number;
  targetSessionAttrs: TargetSession;
  loadBalanceHosts: boolean;
  applicationName?: string;
  /**
   * Every libpq keyword that was given, by the text or by a PG* variable, verbatim: the typed fields above are
   * readings of it. Host, port, user, database and password are not in it.
   */
  settings: Readonly<Record<string, string>>;
  /** Variables that a child process and libpq's default files need: PATH, HOME, SSL_CERT_FILE… */
  environment: Readonly<Record<string, string>>;
  notices: Finding[];
  /** Every secret in its parsed and in its written form; see `secretForms`. */
  secrets: string[];
}

/** libpq's rule: a path, or an abstract name, is a Unix socket. */
export function isUnixSocket(host: ConnectionHost): boolean {
  return host.hostaddr === undefined && host.host.startsWith('/');
}

/** The password for one host, or `undefined` when there is none. */
export function passwordFor(request: ConnectionRequest, host: ConnectionHost): string | undefined {
  return request.password !== undefined && request.password !== '' ? request.password : host.password;
}

/** `host:port` for people; the folder of a Unix socket, brackets around an IPv6 address. */
export function displayHost(host: ConnectionHost): string {
  const name = host.host === '' ? (host.hostaddr ?? '') : host.host;
  return name.includes(':') ? `[${name}]:${host.port}` : `${name}:${host.port}`;
}
