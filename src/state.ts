/** What the main step leaves to the post step, by way of the runner. Nothing in it is secret. */
import * as core from '@actions/core';
import type { Environment } from './domain/destination.ts';

export interface State {
  /** Absent when the main step did not come far enough to make one. */
  workDir?: string;
}

/**
 * The first thing that the main step does: main and post are the same program, told apart by this alone. Outside a
 * workflow there is no post step, and nothing is written.
 */
export function beginMainStep(env: Environment): void {
  if (env.GITHUB_STATE) core.saveState('isPost', 'true');
}

/** To be called before the folder is made, so that it cannot be left behind unknown. */
export function rememberWorkDir(workDir: string, env: Environment): void {
  if (env.GITHUB_STATE) core.saveState('workDir', workDir);
}

export function isPostStep(env: Environment): boolean {
  return env.STATE_isPost === 'true';
}

/** In the post step only. */
export function loadState(env: Environment): State {
  return env.STATE_workDir ? { workDir: env.STATE_workDir } : {};
}
