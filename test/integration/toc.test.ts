/** The list of real archives against the catalog, for clients of all majors. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readRoleUse, readToc } from '../../src/postgres/toc.ts';
import { allOf, describeIf } from '../support/availability.ts';
import { CLIENT_MAJORS, clientTools } from '../support/clients.ts';
import { loadDatabase } from '../support/databases/index.ts';
import { availableMajors, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { never } from '../support/restore-bench.ts';
import { runTool } from '../support/run-tool.ts';

describe.each(CLIENT_MAJORS)('archives of pg_dump %i', async (major) => {
  const tools = await clientTools(major);
  const serverMajor = availableMajors().findLast((each) => each <= major);
  const here = allOf(
    'skipped' in tools ? tools : true,
    serverMajor === undefined ? { skipped: `no server of major ${major}` } : true,
  );

  describeIf(here, 'listed', () => {
    if ('skipped' in tools) throw new Error(tools.skipped);
    const clients = { ...tools, source: 'system', env: {} } as const;
    let server: PostgresServer;
    let folder: string;

    beforeAll(async () => {
      server = await startPostgres({ major: serverMajor ?? 0 });
      folder = await mkdtemp(path.join(os.tmpdir(), 'toc-'));
    });

    afterAll(async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    });

    test.each(['shapes', 'awkward'] as const)(
      '%s: every relation with its own schema, name and owner',
      async (fixture) => {
        await loadDatabase(server, fixture, fixture);
        const file = path.join(folder, fixture);
        const statistics = major >= 18 ? ['--statistics'] : [];
        await runTool(tools.pgDump, ['-Fc', ...statistics, `--file=${file}`, `--dbname=${server.uri(fixture)}`]);
        const roles = await server.query<{ rolname: string }>('SELECT rolname FROM pg_roles');
        const known = { roles: roles.map(({ rolname }) => rolname) };
        const run = { env: {}, signal: never(), workDir: folder };
        const toc = await readToc(clients, { path: file }, { ...run, known });
        expect(toc.serverVersion).toMatch(new RegExp(`^${serverMajor}\\.`));
        const listed = toc.entries
          .filter(({ type }) => ['TABLE', 'VIEW', 'MATERIALIZED VIEW', 'FOREIGN TABLE', 'SEQUENCE'].includes(type))
          .map(({ schema, name, owner }) => [schema, name, owner].join('|'));
        const there = await server.query<{ told: string }>(
          `SELECT translate(concat_ws('|', nspname, relname, rolname), E'\\n\\r', '  ') AS told
           FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace JOIN pg_roles r ON r.oid = relowner
          WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND nspname !~ '^pg_' AND nspname <> 'information_schema'
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')`,
          fixture,
        );
        expect(listed.toSorted()).toEqual(there.map(({ told }) => told).toSorted());
        const whole = toc.entries.map(({ type, schema = '-', name, owner }) => `${type} ${schema} ${name} ${owner}`);
        toc.entries.forEach(({ line }, index) => {
          expect(line.endsWith(` ${whole[index]}`), line).toBe(true);
        });
        const use = [...(await readRoleUse(clients, { path: file }, toc, run)).values()].flat();
        const expected = fixture === 'shapes' ? ['shapes_owner', 'shapes_reader'] : ['awkward -- role "x"'];
        expect([...new Set(use)].toSorted()).toEqual(expected);
      },
    );
  });
});
