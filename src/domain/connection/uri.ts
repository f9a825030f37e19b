/**
 * The `postgresql://` form of a connection string, as libpq's `conninfo_uri_parse` reads it. Passwords that should
 * have been percent-encoded are accepted where exactly one sensible reading exists.
 */
import type { Reading, Setting } from './dsn.ts';
import { foreignKeyOwner } from './foreign-keys.ts';
import { keywordOf } from './keywords.ts';
import { decodeCredential, decodePercent } from './percent.ts';

/** The pieces of one way to read a URI, still encoded. */
interface Pieces {
  user: string;
  password: string;
  hosts: string[];
  ports: string[];
  dbname: string;
  query: { key: string; value: string }[];
  /** What speaks against this reading. */
  faults: string[];
}

const ENCODE_HINT =
  'Percent-encode the special characters of user name and password: @ is %40, : is %3A, / is %2F, ? is %3F, # is %23, % is %25.';

/** `body` is what follows `postgresql://`. Empty parts are left out, as libpq does. */
export function parseUri(body: string): Reading<Setting[]> {
  const chosen = chooseReading(body);
  if (chosen === undefined) {
    return { ok: false, problems: [`an unencoded "@" lets it be read in more than one way. ${ENCODE_HINT}`] };
  }
  if (chosen.faults.length > 0) {
    const hint = body.includes('@') ? ` ${ENCODE_HINT}` : '';
    return { ok: false, problems: chosen.faults.map((fault) => `${fault}.${hint}`) };
  }
  return toSettings(chosen);
}

/**
 * libpq's own reading when it makes sense, else the only other place of the `@` that does;
 * `undefined` when several do. A reading with faults is returned when none does.
 */
function chooseReading(body: string): Pieces | undefined {
  const libpqAt = body.search(/[@/]/);
  const own = libpqAt >= 0 && body[libpqAt] === '@' ? libpqAt : -1;
  const strict = readAt(body, own);
  const doubts = doubtsAbout(strict);
  if (doubts === 'none') return strict;
  const others = [...body.matchAll(/@/g)].map((match) => match.index).filter((at) => at !== own);
  const readings = others.map((at) => lenientReading(body, at));
  const sensible = readings.filter((pieces) => pieces.faults.length === 0);
  const candidates = doubts === 'odd' ? [...sensible, strict] : sensible;
  // Known parameters behind the `?` are no accident, and no part of a password.
  const convincing = candidates.filter(({ query }) => query.length > 0 && query.every(isKnown));
  if (convincing.length === 1) return convincing[0];
  if (candidates.length > 1) return undefined;
  return candidates[0] ?? readings.at(-1) ?? strict;
}

/** Where libpq sees no credentials, they are believed in only when a host follows them. */
function lenientReading(body: string, at: number): Pieces {
  const pieces = readAt(body, at);
  const hasHost = pieces.hosts.some((host) => host !== '');
  return hasHost ? pieces : { ...pieces, faults: [...pieces.faults, 'there is no host behind the last "@"'] };
}

/** `odd`: possible, but an `@` behind the first one may as well belong to the password. */
function doubtsAbout(pieces: Pieces): 'none' | 'odd' | 'senseless' {
  if (pieces.faults.length > 0 || /@.*\//s.test(pieces.dbname)) return 'senseless';
  return pieces.dbname.includes('@') || isUncertain(pieces.query) ? 'odd' : 'none';
}

function isUncertain(query: Pieces['query']): boolean {
  return query.some(({ value }) => value.includes('@')) && !query.every(isKnown);
}

function isKnown({ key }: { key: string }): boolean {
  return keywordOf(key) !== undefined || foreignKeyOwner(key) !== undefined || ['ssl', 'requiressl'].includes(key);
}

function readAt(body: string, at: number): Pieces {
  const userinfo = at < 0 ? '' : body.slice(0, at);
  const colon = userinfo.indexOf(':');
  const rest = body.slice(at + 1);
  const authorityEnd = rest.search(/[/?]/);
  const authority = authorityEnd < 0 ? rest : rest.slice(0, authorityEnd);
  const tail = authorityEnd < 0 ? '' : rest.slice(authorityEnd);
  const question = tail.indexOf('?');
  const path = question < 0 ? tail : tail.slice(0, question);
  const { hosts, ports, faults } = readAuthority(authority);
  const query = readQuery(question < 0 ? '' : tail.slice(question + 1));
  return {
    user: colon < 0 ? userinfo : userinfo.slice(0, colon),
    password: colon < 0 ? '' : userinfo.slice(colon + 1),
    hosts,
    ports,
    dbname: path.slice(1),
    query: query.pairs,
    faults: [...faults, ...query.faults],
  };
}

const HOST_NAME = /^[\p{L}\p{N}._%~-]*$/u;
/** One `host:port` of the list; an address in brackets may hold colons. */
const HOST_AND_PORT = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/s;

function readAuthority(authority: string): { hosts: string[]; ports: string[]; faults: string[] } {
  const hosts: string[] = [];
  const ports: string[] = [];
  const faults = new Set<string>();
  for (const part of authority.split(',')) {
    const match = HOST_AND_PORT.exec(part);
    const bracketed = match?.[1];
    const host = bracketed ?? match?.[2] ?? '';
    const port = match?.[3] ?? '';
    if (match === null) faults.add('the brackets of an IPv6 address are not in order; write [2001:db8::1]:5432');
    if (bracketed === '') faults.add('the IPv6 address in brackets is empty');
    if (bracketed === undefined && !HOST_NAME.test(host)) {
      faults.add('a host name holds a character that no host name has');
    }
    if (!/^\d*$/.test(port)) faults.add('a port is not a number');
    hosts.push(host);
    ports.push(port);
  }
  return { hosts, ports, faults: [...faults] };
}

function readQuery(query: string): { pairs: { key: string; value: string }[]; faults: string[] } {
  const pairs: { key: string; value: string }[] = [];
  const faults = new Set<string>();
  // libpq allows an `&` at the end, but not one at the beginning.
  const parts = query.replace(/&$/, '').split('&');
  for (const [index, part] of query === '' ? [] : parts.entries()) {
    const equals = part.split('=').length - 1;
    const [key = '', value = ''] = part.split('=');
    if (equals === 0) faults.add(`parameter number ${index + 1} after "?" has no "="`);
    else if (equals > 1) faults.add(`parameter number ${index + 1} after "?" holds a second "="; write %3D for it`);
    else if (!/^[\w.%-]+$/.test(key)) faults.add(`parameter number ${index + 1} after "?" has no proper name`);
    pairs.push({ key, value });
  }
  return { pairs, faults: [...faults] };
}

function toSettings(pieces: Pieces): Reading<Setting[]> {
  const settings: Setting[] = [];
  const problems: string[] = [];
  const uncertain = isUncertain(pieces.query);
  const add = (key: string, what: string, raw: string, origin: Pick<Setting, 'place' | 'uncertain'>) => {
    const decode = key === 'user' || key === 'password' ? decodeCredential : decodePercent;
    const decoded = decode(raw);
    if (decoded.ok) settings.push({ key, value: decoded.value, raw, ...origin });
    else problems.push(`${what} ${decoded.fault}.`);
  };
  const addUnlessEmpty = (key: string, what: string, raw: string) => {
    if (raw !== '') add(key, what, raw, { place: 'authority' });
  };
  addUnlessEmpty('user', 'the user name', pieces.user);
  addUnlessEmpty('password', 'the password', pieces.password);
  addUnlessEmpty('host', 'the host', pieces.hosts.join(','));
  addUnlessEmpty('port', 'the port', pieces.ports.join(','));
  addUnlessEmpty('dbname', 'the database name', pieces.dbname);
  for (const [index, pair] of pieces.query.entries()) {
    const key = decodePercent(pair.key);
    if (key.ok) {
      add(key.value, `the value of parameter number ${index + 1} after "?"`, pair.value, {
        place: 'parameter',
        uncertain,
      });
    } else problems.push(`the name of parameter number ${index + 1} after "?" ${key.fault}.`);
  }
  return problems.length === 0 ? { ok: true, value: settings } : { ok: false, problems };
}
