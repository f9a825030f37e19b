/** What a failed connection means at this very host: IPv6 alone, private names, allow-lists, authorities of providers. */
import { insteadOfInside, providerOfHost } from '../providers.ts';
import { classifyConnectError } from './failure.ts';
import type { ConnectFailure } from './server-failure.ts';

/** Where it was tried. */
export interface ConnectPlace {
  /** As it stands in the connection string. */
  host: string;
  user: string;
}

/** `classifyConnectError`, with the advice that only the host can give. */
export function explainConnectError(error: unknown, place: ConnectPlace): ConnectFailure {
  const failure = classifyConnectError(error);
  if (hasNoWayToIpv6(error)) return { ...failure, ...explainIpv6(place) };
  const attempts = leavesOf(error);
  const hint = hintFor(
    attempts.map(({ code }) => code),
    failure,
    place,
  );
  return hint === undefined ? failure : { ...failure, hint };
}

/** Without a route; without an address of the family to connect from; a router that says so; no such family at all. */
const NO_WAY = new Set(['ENETUNREACH', 'EADDRNOTAVAIL', 'EHOSTUNREACH', 'EAFNOSUPPORT']);
const SUPABASE_DIRECT = /^db\.([a-z0-9]+)\.supabase\.[a-z]+$/i;

/**
 * Every address of the host is one of IPv6, and this machine has no way to any of them. Measured with Node 24 on a
 * machine whose only interface is a loopback: ENETUNREACH, and EADDRNOTAVAIL when that has no IPv6 address either.
 */
function hasNoWayToIpv6(error: unknown): boolean {
  const attempts = leavesOf(error);
  return (
    attempts.length > 0 &&
    attempts.every(({ code, address }) => NO_WAY.has(code) && address !== '' && address.includes(':'))
  );
}

interface FailedAddress {
  code: string;
  /** Numeric; empty when it never came to an address. */
  address: string;
}

/** A host with several addresses fails with one error for each. */
function leavesOf(error: unknown): FailedAddress[] {
  const { errors, code, address } = (error ?? {}) as { errors?: unknown; code?: unknown; address?: unknown };
  if (Array.isArray(errors) && errors.length > 0) return errors.flatMap(leavesOf);
  return [{ code: typeof code === 'string' ? code : '', address: typeof address === 'string' ? address : '' }];
}

function explainIpv6(place: ConnectPlace): Pick<ConnectFailure, 'reason' | 'hint'> {
  return {
    reason: 'the host has no IPv4 address, and this machine has no way to IPv6 (GitHub-hosted runners have none)',
    hint: sessionPooler(place) ?? 'Use a host with an IPv4 address, or a runner of your own that has IPv6.',
  };
}

/**
 * Supabase's direct hosts have IPv6 addresses only, unless the IPv4 add-on was bought; the shared pooler is IPv4. Its
 * host has the region in it, and a number, which nothing here tells
 * (supabase.com/docs/guides/database/connecting-to-postgres).
 */
function sessionPooler({ host, user }: ConnectPlace): string | undefined {
  const reference = SUPABASE_DIRECT.exec(host)?.[1];
  if (reference === undefined) return undefined;
  const role = user.endsWith(`.${reference}`) ? user : `${user}.${reference}`;
  return `Use Supabase's session pooler: postgresql://${role}:PASSWORD@aws-N-REGION.pooler.supabase.com:5432/postgres. Copy it with its number and region from the dashboard: Connect, "Session pooler" (not "Transaction pooler", port 6543). The IPv4 add-on makes the direct host work as well.`;
}

const SILENT = new Set(['ETIMEDOUT', 'EHOSTUNREACH', 'ECONNRESET']);
const UNKNOWN_NAME = new Set(['ENOTFOUND', 'EAI_AGAIN']);

function hintFor(codes: readonly string[], failure: ConnectFailure, place: ConnectPlace): string | undefined {
  const provider = providerOfHost(place.host);
  const inside = insteadOfInside(place.host);
  if (codes.some((code) => UNKNOWN_NAME.has(code))) return inside ?? unknownSupabase(codes, place);
  if (failure.untrusted === true) {
    return provider?.authority === undefined
      ? undefined
      : `${provider.authority} Verification is not weakened on its own.`;
  }
  const kept = codes.some((code) => SILENT.has(code)) || /no answer in time|pg_hba\.conf/.test(failure.reason);
  const admission = inside ?? provider?.admission;
  return kept && admission !== undefined ? `${failure.hint} ${admission}` : undefined;
}

/** A resolver without IPv6 says of a name with IPv6 addresses alone what it says of a name that does not exist. */
function unknownSupabase(codes: readonly string[], place: ConnectPlace): string | undefined {
  const pooler = sessionPooler(place);
  if (pooler === undefined || !codes.includes('ENOTFOUND')) return undefined;
  return `Either the name server of this machine gives no IPv6 addresses, and the direct host has no other, or the project is paused or deleted: look at the dashboard. ${pooler}`;
}
