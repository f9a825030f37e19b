/** In whose hands a destination is, as far as its line in `storage` tells: what could take several copies at once. */
import type { Destination } from '../destination.ts';

export interface DestinationOwner {
  /** `Amazon`, the host of an endpoint, or `this machine`. */
  provider: string;
  /** What tells accounts apart: the role's, or the credentials that are used. Absent for a directory. */
  account?: string;
  region?: string;
}

export function ownerOf(destination: Destination): DestinationOwner {
  if (destination.kind === 'directory') return { provider: 'this machine' };
  const { endpoint, role, credentials, region } = destination;
  const host = endpoint === undefined ? '' : new URL(endpoint).hostname;
  const provider = host === '' || /\.amazonaws\.com(\.cn)?$/.test(host) ? 'Amazon' : host;
  const account = role?.split(':')[4] ?? credentials ?? 'the default credentials';
  return { provider, account, ...(region === undefined ? {} : { region }) };
}

/** What all of them have in common, in words; `undefined` when nothing. */
export function sharedBy(owners: readonly DestinationOwner[]): string | undefined {
  const [first] = owners;
  if (first === undefined || owners.length < 2) return undefined;
  const shared = (of: (owner: DestinationOwner) => string | undefined): boolean =>
    owners.every((owner) => of(owner) !== undefined && of(owner) === of(first));
  if (!shared(({ provider }) => provider)) return undefined;
  const { provider, account, region } = first;
  const inRegion = shared((owner) => owner.region) ? ` in the region ${region}` : '';
  if (account !== undefined && shared((owner) => owner.account)) return `one account of ${provider}${inRegion}`;
  return `${provider}${inRegion}`;
}
