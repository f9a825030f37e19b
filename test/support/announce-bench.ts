/** Servers of Slack and of a webhook, and runs that are told to them and must keep their secrets. */
import { afterEach, beforeEach, expect } from 'vitest';
import { alarmWarnings, type PlayOptions, play } from './alarm-bench.ts';
import { expectNoSecret } from './expect-run.ts';
import type { FakeGitHub } from './github-api.ts';
import type { ActionResult } from './run-action.ts';
import { startWatchingService, type WatchingService } from './watching-service.ts';

const SLACK_TOKEN = 'x9y8z7w6v5u4t3s2r1q0';
export const SLACK_PATH = `/services/T0ABCDEF12/B0ABCDEF34/${SLACK_TOKEN}`;
const HOOK_TOKEN = 'h00kt0ken1234567';
const HOOK_SECRET = '0f1e2d3c4b5a69788796a5b4c3d2e1f0';
/** Of Slack and the webhook. */
export const CHANNEL_SECRETS = [SLACK_TOKEN, HOOK_TOKEN, HOOK_SECRET];

/** For every test of the file its own servers, set up by the hooks. */
export function announceBench(): AnnounceBench {
  const bench = new AnnounceBench();
  beforeEach(() => bench.renew());
  afterEach(() => bench.close());
  return bench;
}

/** Complete inside tests only. */
export class AnnounceBench {
  declare slack: WatchingService;
  declare hook: WatchingService;

  async renew(): Promise<void> {
    this.slack = await startWatchingService();
    this.hook = await startWatchingService();
  }

  async close(): Promise<void> {
    await this.slack.close();
    await this.hook.close();
  }

  /** The inputs that tell both. */
  channels(): Record<string, string> {
    return {
      'slack-webhook-url': `${this.slack.url}${SLACK_PATH}`,
      'webhook-url': `${this.hook.url}/hook?token=${HOOK_TOKEN}`,
      'webhook-secret': HOOK_SECRET,
    };
  }

  /** A run of the scripted action with both channels, which keeps their secrets. */
  async playTold(script: string, github: FakeGitHub, options: PlayOptions = {}): Promise<ActionResult> {
    const run = await play(script, github, { ...options, inputs: { ...this.channels(), ...options.inputs } });
    expectNoSecret({ ...run, processesLeft: [] }, CHANNEL_SECRETS);
    expect(run.stderr).toBe('');
    expect(run.masks).toEqual(expect.arrayContaining(CHANNEL_SECRETS));
    for (const secret of CHANNEL_SECRETS) expect(github.sent()).not.toContain(secret);
    return run;
  }

  /** Of each message to the webhook, what it is and why. */
  events(): string[] {
    return this.hook.calls.map(({ body }) => JSON.parse(body).event);
  }
}

/** The warnings of a run about channels that were not told of it. */
export function untold(run: ActionResult): string[] {
  return alarmWarnings(run).filter((words) => words.startsWith('channel-not-told'));
}
