/** From written settings and PG* variables to one value per libpq keyword, with a word for every key that is not libpq's. */
import type { Finding } from '../findings.ts';
import type { Setting } from './dsn.ts';
import { foreignKeyOwner } from './foreign-keys.ts';
import { KEYWORDS, keywordOf } from './keywords.ts';

export interface Settings {
  values: Map<string, string>;
  /** Decoded and written form of every secret value. */
  secrets: string[];
  notices: Finding[];
  problems: string[];
}

/** Later settings replace earlier ones, variables fill only what the text left out, empty variables count as unset. */
export function resolveSettings(
  written: readonly Setting[],
  env: Readonly<Record<string, string | undefined>>,
): Settings {
  const settings: Settings = { values: new Map(), secrets: [], notices: [], problems: [] };
  let spilled = false;
  for (const setting of written) {
    const secret = keywordOf(setting.key)?.secret === true;
    if (secret) settings.secrets.push(setting.value, setting.raw);
    take(settings, setting, !spilled && setting.uncertain !== true);
    spilled ||= secret && setting.place === 'parameter' && !isQuoted(setting);
  }
  fillFromEnvironment(settings, env);
  return settings;
}

/** What follows an unquoted password may be the password's own rest, cut off at a space or an unescaped `&`. */
function isQuoted({ raw, value }: Setting): boolean {
  return raw.length >= 2 && raw.startsWith("'") && raw.endsWith("'") && !value.startsWith("'");
}

function take(settings: Settings, setting: Setting, mayName: boolean): void {
  const { key, value } = setting;
  if (key === 'requiressl') settings.values.set('sslmode', value.startsWith('1') ? 'require' : 'prefer');
  else if (key === 'ssl') takeSsl(settings, value);
  else if (key === 'service') settings.problems.push(serviceProblem('`service`'));
  else if (keywordOf(key)?.carrier === 'ignored') settings.notices.push(dropped(key, 'libpq ignores it.'));
  else if (keywordOf(key) !== undefined) settings.values.set(key, value);
  else takeForeign(settings, key, value, mayName);
}

function takeForeign(settings: Settings, key: string, value: string, mayName: boolean): void {
  const owner = foreignKeyOwner(key);
  if (key === 'pgbouncer' && !['false', '0', 'off', ''].includes(value.toLowerCase())) {
    settings.problems.push(
      'it says pgbouncer=true, so it leads to a connection pooler, through which a dump can be silently wrong. ' +
        'Use the direct URL (Prisma: directUrl; Supabase: port 5432; Neon: the host without -pooler).',
    );
  } else if (key === 'sslaccept' && value === 'strict') {
    settings.notices.push({
      ...dropped(key, 'Prisma checks the certificate with it, libpq does not know it.'),
      severity: 'warning',
      action: 'Write sslmode=verify-full instead, with sslrootcert=system or a path.',
    });
  } else if (owner !== undefined) {
    settings.notices.push(dropped(key, `${owner} uses it, libpq does not know it.`));
  } else {
    settings.problems.push(unknownKey(key, mayName));
  }
}

/**
 * libpq knows `ssl=true` only, as `sslmode=require`. Other libraries write more. None of them ever weakens an
 * explicit sslmode.
 */
function takeSsl(settings: Settings, value: string): void {
  const modes: Record<string, string> = { true: 'require', '1': 'require', on: 'require', yes: 'require' };
  const mode = modes[value] ?? (value === 'no-verify' ? 'require' : value);
  if (['false', '0', 'off', 'no'].includes(value)) {
    settings.notices.push(dropped('ssl', 'libpq knows only ssl=true; sslmode decides.'));
  } else if (['require', 'verify-ca', 'verify-full'].includes(mode)) {
    const strict = ['require', 'verify-ca', 'verify-full'];
    if (strict.indexOf(settings.values.get('sslmode') ?? '') < strict.indexOf(mode))
      settings.values.set('sslmode', mode);
  } else {
    settings.problems.push('`ssl` has a value that libpq does not know; write sslmode=require or sslmode=verify-full.');
  }
}

function unknownKey(key: string, mayName: boolean): string {
  if (!mayName || !/^[A-Za-z][\w.-]{0,40}$/.test(key)) {
    return (
      'one key is not a keyword that libpq knows (not shown, because it may be a part of the ' +
      "password). In a URL percent-encode the password; in key=value pairs quote it: password='…'."
    );
  }
  const plain = (name: string) => name.toLowerCase().replaceAll(/[_.-]/g, '');
  const meant = Object.keys(KEYWORDS).find((name) => plain(name) === plain(key));
  return `\`${key}\` is not a keyword that libpq knows${meant === undefined ? '; remove it' : `; write ${meant}`}.`;
}

function dropped(key: string, why: string): Finding {
  return { code: 'connection-key-dropped', severity: 'notice', seen: `\`${key}\` was left out: ${why}`, action: '' };
}

function serviceProblem(name: string): string {
  return `${name} names an entry of a service file, which this action does not read; write host, user and dbname themselves.`;
}

function fillFromEnvironment(settings: Settings, env: Readonly<Record<string, string | undefined>>): void {
  for (const [key, keyword] of Object.entries(KEYWORDS)) {
    const value = keyword.env === undefined ? undefined : env[keyword.env];
    if (value === undefined || value === '' || settings.values.has(key) || keyword.carrier === 'ignored') continue;
    if (keyword.secret === true) settings.secrets.push(value);
    if (key === 'service') settings.problems.push(serviceProblem('the variable PGSERVICE'));
    else settings.values.set(key, value);
  }
  if (env.PGREQUIRESSL?.startsWith('1') && !settings.values.has('sslmode')) settings.values.set('sslmode', 'require');
}
