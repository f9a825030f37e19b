/** libpq's password file, `~/.pgpass`: `host:port:database:user:password` a line. */

export interface PassEntry {
  host: string;
  port: string;
  dbname: string;
  user: string;
  password: string;
}

/** The folder that Debian's and PGDG's libpq looks into when no host is given. */
export const DEFAULT_SOCKET_FOLDER = '/var/run/postgresql';
/** Builds without Debian's patch look here. */
const UPSTREAM_SOCKET_FOLDER = '/tmp';

/** Lines that are comments, empty or short of fields are passed over, as libpq does. */
export function parsePassFile(text: string): PassEntry[] {
  const entries: PassEntry[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (line === '' || line.startsWith('#')) continue;
    const [host, port, dbname, user, password] = splitFields(line);
    if (host === undefined || port === undefined || dbname === undefined || user === undefined) continue;
    if (password !== undefined) entries.push({ host, port, dbname, user, password: unescapeField(password) });
  }
  return entries;
}

/** At unescaped colons. Fields stay escaped: `*` is a wildcard and `\*` is not. */
function splitFields(line: string): string[] {
  const fields = [''];
  for (const [token] of line.matchAll(/\\.|[^\\]|\\$/gs)) {
    if (token === ':') fields.push('');
    else fields[fields.length - 1] += token;
  }
  return fields;
}

function unescapeField(field: string): string {
  return field.replace(/\\(.)/gs, '$1');
}

/** What the fields are compared with. `host` is the name as given, the address when there is no name. */
export interface PassKey {
  host: string;
  port: number;
  dbname: string;
  user: string;
}

/** The first entry that fits, or `undefined`. A socket in the default folder goes by the name `localhost`. */
export function lookupPassword(entries: readonly PassEntry[], key: PassKey): string | undefined {
  const isDefault = ['', DEFAULT_SOCKET_FOLDER, UPSTREAM_SOCKET_FOLDER].includes(key.host);
  const host = isDefault ? 'localhost' : key.host;
  const fits = (field: string, value: string) => field === '*' || unescapeField(field) === value;
  return entries.find(
    (entry) =>
      fits(entry.host, host) &&
      fits(entry.port, String(key.port)) &&
      fits(entry.dbname, key.dbname) &&
      fits(entry.user, key.user),
  )?.password;
}

/** For any of the five fields. */
export function escapePassField(value: string): string {
  return value.replace(/[\\:]/g, '\\$&');
}
