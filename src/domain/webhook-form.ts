/** Whose webhook a URL is, by its host: what is posted takes the form that is understood there. Pure. */

export type WebhookForm = 'discord' | 'teams' | 'pagerduty' | 'json';

export function webhookForm({ hostname, pathname }: URL): WebhookForm {
  if (/^(\w+\.)?discord(app)?\.com$/.test(hostname) && /^\/api\/(v\d+\/)?webhooks\//.test(pathname)) return 'discord';
  if (/\.(logic\.azure\.com|powerplatform\.com|webhook\.office\.com)$/.test(hostname)) return 'teams';
  if (/^events(\.eu)?\.pagerduty\.com$/.test(hostname)) return 'pagerduty';
  return 'json';
}

/**
 * Where the key of an integration stands, which PagerDuty wants in the body and which a single secret must hold too:
 * `?routing_key=…`, or the path `/integration/…/enqueue`. `undefined` when there is none.
 */
export function routingKeyOf(url: URL): string | undefined {
  const named = url.searchParams.get('routing_key') ?? '';
  return (named || /^\/integration\/([^/]+)\/enqueue\/?$/.exec(url.pathname)?.[1]) ?? undefined;
}
