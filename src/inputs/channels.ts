/** The inputs of channels, read one by one: a run whose other inputs are wrong has to be told of too. */
import type { Environment } from '../domain/destination.ts';
import { givenValue } from './read.ts';
import { runnerEnvironment } from './runner-environment.ts';

export interface ChannelInputs {
  heartbeat?: URL;
  /** Someone is trying things out, and looks at the run anyway. */
  dryRun: boolean;
  /** Of the run; absent outside of a workflow. */
  runUrl?: string;
}

/** Never throws for what a user wrote. */
export function readChannelInputs(env: Environment): ChannelInputs {
  const { run } = runnerEnvironment(env);
  const heartbeat = givenValue('heartbeat-url', env);
  return {
    ...(heartbeat === undefined ? {} : { heartbeat }),
    dryRun: givenValue('dry-run', env) ?? false,
    ...(run === null ? {} : { runUrl: run.url }),
  };
}
