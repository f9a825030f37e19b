/** The inputs of channels, read one by one: a run whose other inputs are wrong has to be told of too. */
import { alarmMarker } from '../domain/alarm.ts';
import type { Environment } from '../domain/destination.ts';
import { type Digest, type Occasion, occasionsOf, REMIND_AFTER_HOURS } from '../domain/notify.ts';
import type { SmtpServer } from '../domain/smtp.ts';
import { subjectOf } from './alarm.ts';
import { senderOf } from './channel-values.ts';
import { givenValue } from './read.ts';
import { runnerEnvironment } from './runner-environment.ts';
import type { InputValues } from './spec.ts';

export interface ChannelInputs {
  heartbeat?: URL;
  slack?: URL;
  webhook?: { url: URL; secret?: string };
  email?: EmailInputs;
  /** What is told; never empty. */
  notifyOn: readonly Occasion[];
  remindAfterHours: number;
  /** That this run is to tell. */
  digest?: Digest;
  /** Someone is trying things out, and looks at the run anyway. */
  dryRun: boolean;
  /** Whose run it is, as far as the inputs say. */
  command: string;
  series?: string;
  /** The same for every run of the same kind; see `AlarmSubject`. */
  subject: string;
  /** Absent outside of a workflow. */
  run?: { url: string; repository: string };
}

export interface EmailInputs {
  server: SmtpServer;
  from: string;
  to: readonly string[];
}

/** Never throws for what a user wrote. */
export function readChannelInputs(env: Environment): ChannelInputs {
  const { run } = runnerEnvironment(env);
  const read = <Name extends keyof InputValues>(name: Name) => givenValue(name, env);
  const [heartbeat, slack, webhook, secret] = [
    read('heartbeat-url'),
    read('slack-webhook-url'),
    read('webhook-url'),
    read('webhook-secret'),
  ];
  const email = emailOf(read('smtp-url'), read('email-to') ?? [], read('email-from'));
  const command = read('command') ?? 'backup';
  const digest = read('digest');
  const step = { kind: 'step', workflow: run?.workflow ?? '', job: env.GITHUB_JOB ?? '' } as const;
  const subject = subjectOf(env, step) ?? step;
  return {
    ...(heartbeat === undefined ? {} : { heartbeat }),
    ...(slack === undefined ? {} : { slack }),
    ...(webhook === undefined ? {} : { webhook: { url: webhook, ...(secret === undefined ? {} : { secret }) } }),
    ...(email === undefined ? {} : { email }),
    notifyOn: occasionsOf(command, read('notify-on') ?? []),
    remindAfterHours: read('remind-after-hours') ?? REMIND_AFTER_HOURS,
    ...(digest === undefined ? {} : { digest }),
    dryRun: read('dry-run') ?? false,
    command,
    subject: alarmMarker(subject),
    ...(subject.kind === 'series' ? { series: subject.series } : {}),
    ...(run === null ? {} : { run: { url: run.url, repository: run.repository } }),
  };
}

function emailOf(
  server: SmtpServer | undefined,
  to: readonly string[],
  given: string | undefined,
): EmailInputs | undefined {
  const from = given ?? senderOf(server);
  return server === undefined || from === undefined || to.length === 0 ? undefined : { server, from, to };
}
