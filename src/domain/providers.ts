/** Whose Postgres this is, by its host and by what the server says of itself, and what its users should know once. */
import type { Finding } from './findings.ts';
import { OWN_SERVER } from './providers/own-server.ts';
import type { Provider, ProviderId, ProviderWords, ServerSigns } from './providers/provider.ts';
import { PROVIDERS, providerOf } from './providers/table.ts';

export type { ProviderId, ServerSigns } from './providers/provider.ts';

/** A server that said nothing, or was not asked. */
export const NO_SIGNS: ServerSigns = { settings: [], roles: [], schemas: [], functions: [] };

/** Every name that is worth asking a server for. */
export const KNOWN_SIGNS: ServerSigns = {
  settings: PROVIDERS.flatMap(({ signs }) => signs.settings ?? []),
  roles: PROVIDERS.flatMap(({ signs }) => signs.roles ?? []),
  schemas: PROVIDERS.flatMap(({ signs }) => signs.schemas ?? []),
  functions: PROVIDERS.flatMap(({ signs }) => signs.functions ?? []),
};

export interface RecognisedProvider {
  id: ProviderId;
  /** For people: `Neon`, `Amazon RDS`. */
  name: string;
  /** Completes "recognised by": `its host name`, `its role neon_superuser`. */
  evidence: string;
}

/** Kinds of signs by how much they tell: schemas are in the database itself, roles can come with a restore. */
const KINDS = [
  ['schemas', 'schema'],
  ['host', ''],
  ['functions', 'function'],
  ['settings', 'setting'],
  ['roles', 'role'],
] as const;

/** `undefined` for a server of nobody's in particular. */
export function recogniseProvider(host: string, signs: ServerSigns = NO_SIGNS): RecognisedProvider | undefined {
  for (const [kind, word] of KINDS) {
    for (const provider of PROVIDERS) {
      const { id, name } = provider;
      if (kind === 'host') {
        if (provider.host?.test(plainHost(host))) return { id, name, evidence: 'its host name' };
        continue;
      }
      const sign = provider.signs[kind]?.find((each) => signs[kind].includes(each));
      if (sign !== undefined) return { id, name, evidence: `its ${word} ${sign}` };
    }
  }
  return undefined;
}

/** What to know before the first backup of a series is relied upon; at most two notices. */
export function providerAdvice({ id }: RecognisedProvider): Finding[] {
  const { name, advice, ownRoles } = providerOf(id) as Provider;
  const findings: Finding[] = [];
  if (advice !== undefined) findings.push({ code: 'provider-advice', severity: 'notice', ...advice });
  if (ownRoles) {
    findings.push({
      code: 'provider-roles',
      severity: 'notice',
      seen: `${name} has roles of its own, which other servers do not know, and gives nobody the passwords of roles`,
      action:
        'To restore elsewhere give pg_restore `--no-owner --no-privileges`, or create those roles first; set passwords anew.',
    });
  }
  return findings;
}

/** For people; of a server of nobody's in particular those of one's own. */
export function wordsOf(id: ProviderId | undefined): ProviderWords | undefined {
  return id === undefined ? OWN_SERVER : providerOf(id)?.words;
}

/** The provider whose host this is, by its name alone. */
export function providerOfHost(host: string): Provider | undefined {
  const plain = plainHost(host);
  return PROVIDERS.find((provider) => provider.host?.test(plain));
}

/** What to use instead of a host that only answers inside its provider's network. */
export function insteadOfInside(host: string): string | undefined {
  const plain = plainHost(host);
  return PROVIDERS.find((provider) => provider.inside?.host.test(plain))?.inside?.useInstead;
}

function plainHost(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}
