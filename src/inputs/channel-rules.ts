/** Rules between the inputs of channels. */
import type { InputProblem } from '../domain/errors.ts';
import { routingKeyOf, webhookForm } from '../domain/webhook-form.ts';
import { senderOf } from './channel-values.ts';
import type { InputValues } from './spec.ts';

const CHANNELS_ALONE = ['slack-webhook-url', 'webhook-url', 'smtp-url'] as const;

/** What is wrong between them: a channel that was meant and would say nothing. */
export function channelProblems(values: Partial<InputValues>): InputProblem[] {
  const problems: InputProblem[] = [];
  const server = values['smtp-url'];
  const to = values['email-to'] ?? [];
  if (values['webhook-secret'] !== undefined && 'webhook-url' in values && values['webhook-url'] === undefined) {
    problems.push({ input: 'webhook-url', message: 'it is empty, and `webhook-secret` is given. Give both, or none.' });
  }
  const webhook = values['webhook-url'];
  if (webhook !== undefined && webhookForm(webhook) === 'pagerduty' && routingKeyOf(webhook) === undefined) {
    problems.push({
      input: 'webhook-url',
      message: 'it is of PagerDuty and holds no key of an integration. Add it as `?routing_key=…`.',
    });
  }
  if ('smtp-url' in values && server === undefined && (to.length > 0 || values['email-from'] !== undefined)) {
    problems.push({
      input: 'smtp-url',
      message: 'it is empty, so that no mail can be sent. Give it, or remove `email-to` and `email-from`.',
    });
  }
  if (server !== undefined && 'email-to' in values && to.length === 0) {
    problems.push({ input: 'email-to', message: 'it is empty, and `smtp-url` is given: nobody would get that mail.' });
  }
  if (server !== undefined && 'email-from' in values && (values['email-from'] ?? senderOf(server)) === undefined) {
    problems.push({ input: 'email-from', message: 'it is empty, and the user in `smtp-url` is no address. Give it.' });
  }
  const isHeard = CHANNELS_ALONE.some((name) => !(name in values) || values[name] !== undefined);
  if (values.digest !== undefined && !isHeard) {
    problems.push({ input: 'digest', message: `nobody would get it. Give one of ${CHANNELS_ALONE.join(', ')}.` });
  }
  return problems;
}
