/** Checks of values that need no network: what libpq itself would refuse, and what this action cannot honour. */
import { ALLOWED_VALUES, INTEGER_KEYWORDS, KEYWORDS } from './keywords.ts';
import { isExpressibleLine } from './service-file.ts';

/** Sentences, one a problem; never the values. */
export function settingProblems(values: ReadonlyMap<string, string>): string[] {
  return [
    ...valueProblems(values),
    ...tlsProblems(values),
    ...unsupportedProblems(values),
    ...authenticationProblems(values.get('require_auth')),
    ...carriageProblems(values),
  ];
}

function valueProblems(values: ReadonlyMap<string, string>): string[] {
  const problems: string[] = [];
  for (const [key, allowed] of Object.entries(ALLOWED_VALUES)) {
    const value = values.get(key);
    // libpq minds the case everywhere but in the names of TLS versions.
    const same = (one: string) => one === value || (/protocol/.test(key) && one.toLowerCase() === value?.toLowerCase());
    if (value === undefined || allowed.some(same)) continue;
    const advice = key === 'sslmode' && value === 'no-verify' ? ' (no-verify of node-postgres is require here)' : '';
    problems.push(`${key} must be one of ${allowed.join(', ')}${advice}.`);
  }
  for (const key of INTEGER_KEYWORDS) {
    const value = values.get(key);
    if (value !== undefined && !/^\s*[+-]?\d{1,9}\s*$/.test(value)) problems.push(`${key} must be a whole number.`);
  }
  return problems;
}

/** Combinations that libpq refuses, so that nobody believes in a protection that is not there. */
function tlsProblems(values: ReadonlyMap<string, string>): string[] {
  const problems: string[] = [];
  const sslmode = values.get('sslmode');
  const system = values.get('sslrootcert') === 'system';
  if (system && sslmode !== undefined && sslmode !== 'verify-full') {
    problems.push(
      'sslrootcert=system demands sslmode=verify-full; a weaker sslmode would accept any public certificate.',
    );
  }
  const mode = sslmode ?? (system ? 'verify-full' : 'prefer');
  if (values.get('sslnegotiation') === 'direct' && ['disable', 'allow', 'prefer'].includes(mode)) {
    problems.push('sslnegotiation=direct demands sslmode=require, verify-ca or verify-full.');
  }
  if (mode === 'disable' && values.get('channel_binding') === 'require') {
    problems.push('channel_binding=require needs TLS, but sslmode=disable forbids it.');
  }
  return problems;
}

function unsupportedProblems(values: ReadonlyMap<string, string>): string[] {
  const problems: string[] = [];
  if (values.get('gssencmode') === 'require') {
    problems.push('gssencmode=require cannot be met: the sessions of this action speak TLS, not GSSAPI encryption.');
  }
  if (!['false', 'off', 'no', '0', ''].includes(values.get('replication') ?? '')) {
    problems.push('replication makes a connection that cannot run a backup; remove it.');
  }
  if (values.has('scram_client_key') || values.has('scram_server_key')) {
    problems.push('scram_client_key and scram_server_key cannot stand in for the password; give the password.');
  }
  return problems;
}

const AUTHENTICATION_METHODS = ['password', 'md5', 'gss', 'sspi', 'scram-sha-256', 'oauth', 'none'];

function authenticationProblems(requireAuth: string | undefined): string[] {
  if (requireAuth === undefined || requireAuth === '') return [];
  const methods = requireAuth.split(',');
  const negated = methods.filter((method) => method.startsWith('!')).length;
  const unknown = methods.some((method) => !AUTHENTICATION_METHODS.includes(method.replace(/^!/, '')));
  if (unknown)
    return [`require_auth must be a list of ${AUTHENTICATION_METHODS.join(', ')}, each with or without "!".`];
  return negated === 0 || negated === methods.length
    ? []
    : ['require_auth must have "!" before all of its methods or before none.'];
}

/** What neither a line of a service file nor a variable nor a pass file can carry to pg_dump. */
function carriageProblems(values: ReadonlyMap<string, string>): string[] {
  const problems: string[] = [];
  for (const [key, value] of values) {
    if (value.includes('\0')) problems.push(`${key} holds a NUL character.`);
    const keyword = KEYWORDS[key];
    if (keyword?.carrier === 'service' && keyword.env === undefined && !isExpressibleLine(key, value)) {
      problems.push(
        `${key} is too long, ends in white space or holds a line break; pg_dump cannot be given such a value.`,
      );
    }
  }
  if (/[\r\n]/.test(values.get('password') ?? '')) {
    problems.push('the password holds a line break, which no password file can carry; set another password.');
  }
  return problems;
}
