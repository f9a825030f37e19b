/** Whether a provider keeps something for itself, as its entry in the table says. */
import type { ManagedParts, ProviderId } from './provider.ts';
import { PROVIDERS, providerOf } from './table.ts';

function managedOf(provider: ProviderId | undefined): ManagedParts {
  return (provider === undefined ? undefined : providerOf(provider)?.managed) ?? {};
}

/** For people: what a provider keeps for itself, and what other servers cannot offer. */
export function managedBy(provider: ProviderId): { schemas: readonly string[]; extensions: readonly string[] } {
  const { schemas = [], extensions = [] } = managedOf(provider);
  return { schemas, extensions };
}

/** Whether servers of `provider` keep `schema` for themselves: it is neither dropped nor defined anew there. */
export function isManagedSchema(provider: ProviderId | undefined, schema: string): boolean {
  return managedOf(provider).schemas?.includes(schema) ?? false;
}

export function isManagedPublication(provider: ProviderId | undefined, name: string): boolean {
  return managedOf(provider).publications?.includes(name) ?? false;
}

export function isManagedOwner(provider: ProviderId | undefined, role: string): boolean {
  return managedOf(provider).owners?.test(role) ?? false;
}

/** Whose extension it is, for words; `undefined` for one that can be installed anywhere. */
export function providerOfExtension(name: string): ProviderId | undefined {
  return PROVIDERS.find(({ managed }) => managed?.extensions?.includes(name))?.id;
}
