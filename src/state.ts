/** What the main step leaves to the post step, by way of the runner. Nothing in it is secret. */
import path from 'node:path';
import * as core from '@actions/core';
import type { Environment } from './domain/destination.ts';

export interface State {
  /** Absent when the main step did not come far enough to make one. */
  workDir?: string;
  /** What was known of the run last, as JSON; absent when nothing was. */
  news?: string;
  /** The words in which the main step told of its failure, as JSON. */
  failure?: string;
  /** `true` when the main step has told everybody how it ended. Absent when it was cancelled or killed before that. */
  reported?: 'true';
}

/**
 * Of a name that is remembered again the last value counts. The work folder is noted before it is made. Outside a
 * workflow there is no post step, and nothing is written.
 */
export function remember<Name extends keyof State>(
  name: Name,
  value: NonNullable<State[Name]>,
  env: Environment,
): void {
  if (env.GITHUB_STATE) core.saveState(name, value);
}

/**
 * Main and post are one program with two doors. A note of the main step alone could not tell them apart: one that is
 * cancelled while it starts leaves none, and its post step would take a backup. Where there is one, it settles it too.
 *
 * @param script what the runner started
 */
export function isPostStep(script: string, env: Environment): boolean {
  return path.parse(script).name === 'post' || env.STATE_workDir !== undefined;
}

/** In the post step only. */
export function loadState(env: Environment): State {
  const { STATE_workDir: workDir, STATE_news: news, STATE_failure: failure, STATE_reported: reported } = env;
  return {
    ...(workDir ? { workDir } : {}),
    ...(news ? { news } : {}),
    ...(failure ? { failure } : {}),
    ...(reported === 'true' ? { reported } : {}),
  };
}
