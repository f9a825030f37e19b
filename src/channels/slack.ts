/** `slack-webhook-url`: an incoming webhook. It takes a message or refuses it; there is no way to ask quietly. */
import { slackPayload } from '../report/notices/slack.ts';
import type { Messenger } from './messenger.ts';
import { sendSmall } from './send.ts';

/** Slack answers when the message is in the channel. */
const ATTEMPT_MS = 4_000;

export function slackMessenger(url: URL): Messenger {
  return {
    name: 'slack',
    input: 'slack-webhook-url',
    keepsState: false,
    send: (notice, parts) => {
      const body = JSON.stringify(slackPayload(notice));
      const headers = { 'content-type': 'application/json' };
      return sendSmall({ url: url.href, method: 'POST', body, headers, attemptMs: ATTEMPT_MS }, parts);
    },
  };
}
