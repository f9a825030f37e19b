/** Every messenger that the inputs name. */
import type { ChannelInputs } from '../inputs/channels.ts';
import type { RunLog } from '../runner/log.ts';
import { emailMessenger } from './email.ts';
import type { Messenger } from './messenger.ts';
import { warnOfPlain } from './plain-address.ts';
import { slackMessenger } from './slack.ts';
import { webhookMessenger } from './webhook.ts';

/** None for a dry run. */
export function openMessengers({ slack, webhook, email, dryRun }: ChannelInputs, log: RunLog): Messenger[] {
  if (dryRun) return [];
  if (slack !== undefined) warnOfPlain('slack-webhook-url', slack, log);
  if (webhook !== undefined) warnOfPlain('webhook-url', webhook.url, log);
  return [
    ...(slack === undefined ? [] : [slackMessenger(slack)]),
    ...(webhook === undefined ? [] : [webhookMessenger(webhook.url, webhook.secret)]),
    ...(email === undefined ? [] : [emailMessenger(email)]),
  ];
}
