/**
 * The connection to a Postgres: read as libpq reads it, carried to libpq and to the driver alike.
 * This file is the way in; the parts are in `connection/`.
 */
import { parseKeyValue, type Reading, type Setting } from './connection/dsn.ts';
import { DEFAULT_SOCKET_FOLDER } from './connection/pass-file.ts';
import { formOf, unwrapPasted } from './connection/pasted.ts';
import type { ConnectionHost, ConnectionRequest, SslMode, TargetSession } from './connection/request.ts';
import { resolveSettings, type Settings } from './connection/settings.ts';
import { parseUri } from './connection/uri.ts';
import { settingProblems } from './connection/validate.ts';
import { InputError } from './errors.ts';
import type { Finding } from './findings.ts';

export { type AuthMethod, authenticationFault } from './connection/authentication.ts';
export { explainConnectError } from './connection/explain.ts';
export { type ConnectFailure, classifyConnectError } from './connection/failure.ts';
export { lookupPassword, type PassEntry, type PassKey, parsePassFile } from './connection/pass-file.ts';
export {
  type ConnectionHost,
  type ConnectionRequest,
  displayHost,
  isUnixSocket,
  passwordFor,
  type SslMode,
  type TargetSession,
} from './connection/request.ts';
export { redact, secretForms } from './connection/secrets.ts';
export { isExpressibleLine, libpqEnvironment, libpqPassFile, libpqServiceFile } from './connection/service-file.ts';
export { type TlsAttempt, tlsAttempts } from './connection/tls.ts';
export { connectionUri } from './connection/to-uri.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_PORT = 5432;

/** What a child process of libpq may need of the surroundings; nothing else is handed on. */
const CHILD_VARIABLES = ['PATH', 'HOME', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'KRB5CCNAME', 'KRB5_CONFIG'];

/**
 * Reads a `postgresql://` URL or a `key=value` string as libpq does; PG* variables of `env` fill what it leaves out,
 * libpq's defaults come last. Two differences, both on purpose: an empty variable counts as unset, and the user is
 * never guessed from the operating system.
 *
 * @param input the name of the input, for messages
 * @throws InputError (`ERR_INPUT`) with all problems at once; no message ever quotes a value
 */
export function parseConnection(text: string, env: Environment, input = 'database-url'): ConnectionRequest {
  const fail = (problems: readonly string[]): never => {
    throw new InputError(problems.map((message) => ({ input, message })));
  };
  const pasted = unwrapPasted(text);
  const read = pasted.text === '' ? readNothing(env) : readText(pasted.text);
  if (!read.ok) return fail(read.problems);
  const settings = resolveSettings(read.value, env);
  const hosts = listHosts(settings.values);
  const problems = [...settings.problems, ...settingProblems(settings.values), ...(hosts.ok ? [] : hosts.problems)];
  if ((settings.values.get('user') ?? '') === '') {
    problems.push('it names no user. Write postgresql://USER:PASSWORD@HOST/DATABASE, or set PGUSER.');
  }
  if (!hosts.ok || problems.length > 0) return fail(problems);
  return buildRequest(text, pasted, settings, hosts.value, env);
}

/** Without any text the PG* variables must at least say where. */
function readNothing(env: Environment): Reading<Setting[]> {
  if (env.PGHOST || env.PGHOSTADDR) return { ok: true, value: [] };
  return {
    ok: false,
    problems: [
      'it is empty. A secret or variable that does not exist arrives as an empty string: check its name, ' +
        'and that it is set for this repository and environment (secrets do not reach pull requests from forks).',
    ],
  };
}

function readText(text: string): Reading<Setting[]> {
  const form = formOf(text);
  if (form.kind === 'wrong') return { ok: false, problems: [form.problem] };
  if (form.kind === 'key-value') return parseKeyValue(text);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\x00-\x1f\x7f]/.test(form.body)) {
    return { ok: false, problems: ['it holds a line break or another control character; paste it as one line.'] };
  }
  return parseUri(form.body);
}

/** libpq's rules: one port serves all hosts, otherwise the lists must be of one length. */
function listHosts(
  values: ReadonlyMap<string, string>,
): { ok: true; value: [ConnectionHost, ...ConnectionHost[]] } | { ok: false; problems: string[] } {
  const list = (key: string) => ((values.get(key) ?? '') === '' ? undefined : (values.get(key) as string).split(','));
  const names = list('host');
  const addresses = list('hostaddr');
  const ports = list('port') ?? [''];
  const problems: string[] = [];
  const count = (addresses ?? names ?? ['']).length;
  if (names !== undefined && names.length !== count) problems.push('host and hostaddr are lists of different length.');
  if (ports.length !== 1 && ports.length !== count) problems.push('there must be one port, or as many as hosts.');
  if (ports.some((port) => port !== '' && !isPort(port))) problems.push('a port is not a number from 1 to 65535.');
  if (names?.some((name) => name.startsWith('@'))) problems.push('abstract Unix sockets (@…) are not supported.');
  const verifiesName = values.get('sslmode') === 'verify-full' || values.get('sslrootcert') === 'system';
  if (verifiesName && addresses !== undefined && (names === undefined || names.includes(''))) {
    problems.push('sslmode=verify-full needs the name of the host beside its hostaddr.');
  }
  if (problems.length > 0) return { ok: false, problems };
  const hosts = Array.from({ length: count }, (_, index) => {
    const hostaddr = addresses?.[index] || undefined;
    const name = names?.[index] ?? '';
    const port = ports.length === 1 ? ports[0] : ports[index];
    return {
      host: name === '' && hostaddr === undefined ? DEFAULT_SOCKET_FOLDER : name,
      ...(hostaddr === undefined ? {} : { hostaddr }),
      port: port ? Number(port) : DEFAULT_PORT,
    };
  });
  return { ok: true, value: hosts as [ConnectionHost, ...ConnectionHost[]] };
}

function isPort(port: string): boolean {
  return /^\s*\d{1,5}\s*$/.test(port) && Number(port) >= 1 && Number(port) <= 65535;
}

const POSITIONAL = ['host', 'hostaddr', 'port', 'user', 'dbname', 'password'];

function buildRequest(
  text: string,
  pasted: { text: string; removed: readonly string[] },
  { values, secrets, notices }: Settings,
  hosts: readonly [ConnectionHost, ...ConnectionHost[]],
  env: Environment,
): ConnectionRequest {
  const get = (key: string) => values.get(key) || undefined;
  const optional = <K extends string>(name: K, value: string | undefined) =>
    (value === undefined ? {} : { [name]: value }) as Partial<Record<K, string>>;
  const user = get('user') as string;
  const sslrootcert = get('sslrootcert');
  const timeout = get('connect_timeout');
  return {
    hosts,
    user,
    dbname: get('dbname') ?? user,
    ...optional('password', get('password')),
    ...optional('passfile', get('passfile')),
    sslmode: (get('sslmode') ?? (sslrootcert === 'system' ? 'verify-full' : 'prefer')) as SslMode,
    sslnegotiation: get('sslnegotiation') === 'direct' ? 'direct' : 'postgres',
    ...optional('sslrootcert', sslrootcert),
    ...optional('sslcert', get('sslcert')),
    ...optional('sslkey', get('sslkey')),
    channelBinding: (get('channel_binding') ?? 'prefer') as ConnectionRequest['channelBinding'],
    ...optional('options', get('options')),
    ...(timeout === undefined ? {} : { connectTimeoutSeconds: Math.max(0, Number(timeout)) }),
    targetSessionAttrs: (get('target_session_attrs') ?? 'any') as TargetSession,
    loadBalanceHosts: get('load_balance_hosts') === 'random',
    ...optional('applicationName', get('application_name')),
    settings: Object.fromEntries([...values].filter(([key]) => !POSITIONAL.includes(key))),
    environment: Object.fromEntries(CHILD_VARIABLES.flatMap((name) => (env[name] ? [[name, env[name]]] : []))),
    notices: [...pastedNotices(pasted), ...notices, ...defaultHostNotices(values)],
    secrets: [...new Set([text, pasted.text, ...secrets])].filter((secret) => secret !== ''),
  };
}

function pastedNotices({ text, removed }: { text: string; removed: readonly string[] }): Finding[] {
  if (text === '') {
    const seen = 'The connection string is empty; the PG* variables alone say where to connect.';
    return [{ code: 'connection-from-environment', severity: 'notice', seen, action: '' }];
  }
  if (removed.length === 0) return [];
  const seen = `The connection string was pasted together with ${removed.join(' and ')} around it, which was taken off.`;
  return [
    { code: 'connection-trimmed', severity: 'notice', seen, action: 'Correct the secret when you next edit it.' },
  ];
}

function defaultHostNotices(values: ReadonlyMap<string, string>): Finding[] {
  if (values.get('host') || values.get('hostaddr')) return [];
  const seen = `No host is named, so the connection goes to the Unix socket in ${DEFAULT_SOCKET_FOLDER}, as libpq does.`;
  return [{ code: 'connection-default-host', severity: 'notice', seen, action: 'Name the host if that is not meant.' }];
}
