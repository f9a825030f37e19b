/** `command: check` on every major: what a sound database says, and what an ordinary role sees of it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HEALTH_CHECKS } from '../../src/domain/check/judge.ts';
import { END_OF_LIFE } from '../../src/domain/postgres-releases.ts';
import { describeIf } from '../support/availability.ts';
import { type CheckRun, runCheck } from '../support/check-bench.ts';
import { availableMajors, type PostgresServer, startPostgres } from '../support/postgres-server.ts';

const SOUND = { fsync: 'on', full_page_writes: 'on', shared_preload_libraries: 'pg_stat_statements' };

describe.each([13, 14, 15, 16, 17, 18])('A check of a sound Postgres %i', (major) => {
  const here = availableMajors().includes(major) || { skipped: `no server of major ${major}` };
  describeIf(here, 'looks', () => {
    let server: PostgresServer;
    beforeAll(async () => {
      server = await startPostgres({ major, settings: SOUND });
      await server.createDatabase('shop');
      await server.query(
        `CREATE EXTENSION pg_stat_statements;
         CREATE TABLE customers (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text COLLATE "C");
         CREATE TABLE orders (id serial PRIMARY KEY, customer_id int REFERENCES customers, created_at timestamptz DEFAULT now());
         INSERT INTO customers (name) VALUES ('a'), ('b'); INSERT INTO orders (customer_id) VALUES (1), (2);
         CREATE ROLE app LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO app; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO app;`,
        'shop',
      );
    });
    afterAll(() => server.stop());

    /** What every server of this rig has: the age of its release, and no checksums before 18. */
    const known = [
      ...(major < 18 ? ['checksums not-run'] : []),
      ...(major <= 13 ? ['server-version warning'] : []),
      ...(Date.parse(END_OF_LIFE[major] ?? '') - Date.now() < 180 * 86_400_000 ? ['end-of-life warning'] : []),
    ].sort();
    const run = (user = 'postgres'): Promise<CheckRun> =>
      runCheck({
        'database-url': server.uri('shop', user),
        'min-tables': '2',
        'critical-tables': 'public.orders rows>=2 newest(created_at)<1h\npublic.customers',
        'orphan-checks': 'auto\norders.customer_id -> customers.id',
        'expected-extensions': 'pg_stat_statements, plpgsql>=1.0',
        'storage-limit-gb': '10',
        'max-active-sessions': '20',
        assertions: 'SELECT count(*) = 2 FROM public.orders',
      });

    test('as a superuser: everything can be seen, and passes', async () => {
      const { result, notPassed } = await run();
      expect(notPassed.sort(), JSON.stringify(result.results, null, 1)).toEqual(known);
      const codes = result.results.map(({ code }) => code);
      const leftOut = HEALTH_CHECKS.map(({ code }) => code).filter((code) => !codes.includes(code));
      expect(leftOut).toEqual(['growth', 'replication-lag', 'expected-schema', 'row-drop']);
      expect(result).toMatchObject({ name: 'shop', record: { server: { major } }, recordUris: [] });
    });

    test('as an ordinary role: what it may not see is not run, with the grant that shows it', async () => {
      const other = await server.connect('shop');
      try {
        const { notPassed, of } = await run('app');
        expect(notPassed.sort()).toEqual(
          [
            ...known,
            'temp-files not-run',
            'active-sessions not-run',
            'long-transaction not-run',
            'long-query not-run',
            'idle-in-transaction not-run',
          ].sort(),
        );
        expect(of('long-transaction').action).toBe('GRANT pg_monitor TO "app";');
        expect(of('temp-files').action).toBe('GRANT pg_monitor TO "app";');
        await server.query('GRANT pg_monitor TO app');
        expect((await run('app')).notPassed.sort()).toEqual(known);
      } finally {
        await server.query('REVOKE pg_monitor FROM app');
        await other.end();
      }
    });
  });
});
