/** One connection in libpq's own terms: a service file, a pass file and an environment without any secret. */
import { KEYWORDS } from './keywords.ts';
import { escapePassField } from './pass-file.ts';
import { type ConnectionHost, type ConnectionRequest, isUnixSocket, passwordFor } from './request.ts';

/** The only entry of our service file. */
export const SERVICE_NAME = 'backup';

/** libpq 13 refuses lines of more than 254 bytes with the line break, 14 to 18 of more than 1022 (measured). */
const MAX_LINE_BYTES = 253;
const MAX_LINE_BYTES_SINCE_14 = 1021;

/** A connection that has gone silent is given up after about a minute instead of the kernel's two hours. */
const KEEPALIVES = {
  keepalives_idle: '30',
  keepalives_interval: '10',
  keepalives_count: '3',
  tcp_user_timeout: '60000',
};
const CONNECT_TIMEOUT_SECONDS = '30';

/**
 * Whether a service file can say it. libpq keeps leading spaces, `#`, quotes and backslashes of a value as they are,
 * cuts white space at its end and knows no line breaks (measured with 13 to 18).
 */
export function isExpressibleLine(key: string, value: string, maxBytes = MAX_LINE_BYTES_SINCE_14): boolean {
  return !/[\r\n]|[ \t\v\f]$/.test(value) && new TextEncoder().encode(`${key}=${value}`).length <= maxBytes;
}

/**
 * The service file for one host of the request, to be written with mode 0600. It never holds the password of the
 * database, but it does hold `sslpassword`. Values that it cannot express travel in {@link libpqEnvironment}.
 */
export function libpqServiceFile(request: ConnectionRequest, host: ConnectionHost): string {
  const lines = [...libpqSettings(request, host)]
    .filter(([key, value]) => carrierOf(key, value) === 'service')
    .map(([key, value]) => `${key}=${value}`);
  return `[${SERVICE_NAME}]\n${lines.join('\n')}\n`;
}

/** One line that matches every host, user and database; empty without a password. To be written with mode 0600. */
export function libpqPassFile(request: ConnectionRequest, host: ConnectionHost): string {
  const password = passwordFor(request, host);
  return password === undefined || password === '' ? '' : `*:*:*:*:${escapePassField(password)}\n`;
}

/** The whole environment of a child process: paths of the two files, never the password. */
export function libpqEnvironment(
  request: ConnectionRequest,
  host: ConnectionHost,
  files: { serviceFile: string; passFile: string },
): Record<string, string> {
  const environment: Record<string, string> = {
    ...request.environment,
    LC_ALL: 'C.UTF-8',
    PGSERVICEFILE: files.serviceFile,
    PGSERVICE: SERVICE_NAME,
    PGPASSFILE: files.passFile,
  };
  for (const [key, value] of libpqSettings(request, host)) {
    const variable = KEYWORDS[key]?.env;
    if (variable !== undefined && carrierOf(key, value) === 'environment') environment[variable] = value;
  }
  return environment;
}

/** The host is chosen already, so what chooses among hosts is left out. */
function libpqSettings(request: ConnectionRequest, host: ConnectionHost): Map<string, string> {
  const settings = new Map<string, string>();
  if (host.host !== '') settings.set('host', host.host);
  if (host.hostaddr !== undefined) settings.set('hostaddr', host.hostaddr);
  settings.set('port', String(host.port));
  settings.set('user', request.user);
  settings.set('dbname', request.dbname);
  settings.set('connect_timeout', CONNECT_TIMEOUT_SECONDS);
  const givenKeepalives = Object.keys(request.settings).some((key) => /^keepalives|^tcp_user_timeout$/.test(key));
  if (!givenKeepalives && !isUnixSocket(host)) {
    for (const [key, value] of Object.entries(KEEPALIVES)) settings.set(key, value);
  }
  for (const [key, value] of Object.entries(request.settings)) {
    const carrier = KEYWORDS[key]?.carrier;
    if (carrier === 'service' || carrier === 'environment') settings.set(key, value);
  }
  settings.set('sslmode', request.sslmode);
  return settings;
}

function carrierOf(key: string, value: string): 'service' | 'environment' {
  const keyword = KEYWORDS[key];
  if (keyword?.carrier === 'environment') return 'environment';
  const mustBeLine = keyword?.env === undefined;
  return mustBeLine || isExpressibleLine(key, value, MAX_LINE_BYTES) ? 'service' : 'environment';
}
