/**
 * A runner whose client tools are of another major than the server, as GitHub's own often are: they are fetched from a
 * repository like PGDG's, by apt, and kept in the runner's cache for the next job.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type AptRepositoryServer, aptRepositoryAvailable, startAptRepository } from '../../support/apt-repository.ts';
import { describeIf, describeWith } from '../../support/availability.ts';
import { clientTools } from '../../support/clients.ts';
import { type Edit, withInputs } from '../../support/workflows/edits.ts';
import { type Shop, startShop } from '../../support/workflows/shop.ts';

/** There is an image of it besides that of the runner's own major. */
const MAJOR = 17;
const rig = inject('workflowRig');
const otherMajor = 'skipped' in rig || rig.clientMajor !== MAJOR || { skipped: `the runner has client tools ${MAJOR}` };
const tools = await clientTools(MAJOR);

describeIf(aptRepositoryAvailable, 'client installation', () => {
  describeIf(otherMajor, 'on a runner of another major', () => {
    describeWith(rig, 'in a real workflow', (workflowRig) => {
      describeWith(tools, `for Postgres ${MAJOR}`, (clients) => {
        let shop: Shop;
        let repository: AptRepositoryServer;
        let cache: string;
        /** What a team with a mirror of its own adds to the templates. */
        let edit: Edit;

        beforeAll(async () => {
          repository = await startAptRepository(clients);
          cache = await mkdtemp(path.join(os.tmpdir(), 'actions-cache-'));
          shop = await startShop(workflowRig, MAJOR);
          edit = withInputs({ 'postgres-apt-mirror': repository.uri, 'postgres-apt-key': repository.key });
        });
        afterAll(async () => {
          await shop?.stop();
          await repository?.stop();
          await rm(cache, { recursive: true, force: true });
        });

        test('fetches them for the first backup, and keeps them in the cache', async () => {
          const run = await shop.run({ workflow: 'nightly-backup', event: 'schedule', edit, cache });
          expect(run.exitCode, run.text).toBe(0);
          expect(run.outputs['backup.0']).toMatchObject({ verdict: 'proven', 'postgres-major': String(MAJOR) });
          expect(repository.requests.filter((asked) => asked.endsWith('.deb')).length).toBeGreaterThan(0);
        });

        test('takes them from the cache for the next one, and for a drill, without asking the repository', async () => {
          repository.requests.length = 0;
          const backup = await shop.run({ workflow: 'nightly-backup', event: 'schedule', edit, cache });
          expect(backup.exitCode, backup.text).toBe(0);
          // No DRILL_IMAGE: the server that the template names itself.
          const drill = await shop.run({
            workflow: 'restore-drill',
            event: 'schedule',
            edit,
            cache,
            vars: { DRILL_IMAGE: '' },
          });
          expect(drill.exitCode, drill.text).toBe(0);
          expect(drill.outputs['drill.drill']).toMatchObject({ verdict: 'passed', 'postgres-major': String(MAJOR) });
          expect(repository.requests.filter((asked) => asked.endsWith('.deb'))).toEqual([]);
        });
      });
    });
  });
});
