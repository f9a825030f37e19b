/** Another network for one process: no interface but a loopback that is down, and a hosts file of its own. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Availability, programAvailable } from './availability.ts';

const UNSHARE = ['--map-root-user', '--net', '--mount'];

/** Needs the right to make user namespaces; nothing outside the process changes. */
export const networkNamespaces: Availability = programAvailable(
  'unshare',
  [...UNSHARE, 'mount', '--bind', '/dev/null', '/etc/hosts'],
  'it must be allowed to make network and mount namespaces (util-linux)',
);

/**
 * The program and arguments that start another one in that network; names resolve as `hosts` says, before any name
 * server is asked, and none can be. Not `sh`: dash drops variables like INPUT_DATABASE-URL.
 * @param folder where the hosts file is put
 */
export function withoutNetwork(
  folder: string,
  hosts: Readonly<Record<string, string>>,
): [program: string, ...string[]] {
  const file = path.join(folder, 'hosts');
  const lines = Object.entries(hosts).map(([name, address]) => `${address} ${name}\n`);
  writeFileSync(file, lines.join(''), { mode: 0o644 });
  return ['unshare', ...UNSHARE, 'bash', '-c', 'mount --bind "$0" /etc/hosts && exec "$@"', file];
}
