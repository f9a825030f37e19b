/** `webhook-url`: signed JSON, in the form of the service that the host belongs to. */
import { webhookForm } from '../domain/webhook-form.ts';
import { webhookRequest } from '../report/notices/webhook.ts';
import type { Messenger } from './messenger.ts';
import { sendSmall } from './send.ts';

/** A workflow of Teams takes its time to begin. */
const ATTEMPT_MS = 4_000;

export function webhookMessenger(url: URL, secret: string | undefined): Messenger {
  return {
    name: 'webhook',
    input: 'webhook-url',
    keepsState: webhookForm(url) === 'pagerduty',
    send: async (notice, parts) => {
      const request = webhookRequest(url, secret, notice);
      if (request !== undefined) await sendSmall({ ...request, method: 'POST', attemptMs: ATTEMPT_MS }, parts);
    },
  };
}
