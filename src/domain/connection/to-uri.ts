/** A connection as a URI that libpq and the drivers of other languages read alike. Holds the password. */
import { type ConnectionHost, type ConnectionRequest, isUnixSocket, passwordFor } from './request.ts';

/** Settings that travel; those of `prefer` and other defaults are left out, because drivers know fewer than libpq. */
const TRAVELLING = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'options', 'channel_binding'] as const;

/**
 * `postgresql://user:password@host:port/database?…`, everything percent-encoded. The folder of a Unix socket stands in
 * the parameter `host`, which all of them read.
 */
export function connectionUri(request: ConnectionRequest, host: ConnectionHost = request.hosts[0]): string {
  const password = passwordFor(request, host);
  const who = password === undefined ? encode(request.user) : `${encode(request.user)}:${encode(password)}`;
  const socket = isUnixSocket(host);
  const name = host.host === '' ? (host.hostaddr ?? '') : host.host;
  const where = socket ? '' : `${name.includes(':') ? `[${name}]` : encode(name)}:${host.port}`;
  const parameters: [string, string][] = [
    ...(socket
      ? ([
          ['host', host.host],
          ['port', String(host.port)],
        ] as [string, string][])
      : []),
    ...(host.hostaddr === undefined || host.host === '' ? [] : ([['hostaddr', host.hostaddr]] as [string, string][])),
    ...TRAVELLING.flatMap((key): [string, string][] => {
      const value = request.settings[key];
      return value === undefined || value === '' || value === 'prefer' ? [] : [[key, value]];
    }),
  ];
  const query = parameters.map(([key, value]) => `${key}=${encode(value)}`).join('&');
  // Without a host in front some drivers demand one all the same; they take the parameter over it.
  const authority = `${who}@${socket ? 'localhost' : where}`;
  return `postgresql://${authority}/${encodePath(request.dbname)}${query === '' ? '' : `?${query}`}`;
}

/** More than a URI needs, so that no shell and no driver gives a character a meaning. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** What may stand in a path stands in it as it is: the driver of Node leaves `%2F` and the like undecoded there. */
function encodePath(text: string): string {
  return encode(text).replaceAll(/%(?:2F|3A|40|2C|3B|26|3D|2B|24)/g, (encoded) => decodeURIComponent(encoded));
}
