/** What the runner's own variables say about this run. */

import type { Environment } from '../domain/destination.ts';
import type { RunnerEnvironment } from './types.ts';

/** Inside a workflow, on whichever runner. */
export function isWorkflow(env: Environment): boolean {
  return env.GITHUB_ACTIONS === 'true';
}

export function runnerEnvironment(env: Environment): RunnerEnvironment {
  return {
    run: isWorkflow(env) ? runOf(env) : null,
    hosted: env.RUNNER_ENVIRONMENT === 'github-hosted',
    tempDirectory: env.RUNNER_TEMP || env.TMPDIR || '/tmp',
    ...(env.RUNNER_TOOL_CACHE ? { toolCache: env.RUNNER_TOOL_CACHE } : {}),
  };
}

function runOf(env: Environment): RunnerEnvironment['run'] {
  const repository = env.GITHUB_REPOSITORY ?? '';
  const runId = env.GITHUB_RUN_ID ?? '';
  const runAttempt = env.GITHUB_RUN_ATTEMPT ?? '1';
  const server = env.GITHUB_SERVER_URL || 'https://github.com';
  return {
    repository,
    workflow: env.GITHUB_WORKFLOW ?? '',
    runId,
    runAttempt,
    sha: env.GITHUB_SHA ?? '',
    actor: env.GITHUB_ACTOR ?? '',
    ...(env.GITHUB_TRIGGERING_ACTOR ? { triggeringActor: env.GITHUB_TRIGGERING_ACTOR } : {}),
    url: `${server}/${repository}/actions/runs/${runId}/attempts/${runAttempt}`,
  };
}
