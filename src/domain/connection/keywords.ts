/**
 * Every connection keyword that libpq of majors 13 to 18 knows, with its environment variable.
 * Source: `PQconndefaults()` of the six libraries.
 */

/** How a keyword reaches the libpq of a child process. */
export type Carrier =
  /** A line of the service file: a libpq that does not know the keyword refuses to connect. */
  | 'service'
  /** Its environment variable: a libpq that does not know it ignores it. Only where that costs no safety. */
  | 'environment'
  /** Handled by this action (the pass file, the chosen host): never handed on as it is. */
  | 'own'
  /** libpq itself has ignored it for years. */
  | 'ignored';

export interface Keyword {
  env?: string;
  carrier: Carrier;
  /** Its value must never be printed. */
  secret?: true;
}

export const KEYWORDS: Readonly<Record<string, Keyword>> = {
  host: { env: 'PGHOST', carrier: 'own' },
  hostaddr: { env: 'PGHOSTADDR', carrier: 'own' },
  port: { env: 'PGPORT', carrier: 'own' },
  user: { env: 'PGUSER', carrier: 'own' },
  dbname: { env: 'PGDATABASE', carrier: 'own' },
  password: { env: 'PGPASSWORD', carrier: 'own', secret: true },
  passfile: { env: 'PGPASSFILE', carrier: 'own' },
  service: { env: 'PGSERVICE', carrier: 'own' },
  replication: { carrier: 'own' },
  target_session_attrs: { env: 'PGTARGETSESSIONATTRS', carrier: 'own' },
  load_balance_hosts: { env: 'PGLOADBALANCEHOSTS', carrier: 'own' },
  authtype: { env: 'PGAUTHTYPE', carrier: 'ignored' },
  tty: { env: 'PGTTY', carrier: 'ignored' },
  application_name: { env: 'PGAPPNAME', carrier: 'service' },
  fallback_application_name: { carrier: 'service' },
  client_encoding: { env: 'PGCLIENTENCODING', carrier: 'service' },
  connect_timeout: { env: 'PGCONNECT_TIMEOUT', carrier: 'service' },
  options: { env: 'PGOPTIONS', carrier: 'service' },
  keepalives: { carrier: 'service' },
  keepalives_idle: { carrier: 'service' },
  keepalives_interval: { carrier: 'service' },
  keepalives_count: { carrier: 'service' },
  tcp_user_timeout: { carrier: 'service' },
  sslmode: { env: 'PGSSLMODE', carrier: 'service' },
  sslcompression: { env: 'PGSSLCOMPRESSION', carrier: 'service' },
  sslcert: { env: 'PGSSLCERT', carrier: 'service' },
  sslkey: { env: 'PGSSLKEY', carrier: 'service' },
  sslpassword: { carrier: 'service', secret: true },
  sslrootcert: { env: 'PGSSLROOTCERT', carrier: 'service' },
  sslcrl: { env: 'PGSSLCRL', carrier: 'service' },
  sslcrldir: { env: 'PGSSLCRLDIR', carrier: 'service' },
  sslsni: { env: 'PGSSLSNI', carrier: 'environment' },
  sslnegotiation: { env: 'PGSSLNEGOTIATION', carrier: 'environment' },
  sslcertmode: { env: 'PGSSLCERTMODE', carrier: 'service' },
  sslkeylogfile: { carrier: 'service' },
  ssl_min_protocol_version: { env: 'PGSSLMINPROTOCOLVERSION', carrier: 'service' },
  ssl_max_protocol_version: { env: 'PGSSLMAXPROTOCOLVERSION', carrier: 'service' },
  min_protocol_version: { env: 'PGMINPROTOCOLVERSION', carrier: 'service' },
  max_protocol_version: { env: 'PGMAXPROTOCOLVERSION', carrier: 'environment' },
  channel_binding: { env: 'PGCHANNELBINDING', carrier: 'service' },
  require_auth: { env: 'PGREQUIREAUTH', carrier: 'service' },
  requirepeer: { env: 'PGREQUIREPEER', carrier: 'service' },
  gssencmode: { env: 'PGGSSENCMODE', carrier: 'service' },
  gsslib: { env: 'PGGSSLIB', carrier: 'service' },
  gssdelegation: { env: 'PGGSSDELEGATION', carrier: 'environment' },
  krbsrvname: { env: 'PGKRBSRVNAME', carrier: 'service' },
  scram_client_key: { carrier: 'service', secret: true },
  scram_server_key: { carrier: 'service', secret: true },
  oauth_issuer: { carrier: 'service' },
  oauth_client_id: { carrier: 'service' },
  oauth_client_secret: { carrier: 'service', secret: true },
  oauth_scope: { carrier: 'service' },
};

/** `undefined` for anything that libpq does not know, `toString` included. */
export function keywordOf(name: string): Keyword | undefined {
  return Object.hasOwn(KEYWORDS, name) ? KEYWORDS[name] : undefined;
}

/** Values that libpq accepts where it accepts only some. */
export const ALLOWED_VALUES: Readonly<Record<string, readonly string[]>> = {
  sslmode: ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'],
  sslnegotiation: ['postgres', 'direct'],
  sslcertmode: ['disable', 'allow', 'require'],
  sslsni: ['0', '1'],
  channel_binding: ['disable', 'prefer', 'require'],
  gssencmode: ['disable', 'prefer', 'require'],
  target_session_attrs: ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'],
  load_balance_hosts: ['disable', 'random'],
  ssl_min_protocol_version: ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'],
  ssl_max_protocol_version: ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'],
};

/** Keywords whose value libpq reads as a whole number. */
export const INTEGER_KEYWORDS: readonly string[] = [
  'connect_timeout',
  'keepalives',
  'keepalives_idle',
  'keepalives_interval',
  'keepalives_count',
  'tcp_user_timeout',
];
