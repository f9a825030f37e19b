/**
 * What running workflows needs, once for all tests: the runner act, a container engine with its images, and the action
 * as this tree has it. Vitest starts it before the first file of `test/workflows/run/`.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { goProgram } from '../go-program.ts';
import { portAnswers } from '../s3-servers.ts';
import { engineAvailable, startEngine } from './engine.ts';
import { imagesAvailable, makeImages } from './images.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const ACT = { module: 'github.com/nektos/act', version: 'v0.2.89' };
/** Of the server of a drill, as the template has it. */
const SERVICE = { major: 17, port: 5432 };

export interface WorkflowRig {
  /** The program. */
  act: string;
  /** For DOCKER_HOST. */
  dockerHost: string;
  /** The image of `ubuntu-latest`. */
  runnerImage: string;
  /** Major of the only client tools in it. There is an image `postgres:NN` of this major, and of 17. */
  clientMajor: number;
  /** `org/db-backup-action` as a runner fetches it: action.yml and dist/ of this tree. */
  action: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    workflowRig: WorkflowRig | { skipped: string };
  }
}

/** The global setup of the tests of workflows; what it gives back stops everything. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const started = new AsyncDisposableStack();
  try {
    project.provide('workflowRig', await startRig(started));
  } catch (error) {
    project.provide('workflowRig', { skipped: (error as Error).message });
  }
  return () => started.disposeAsync();
}

async function startRig(started: AsyncDisposableStack): Promise<WorkflowRig | { skipped: string }> {
  for (const available of [engineAvailable(), await imagesAvailable()]) if (available !== true) return available;
  if (await portAnswers(SERVICE.port)) return { skipped: `something listens on port ${SERVICE.port} already` };
  const act = await goProgram(ACT);
  const engine = await startEngine();
  started.defer(() => engine.stop());
  const { runner, clientMajor } = await makeImages(engine, [SERVICE.major]);
  const action = await mkdtemp(path.join(os.tmpdir(), 'action-'));
  started.defer(() => rm(action, { recursive: true, force: true }));
  for (const part of ['action.yml', 'dist'])
    await cp(path.join(ROOT, part), path.join(action, part), { recursive: true });
  return { act, dockerHost: engine.host, runnerImage: runner, clientMajor, action };
}
