/** A mail server as a URL: `smtps://user:password@mail.example.com:465`, or `smtp://` for STARTTLS. Pure. */
import { isTokenLike } from './secret-url.ts';

export interface SmtpServer {
  host: string;
  port: number;
  /** `immediate`: TLS from the first byte. `starttls`: the connection is turned into one, or nothing is said. */
  tls: 'immediate' | 'starttls';
  /** Absent for a server that asks for none. */
  login?: { user: string; password: string };
}

/** RFC 8314: submission with implicit TLS, and with STARTTLS. */
const PORTS = { 'smtps:': 465, 'smtp:': 587 } as const;

/** `undefined` for what is no such URL. */
export function parseSmtpUrl(text: string): SmtpServer | undefined {
  if (!/^smtps?:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const { protocol, hostname, port, username, password } = url;
  const user = decoded(username);
  const word = decoded(password);
  const isPlain = /^\/?$/.test(url.pathname) && url.search === '' && url.hash === '';
  if (!isPlain || hostname === '' || user === undefined || word === undefined) return undefined;
  if ((user === '') !== (word === '')) return undefined;
  const known = protocol === 'smtps:' ? 'smtps:' : 'smtp:';
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? PORTS[known] : Number(port),
    tls: known === 'smtps:' ? 'immediate' : 'starttls',
    ...(user === '' ? {} : { login: { user, password: word } }),
  };
}

/** What must be masked: the whole, and the password in every form. Never throws. */
export function secretsOfSmtpUrl(text: string): string[] {
  const trimmed = text.trim();
  const guessed = [...trimmed.matchAll(/:([^/@]+)@/g)].map((match) => match[1] ?? '');
  const { login } = parseSmtpUrl(trimmed) ?? {};
  const { user = '', password = '' } = login ?? {};
  return [
    ...[text, trimmed, ...guessed, ...guessed.map((each) => decoded(each) ?? ''), password],
    // As it is sent by AUTH PLAIN.
    ...(login === undefined ? [] : [Buffer.from(`\0${user}\0${password}`).toString('base64')]),
    ...(isTokenLike(user) && !user.includes('@') ? [user] : []),
  ].filter((secret) => secret !== '');
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
