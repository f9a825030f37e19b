/** Every form in which a secret may come back in somebody's message, for masking and for redaction. */
import { parseKeyValue } from './dsn.ts';
import { escapePassField } from './pass-file.ts';
import { formOf, unwrapPasted } from './pasted.ts';
import type { ConnectionRequest } from './request.ts';

/**
 * Secrets of fewer characters are not masked by themselves: a mask for `a` would blank every `a` of the log and,
 * by the pattern it leaves, tell the password to everyone. The whole connection string is masked all the same.
 */
const MIN_SECRET_CHARACTERS = 4;

/** Words that stand in every other line of a log: masking them would hide nothing and ruin the rest. */
const PUBLIC_WORDS = ['postgres', 'postgresql', 'localhost', '127.0.0.1'];

/**
 * All forms to mask before the value is used for the first time, longest first. From a text that has not been parsed
 * (or cannot be) everything that may be a password is taken. A password that equals the user, the database, a host
 * or one of the words `postgres` and `localhost` is no form by itself; its escaped and longer forms are.
 */
export function secretForms(source: ConnectionRequest | string): string[] {
  const secrets = typeof source === 'string' ? secretsOfText(source) : secretsOfRequest(source);
  const known = new Set(typeof source === 'string' ? PUBLIC_WORDS : [...PUBLIC_WORDS, ...publicParts(source)]);
  const forms = secrets.filter((secret) => secret.length >= MIN_SECRET_CHARACTERS).flatMap(formsOf);
  return [...new Set(forms)].filter((form) => !known.has(form)).sort((a, b) => b.length - a.length);
}

/** `text` with every form replaced by `***`. `forms` as {@link secretForms} gives them, longest first. */
export function redact(text: string, forms: readonly string[]): string {
  return forms.reduce((masked, form) => masked.replaceAll(form, '***'), text);
}

function secretsOfRequest(request: ConnectionRequest): string[] {
  return [...request.secrets, ...request.hosts.flatMap((host) => host.password ?? [])];
}

function publicParts(request: ConnectionRequest): string[] {
  return [request.user, request.dbname, ...request.hosts.flatMap((host) => [host.host, host.hostaddr ?? ''])];
}

function secretsOfText(original: string): string[] {
  const { text } = unwrapPasted(original);
  if (text === '') return [];
  const form = formOf(text);
  const keyValue = form.kind === 'key-value' ? parseKeyValue(text) : undefined;
  const passwords = keyValue?.ok
    ? keyValue.value.filter(({ key }) => /password|secret|_key$/i.test(key)).flatMap(({ value, raw }) => [value, raw])
    : guessPasswords(text);
  const lines = original.split(/[\r\n]+/).map((line) => line.trim());
  return [original, text, ...lines, ...passwords].filter((secret) => secret !== '');
}

/** Whatever stands between the first `:` and any `@` behind the scheme, and behind every `password=`. */
function guessPasswords(text: string): string[] {
  const body = text.replace(/^.*?:\/\//s, '');
  const colon = body.indexOf(':');
  const beforeAt = [...body.matchAll(/@/g)].map((match) => body.slice(colon + 1, match.index));
  const parameters = [...text.matchAll(/password\s*=\s*([^&\s]+)/gi)].map((match) => match[1] ?? '');
  const raw = [...(colon < 0 ? [] : beforeAt), ...parameters];
  return raw.flatMap((password) => [password, decodeWhatCan(password)]).filter((password) => password !== '');
}

function decodeWhatCan(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (run) => new TextDecoder().decode(hexBytes(run)));
}

function hexBytes(run: string): Uint8Array {
  return Uint8Array.from(run.slice(1).split('%'), (pair) => Number.parseInt(pair, 16));
}

function formsOf(secret: string): string[] {
  const bytes = new TextEncoder().encode(secret);
  const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  const percent = encodeAll(secret, /[A-Za-z0-9_.!~*'()-]/);
  const strict = encodeAll(secret, /[A-Za-z0-9_.~-]/);
  const lenient = encodeAll(secret, /[A-Za-z0-9_.!~*'();,/?:@&=+$#-]/);
  const backslashed = secret.replace(/[\\']/g, '\\$&');
  return [
    secret,
    ...[percent, strict, lenient].flatMap((form) => [form, lowerHex(form)]),
    strict.replaceAll('%20', '+'),
    percent.replaceAll('%20', '+'),
    JSON.stringify(secret).slice(1, -1),
    secret.replaceAll("'", "''"),
    backslashed,
    escapePassField(secret),
    base64,
    base64.replace(/=+$/, ''),
    base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, ''),
  ];
}

/** Percent-encodes every character that `kept` does not match; never throws, unlike `encodeURIComponent`. */
function encodeAll(text: string, kept: RegExp): string {
  const encode = (char: string) =>
    Array.from(new TextEncoder().encode(char), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(
      '',
    );
  return Array.from(text, (char) => (kept.test(char) ? char : encode(char))).join('');
}

function lowerHex(encoded: string): string {
  return encoded.replace(/%[0-9A-F]{2}/g, (triple) => triple.toLowerCase());
}
