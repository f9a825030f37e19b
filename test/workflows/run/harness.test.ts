/** The harness itself: what goes wrong in a workflow is seen, and nothing of one run is there for the next. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, inject, test } from 'vitest';
import { describeWith } from '../../support/availability.ts';
import { runTool } from '../../support/run-tool.ts';
import { runWorkflow } from '../../support/workflows/run-workflow.ts';

const STEPS = `on: push
jobs:
  job:
    runs-on: ubuntu-latest
    services:
      postgres:
        image: postgres:17
        env:
          POSTGRES_PASSWORD: throwaway
        ports: ['5432:5432']
        options: --health-cmd "pg_isready --host 127.0.0.1" --health-interval 1s --health-retries 30
    steps:
`;

describeWith(inject('workflowRig'), 'A workflow on act', (rig) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'harness-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function run(steps: string) {
    const workflow = path.join(folder, 'workflow.yml');
    writeFileSync(workflow, `${STEPS}${steps}`);
    return runWorkflow(rig, { workflow, event: 'push', secrets: { PASSWORD: 'throwaway' } });
  }

  test('reaches its service, keeps its secrets out of the log, and is red when a step fails', async () => {
    const result = await run(`      - id: asked
        run: echo "answer=$(psql --tuples-only --no-align --command 'SELECT 6 * 7' "postgresql://postgres:$PGPASSWORD@localhost/postgres") $PGPASSWORD" | tee "$GITHUB_OUTPUT"
        env:
          PGPASSWORD: \${{ secrets.PASSWORD }}
      - run: exit 3
      - run: echo never reached
`);
    expect(result.exitCode).toBe(1);
    expect(result.jobs).toEqual({ job: 'failure' });
    expect(result.outputs['job.asked']?.answer).toMatch(/^42 /);
    expect(result.text).toContain('answer=42 ***');
    expect(result.text).not.toContain('never reached');
  });

  test('leaves no container, no volume and no network for the next one', async () => {
    await run('      - run: touch /opt/hostedtoolcache/left\n');
    const docker = (...args: string[]) => runTool('docker', args, { DOCKER_HOST: rig.dockerHost });
    expect(await docker('ps', '--all', '--quiet')).toBe('');
    expect(await docker('volume', 'ls', '--quiet')).toBe('');
    expect(await docker('network', 'ls', '--quiet', '--filter', 'type=custom')).toBe('');
  });

  test('that uses an action which nothing stands for is an error with its name', async () => {
    await expect(run('      - uses: somebody/something@v1\n')).rejects.toThrow('somebody/something');
  });
});
