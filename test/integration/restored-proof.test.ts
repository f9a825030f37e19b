/** What real backups of real databases came to after stock pg_restore, across majors: all of it is proven. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeIf } from '../support/availability.ts';
import { type Clients, clientTools } from '../support/clients.ts';
import { type Fixture, loadDatabase } from '../support/databases/index.ts';
import { availableMajors, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { backUpInto, doubts, prove, restoreTo } from '../support/restored-proof-bench.ts';

const FIXTURES: Fixture[] = ['shapes', 'awkward', 'shop'];

/** From an older major to a newer one, the roles of the fixtures made first as globals would. */
describe.each([
  [13, 18],
  [15, 15],
  [15, 17],
  [17, 18],
])('from Postgres %i to %i', async (from, to) => {
  const [older, newer] = await Promise.all([clientTools(from), clientTools(to)]);
  const missing = [older, newer].find((tools) => 'skipped' in tools) as { skipped: string } | undefined;
  const servers = [from, to].every((major) => availableMajors().includes(major));
  const here = missing ?? (servers || { skipped: `no server of major ${from} or ${to}` });

  describeIf(here, 'a faithful restore', () => {
    const clients = { older: older as Clients, newer: newer as Clients };
    let source: PostgresServer;
    let target: PostgresServer;
    let folder: string;

    beforeAll(async () => {
      folder = await mkdtemp(path.join(os.tmpdir(), 'restored-proof-'));
      [source, target] = await Promise.all([startPostgres({ major: from }), startPostgres({ major: to })]);
      await target.query('CREATE ROLE shapes_owner; CREATE ROLE shapes_reader; CREATE ROLE "awkward -- role ""x"""');
    });

    afterAll(async () => {
      await Promise.all([source?.stop(), target?.stop()]);
      await rm(folder, { recursive: true, force: true });
    });

    test.each(FIXTURES)('of %s is proven in everything', async (fixture) => {
      await loadDatabase(source, fixture, fixture);
      const backup = await backUpInto(folder, source, clients.older, fixture);
      await restoreTo(target, clients.newer, backup, `${fixture}_restored`);
      const proof = await prove(folder, target, clients.newer, backup, `${fixture}_restored`);
      expect(doubts(proof)).toEqual([]);
      expect(proof.checks.map(({ id }) => id)).toEqual([
        'tables',
        'sequences',
        'large-objects',
        'objects',
        'definitions',
        'state',
        'extensions',
      ]);
      expect(proof.totals.rows).toBe(backup.contents.tables.reduce((sum, { rows }) => sum + rows, 0));
      expect(await target.query("SELECT FROM pg_database WHERE datname ~ '^reference_'")).toEqual([]);
    });
  });
});
