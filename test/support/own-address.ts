/** The way to this machine that looks like the way to another one. */
import os from 'node:os';

/** An IPv4 address of this machine that is not its loopback. */
export function ownAddress(): { address: string } | { skipped: string } {
  const addresses = Object.values(os.networkInterfaces()).flatMap((each) => each ?? []);
  const found = addresses.find(({ family, internal }) => family === 'IPv4' && !internal);
  return found === undefined
    ? { skipped: 'this machine has no IPv4 address but its loopback; connect it to a network' }
    : { address: found.address };
}
