/** What hosted Postgres keeps for itself inside a user's database, and extensions that only a provider's servers have. */
import type { ProviderId } from './catalogue.ts';

/** Schemas that every database of the provider has from the beginning, and that its platform changes by itself. */
const MANAGED_SCHEMAS: Partial<Record<ProviderId, readonly string[]>> = {
  // supabase/cli, pkg/migration/dump.go (2026-06): schemas that its own dumps leave to the platform.
  // supabase_migrations is the history of the user's own migrations, and so not among them.
  supabase: [
    ...['auth', 'storage', 'realtime', '_realtime', '_analytics', '_supavisor', 'supabase_functions', 'vault'],
    ...['graphql', 'graphql_public', 'pgsodium', 'pgsodium_masks', 'pgbouncer', 'extensions', 'net', 'pgtle', 'etl'],
  ],
  // devcenter.heroku.com/changelog-items/2446
  heroku: ['_heroku', 'heroku_ext'],
};

/** Publications that the platform makes by itself. */
const MANAGED_PUBLICATIONS: Partial<Record<ProviderId, readonly string[]>> = {
  supabase: ['supabase_realtime', 'supabase_realtime_messages_publication'],
};

/** Roles of the platform: what they own outside any schema, the platform makes by itself. */
const MANAGED_OWNERS: Partial<Record<ProviderId, RegExp>> = {
  supabase: /^(?:supabase_\w+|pgbouncer|dashboard_user)$/,
};

/** Extensions that no public package repository has: another server cannot offer them. */
const PROVIDER_EXTENSIONS: Partial<Record<ProviderId, readonly string[]>> = {
  supabase: ['supabase_vault', 'pg_graphql', 'pg_net', 'pgsodium', 'pgjwt', 'wrappers', 'supabase-dbdev', 'pg_tle'],
  neon: ['neon', 'neon_utils', 'neon_test_utils'],
  rds: ['aws_commons', 'aws_s3', 'aws_lambda', 'rds_tools', 'log_fdw', 'flow_control'],
  aurora: ['aws_ml', 'apg_plan_mgmt', 'aurora_stat_utils'],
  azure: ['azure', 'azure_storage', 'azure_ai', 'azure_local_ai', 'pgaadauth'],
  'cloud-sql': ['google_ml_integration', 'google_columnar_engine', 'google_vacuum_mgmt', 'google_insights'],
};

/** For people: what a provider keeps for itself, and what other servers cannot offer. */
export function managedBy(provider: ProviderId): { schemas: readonly string[]; extensions: readonly string[] } {
  return { schemas: MANAGED_SCHEMAS[provider] ?? [], extensions: PROVIDER_EXTENSIONS[provider] ?? [] };
}

/** Whether servers of `provider` keep `schema` for themselves: it is neither dropped nor defined anew there. */
export function isManagedSchema(provider: ProviderId | undefined, schema: string): boolean {
  return provider !== undefined && (MANAGED_SCHEMAS[provider]?.includes(schema) ?? false);
}

export function isManagedPublication(provider: ProviderId | undefined, name: string): boolean {
  return provider !== undefined && (MANAGED_PUBLICATIONS[provider]?.includes(name) ?? false);
}

export function isManagedOwner(provider: ProviderId | undefined, role: string): boolean {
  return provider !== undefined && (MANAGED_OWNERS[provider]?.test(role) ?? false);
}

/** Whose extension it is, for words; `undefined` for one that can be installed anywhere. */
export function providerOfExtension(name: string): ProviderId | undefined {
  const found = Object.entries(PROVIDER_EXTENSIONS).find(([, names]) => names.includes(name));
  return found?.[0] as ProviderId | undefined;
}
