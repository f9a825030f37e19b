/**
 * Transaction poolers, by address and by behaviour. Through one, session settings reach another server session under
 * load (measured: 29 of 60 dumps held silently wrong data with exit code 0), so they are refused.
 */
import type { Finding } from './findings.ts';
import type { PoolerPattern, ServerAddress } from './providers/provider.ts';
import { PROVIDERS } from './providers/table.ts';

export type { ServerAddress } from './providers/provider.ts';

/**
 * What two sessions saw. `direct`: the server process that answered is the one that greeted. `session`: something
 * stands between, but each session kept its own server process. `transaction`: a server process was shared.
 */
export interface PoolerEvidence {
  kind: 'direct' | 'session' | 'transaction';
  /** One sentence for people. */
  how: string;
}

/**
 * Those of providers first, then what an address looks like by itself. Hosts are matched in lower case. The pools of Aiven,
 * Heroku and Railway have no address of their own: they are found by how they behave, or by a usual port.
 */
const POOLERS: readonly PoolerPattern[] = [
  ...PROVIDERS.flatMap(({ poolers }) => poolers ?? []),
  {
    provider: 'a pooler',
    host: /^[^.]+-pooler\./,
    certain: true,
    useInstead: ({ host, port }) =>
      `Use the direct host, most likely the same URL without \`-pooler\` (${host.replace('-pooler.', '.')}:${port}).`,
  },
  {
    provider: 'a pooler on port 25061',
    port: 25061,
    certain: false,
    useInstead: ({ host }) => `Use the database's own port (${host}:25060).`,
  },
  {
    provider: 'PgBouncer on its usual port 6432',
    port: 6432,
    certain: false,
    useInstead: ({ host }) => `Use the database's own port (${host}:5432).`,
  },
  {
    provider: 'a transaction pooler on port 6543',
    port: 6543,
    certain: false,
    useInstead: ({ host }) => `Use the database's own port, or a pooler in session mode (${host}:5432).`,
  },
];

function patternFor(address: ServerAddress): PoolerPattern | undefined {
  const host = address.host.toLowerCase().replace(/\.$/, '');
  return POOLERS.find(
    (pattern) =>
      (pattern.host === undefined || pattern.host.test(host)) &&
      (pattern.port === undefined || pattern.port === address.port),
  );
}

/** True when the address alone is enough to refuse it, before anything is connected. */
export function isCertainPooler(address: ServerAddress): boolean {
  return patternFor(address)?.certain ?? false;
}

/** An error finding when this address must not be dumped through; names the URL to use instead, without any secret. */
export function assessPooler(address: ServerAddress, evidence?: PoolerEvidence): Finding | undefined {
  const pattern = patternFor(address);
  const where = `${address.host}:${address.port}`;
  if (pattern !== undefined && (pattern.certain || evidence?.kind !== 'direct')) {
    return finding(`${where} is ${pattern.provider}`, pattern.useInstead(address));
  }
  if (evidence?.kind === 'transaction') {
    return finding(
      `${where} is a transaction pooler: ${evidence.how}`,
      'Use the direct URL of the database, or a pooler in session mode: the setting is `pool_mode = session` in PgBouncer.',
    );
  }
  return undefined;
}

function finding(seen: string, action: string): Finding {
  return {
    code: 'transaction-pooler',
    severity: 'error',
    seen: `${seen}. Through a pooler in transaction mode a dump can hold wrong data without any error`,
    action,
  };
}
