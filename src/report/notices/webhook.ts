/**
 * What is posted to `webhook-url`: the form of the service that the host belongs to, else JSON of our own, which
 * docs/webhook.schema.json describes and which only ever gains fields.
 */
import { createHmac } from 'node:crypto';
import { routingKeyOf, type WebhookForm, webhookForm } from '../../domain/webhook-form.ts';
import { type Notice, SECTIONS, type SectionKey } from '../notice.ts';
import { discordPayload } from './discord.ts';
import { fitted } from './fit.ts';
import { dedupKey, pagerDutyPayload } from './pagerduty.ts';
import { teamsPayload } from './teams.ts';

export const WEBHOOK_VERSION = 1;
const MAX_TITLE = 500;
const MAX_SECTION = 8_000;

export interface WebhookRequest {
  url: string;
  body: string;
  headers: Readonly<Record<string, string>>;
}

/** `undefined`: the service has no word for it, or its URL holds no key. */
export function webhookRequest(url: URL, secret: string | undefined, notice: Notice): WebhookRequest | undefined {
  const form = webhookForm(url);
  const payload = payloadOf(form, url, notice);
  if (payload === undefined) return undefined;
  const body = JSON.stringify(payload);
  return {
    url: form === 'pagerduty' ? new URL('/v2/enqueue', url).href : url.href,
    body,
    headers: {
      'content-type': 'application/json',
      ...(secret === undefined ? {} : { 'x-signature-256': signature(body, secret) }),
    },
  };
}

function payloadOf(form: WebhookForm, url: URL, notice: Notice): object | undefined {
  switch (form) {
    case 'discord':
      return discordPayload(notice);
    case 'teams':
      return teamsPayload(notice);
    case 'pagerduty': {
      const key = routingKeyOf(url);
      return key === undefined ? undefined : pagerDutyPayload(notice, key);
    }
    case 'json':
      return genericPayload(notice);
  }
}

/**
 * HMAC-SHA256 of the body, as GitHub signs its own webhooks. The time and the id stand in the body, so that they are
 * signed with it: whoever heeds them cannot be told the same twice.
 */
export function signature(body: string, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

/** Every field is always there; null where there is nothing to say. */
export function genericPayload({ kind, level, title, sections, code, reason, about }: Notice): object {
  const { id, at, command, series, repository, runUrl, issue } = about;
  const texts = Object.keys(SECTIONS).map((key) => {
    const text = sections[key as SectionKey];
    return [key, text === undefined ? null : fitted(text, MAX_SECTION)];
  });
  return {
    version: WEBHOOK_VERSION,
    id,
    sentAt: at.toISOString(),
    event: kind,
    level: level ?? null,
    command,
    series: series ?? null,
    repository: repository ?? null,
    key: dedupKey(about),
    code: code ?? null,
    title: fitted(title, MAX_TITLE),
    ...Object.fromEntries(texts),
    reason,
    runUrl: runUrl ?? null,
    issueUrl: issue?.url ?? null,
  };
}
