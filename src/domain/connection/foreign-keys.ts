/** Keys that libraries other than libpq put into a connection URL: they say nothing about the connection itself. */

const FOREIGN_KEYS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    Prisma: [
      'schema',
      'pgbouncer',
      'connection_limit',
      'pool_timeout',
      'statement_cache_size',
      'socket_timeout',
      'sslaccept',
      'sslidentity',
      'max_idle_connection_lifetime',
      'max_connection_lifetime',
      'single_use_connections',
    ],
    'Drizzle, postgres.js or node-postgres': [
      'prepare',
      'uselibpqcompat',
      'max',
      'max_lifetime',
      'idle_timeout',
      'fetch_types',
      'encoding',
      'statement_timeout',
      'query_timeout',
      'idle_in_transaction_session_timeout',
      'lock_timeout',
    ],
    'Supabase or Vercel': ['supa', 'workaround'],
    'a pooler': [
      'pool_mode',
      'pool',
      'pool_size',
      'max_pool_size',
      'min_pool_size',
      'pool_max_conns',
      'pool_min_conns',
      'pool_max_conn_lifetime',
      'pool_max_conn_idle_time',
      'pool_health_check_period',
      'default_query_exec_mode',
      'statement_cache_mode',
      'statement_cache_capacity',
      'description_cache_capacity',
    ],
    'another library': [
      'adapter',
      'async_fallback',
      'binary_parameters',
      'charset',
      'checkout_timeout',
      'command_timeout',
      'conn_max_age',
      'conn_health_checks',
      'currentSchema',
      'prepared_statements',
      'prepared_statement_cache_size',
      'prepareThreshold',
      'reWriteBatchedInserts',
      'search_path',
      'serverVersion',
      'socketTimeout',
      'tcpKeepAlive',
      'timeout',
    ],
  }).flatMap(([owner, keys]) => keys.map((key) => [key, owner] as const)),
);

/** Who uses such a key, or `undefined` when nobody known does. */
export function foreignKeyOwner(key: string): string | undefined {
  return FOREIGN_KEYS.get(key);
}
