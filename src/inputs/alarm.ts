/** The inputs of the alarm, read one by one: it must sound when others are wrong, and wrong inputs are its reason then. */
import type { AlarmSubject } from '../domain/alarm.ts';
import { seriesNameFrom } from '../domain/backup-id.ts';
import type { Destination, Environment } from '../domain/destination.ts';
import { REMIND_AFTER_HOURS } from '../domain/notify.ts';
import { seriesInLocation } from '../domain/set-layout.ts';
import { variableOf } from './names.ts';
import { givenValue } from './read.ts';
import { runnerEnvironment } from './runner-environment.ts';
import type { InputValues } from './spec.ts';
import type { RunnerEnvironment } from './types.ts';

export interface AlarmInputs {
  /** `issue-on-failure`; one that cannot be read switches nothing off. */
  wanted: boolean;
  /** Someone is trying things out, and looks at the run anyway. */
  dryRun: boolean;
  /** Empty: nobody can be told. */
  token: string;
  labels: readonly string[];
  assignees: readonly string[];
  remindAfterHours: number;
  /** What this run is about, as far as its inputs say. */
  subject: AlarmSubject;
  /** The step itself, for inputs that said nothing. */
  step: AlarmSubject;
  /** Where the series can be looked up. */
  destination?: Destination;
  run: NonNullable<RunnerEnvironment['run']>;
  /** Of GitHub's API. */
  apiUrl: string;
}

type StepSubject = Extract<AlarmSubject, { kind: 'step' }>;

/** `undefined` outside of a workflow. Never throws for what a user wrote. */
export function readAlarmInputs(env: Environment): AlarmInputs | undefined {
  const { run } = runnerEnvironment(env);
  if (run === null || !run.repository.includes('/')) return undefined;
  const read = <Name extends keyof InputValues>(name: Name) => givenValue(name, env);
  const step: StepSubject = { kind: 'step', workflow: run.workflow, job: env.GITHUB_JOB ?? '' };
  const [destination] = read('storage') ?? [];
  return {
    wanted: read('issue-on-failure') ?? true,
    dryRun: read('dry-run') ?? false,
    token: read('github-token') ?? '',
    labels: read('issue-labels') ?? [],
    assignees: read('issue-assignees') ?? [],
    remindAfterHours: read('remind-after-hours') ?? REMIND_AFTER_HOURS,
    subject: subjectOf(env, step) ?? step,
    step,
    ...(destination === undefined ? {} : { destination }),
    run,
    apiUrl: env.GITHUB_API_URL || 'https://api.github.com',
  };
}

/**
 * The series is the one that the user named; else of a backup or check that of the database in the URL, of a restore or drill the
 * one of the set that `backup` names; of a status without a name all of them. Never one that only the server or the
 * bucket knows.
 */
export function subjectOf(env: Environment, { workflow, job }: StepSubject): AlarmSubject | undefined {
  const command = givenValue('command', env);
  if (command === undefined) return undefined;
  const named = env[variableOf('name')]?.trim();
  if (named) {
    const series = givenValue('name', env);
    return series === undefined ? undefined : { kind: 'series', command, series };
  }
  if (command === 'status') return { kind: 'storage', command, workflow, job };
  // Elsewhere the variables PGHOST and PGDATABASE, which that input reads, say nothing of the series.
  const series = command === 'backup' || command === 'check' ? seriesOfDatabase(env) : seriesOfBackup(env);
  return series === undefined ? undefined : { kind: 'series', command, series };
}

function seriesOfDatabase(env: Environment): string | undefined {
  const database = givenValue('database-url', env)?.dbname;
  return database === undefined ? undefined : seriesNameFrom(database);
}

function seriesOfBackup(env: Environment): string | undefined {
  const selector = givenValue('backup', env);
  return selector?.kind === 'location' ? seriesInLocation(selector.location) : undefined;
}
