/** URLs whose possession is all that it takes to use them: what of one must never be read. */

/** Parameters whose value is a secret, whatever it looks like. */
const SECRET_PARAMETERS = /^(routing_key|sig|signature|token|key|secret|code|password)$/i;
/** Shorter ones are no secret that anybody gives out, and would blank the log. */
const MIN_SECRET_CHARACTERS = 8;

/**
 * What must be masked: the whole, and what in it looks like a token. Never throws.
 * @param everyToken also of the parts of its path all that look like one; false for a heartbeat, where the name of a
 *   check stands behind the first: a mask for `shop-nightly-2026` would blank the log
 */
export function secretsOfUrl(text: string, { everyToken }: { everyToken: boolean }): string[] {
  const trimmed = text.trim();
  if (!URL.canParse(trimmed)) return [text, trimmed].filter((secret) => secret !== '');
  const url = new URL(trimmed);
  const { href, pathname, search, searchParams, username, password } = url;
  const tokens = pathname.split('/').filter(isTokenLike);
  const named = [...searchParams].filter(([name]) => SECRET_PARAMETERS.test(name)).map(([, value]) => value);
  return [
    ...[text, trimmed, href, href.replace(/\/$/, ''), href.replace(/[?#].*$/, '')],
    ...(tokens.length === 0 ? [] : [`${pathname}${search}`, pathname]),
    ...[password, ...(everyToken ? tokens : tokens.slice(0, 1))],
    ...[username, ...searchParams.values()].filter(isTokenLike),
    ...named.filter((value) => value.length >= MIN_SECRET_CHARACTERS),
  ].filter((secret) => secret !== '');
}

/** Letters and digits in one long word. */
export function isTokenLike(part: string): boolean {
  return part.length >= 10 && /[A-Za-z]/.test(part) && /\d/.test(part);
}

/** An address that leads nowhere but to this machine, where nobody listens on the way. */
export function isLoopback({ hostname }: Pick<URL, 'hostname'>): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}
