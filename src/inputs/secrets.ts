/** Every secret that the environment of the step holds, in every form: to be masked before anything is printed. */
import { type ConnectionRequest, parseConnection, secretForms } from '../domain/connection.ts';
import type { Environment } from '../domain/destination.ts';
import { BackupError } from '../domain/errors.ts';
import { secretsOfUrl } from '../domain/secret-url.ts';
import { secretsOfSmtpUrl } from '../domain/smtp.ts';
import { variableOf } from './names.ts';

/** Inputs that are secrets. */
const SECRET_INPUTS = ['age-passphrase', 'github-token', 'webhook-secret'];
/** URLs that are secrets, each with what must be masked of it. */
const SECRET_URLS: Readonly<Record<string, (text: string) => string[]>> = {
  'heartbeat-url': (text) => secretsOfUrl(text, { everyToken: false }),
  'slack-webhook-url': (text) => secretsOfUrl(text, { everyToken: true }),
  'webhook-url': (text) => secretsOfUrl(text, { everyToken: true }),
  'smtp-url': secretsOfSmtpUrl,
};
/** Inputs that hold some, with a grammar of their own. */
const CONNECTION_INPUTS = ['database-url', 'target-database-url'];
/** Also `NAME_SECRET_ACCESS_KEY` and `NAME_SESSION_TOKEN` of a destination's `credentials=NAME`. */
const SECRET_VARIABLES =
  /^(PGPASSWORD|ACTIONS_ID_TOKEN_REQUEST_TOKEN|ACTIONS_RUNTIME_TOKEN|[A-Z0-9_]*_SECRET_ACCESS_KEY|[A-Z0-9_]*_SESSION_TOKEN)$/;
/** An age identity can decrypt. Beside `age-identity` it belongs nowhere, and is pasted instead of a recipient all the same. */
const IDENTITY = /AGE-SECRET-KEY-[0-9A-Z-]+/gi;
/** `//user:password@` where no credentials belong, such as in `storage`. */
const USER_INFO = /\/\/[^/\s:@]*:([^/\s@]+)@/g;

/**
 * Exact strings, longest first, for `Log`. Never throws: from a connection string that cannot be read everything that
 * may be a password is taken. A password that equals the user, the host or the database is left out by itself, because
 * masking it would also blank the names that the log and the outputs are made of.
 */
export function secretsIn(env: Environment): string[] {
  const connections = CONNECTION_INPUTS.map((input) => connectionSecrets(env[variableOf(input)] ?? '', env));
  const others = Object.entries(env).flatMap(([name, value]) => secretValues(name, value ?? ''));
  const forms = new Set([...connections.flatMap((connection) => connection.forms), ...others.flatMap(secretForms)]);
  const isName = (form: string): boolean => connections.some(({ names }) => names.has(form));
  return [...forms].filter((form) => !isName(form)).sort((a, b) => b.length - a.length);
}

function connectionSecrets(text: string, env: Environment): { forms: string[]; names: Set<string> } {
  const request = readable(text, env);
  if (request === undefined) return { forms: secretForms(text), names: new Set() };
  const hosts = request.hosts.flatMap(({ host, hostaddr }) => [host, hostaddr ?? '']);
  return { forms: secretForms(request), names: new Set([request.user, request.dbname, ...hosts]) };
}

function readable(text: string, env: Environment): ConnectionRequest | undefined {
  try {
    return parseConnection(text, env);
  } catch (error) {
    // Reported when the inputs are read; here it only means that the text must be taken apart by guessing.
    if (error instanceof BackupError) return undefined;
    throw error;
  }
}

function secretValues(name: string, value: string): string[] {
  if (value === '') return [];
  if (SECRET_VARIABLES.test(name) || SECRET_INPUTS.some((input) => name === variableOf(input))) {
    return [value, value.trim()];
  }
  const url = Object.entries(SECRET_URLS).find(([input]) => name === variableOf(input));
  if (url !== undefined) return url[1](value);
  if (!name.startsWith('INPUT_')) return [];
  const passwords = [...value.matchAll(USER_INFO)].map((match) => match[1] ?? '');
  return [
    ...(value.match(IDENTITY) ?? []),
    ...(CONNECTION_INPUTS.some((input) => name === variableOf(input)) ? [] : passwords),
  ];
}
