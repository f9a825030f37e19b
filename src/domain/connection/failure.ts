import { type ConnectFailure, explainServerError } from './server-failure.ts';

export type { ConnectFailure };

/** Thrown by our own checks of what the server asks for; see `authenticationFault`. */
export const POLICY_ERROR_NAME = 'ConnectionPolicyError';

interface ErrorShape {
  name: string;
  message: string;
  code: string;
  errors: unknown[];
}

/** Reads any error of the driver, of Node's network and TLS layers, or of the server (SQLSTATE in `code`). */
export function classifyConnectError(error: unknown): ConnectFailure {
  const shape = shapeOf(error);
  if (shape.name === POLICY_ERROR_NAME) {
    return {
      code: 'ERR_AUTH',
      reason: shape.message,
      hint: 'Change the server to SCRAM over TLS, or relax require_auth or channel_binding in the connection string.',
      retry: false,
    };
  }
  if (shape.errors.length > 0) return classifySeveral(shape.errors);
  if (/^(?=.*\d)[0-9A-Z]{5}$/.test(shape.code)) return explainServerError(shape);
  return classifyNetwork(shape) ?? classifyTls(shape) ?? classifyDriver(shape);
}

/** A host with several addresses fails with one error for each: one that may pass decides. */
function classifySeveral(errors: readonly unknown[]): ConnectFailure {
  const failures = errors.map(classifyConnectError);
  return failures.find((failure) => failure.retry) ?? (failures[0] as ConnectFailure);
}

function shapeOf(error: unknown): ErrorShape {
  const object: Partial<ErrorShape> = typeof error === 'object' && error !== null ? error : {};
  return {
    name: typeof object.name === 'string' ? object.name : '',
    message: typeof object.message === 'string' ? object.message : String(error),
    code: typeof object.code === 'string' ? object.code : '',
    errors: Array.isArray(object.errors) ? object.errors : [],
  };
}

interface NetworkFailure {
  reason: string;
  hint: string;
  retry: boolean;
}

const LISTENING_HINT =
  'Check host and port, that the server runs, and that its firewall or allow-list admits this runner.';

const NO_ROUTE_HINT = 'Check the network of this runner, and that it can reach addresses of this kind (IPv4, IPv6).';

const NETWORK: readonly [string, NetworkFailure][] = [
  ['ECONNREFUSED', { reason: 'the connection was refused', hint: LISTENING_HINT, retry: true }],
  ['ECONNRESET', { reason: 'the connection was reset', hint: LISTENING_HINT, retry: true }],
  ['EPIPE', { reason: 'the connection was closed', hint: LISTENING_HINT, retry: true }],
  ['ETIMEDOUT', { reason: 'there was no answer in time', hint: LISTENING_HINT, retry: true }],
  ['EHOSTUNREACH', { reason: 'the host cannot be reached', hint: LISTENING_HINT, retry: true }],
  ['EHOSTDOWN', { reason: 'the host is down', hint: LISTENING_HINT, retry: true }],
  [
    'ENETUNREACH',
    {
      reason: 'there is no route to the host',
      hint: NO_ROUTE_HINT,
      retry: false,
    },
  ],
  [
    'EADDRNOTAVAIL',
    { reason: 'this machine has no address from which the host can be reached', hint: NO_ROUTE_HINT, retry: false },
  ],
  [
    'EAI_AGAIN',
    { reason: 'the name server did not answer', hint: 'Check the network and DNS of the runner.', retry: true },
  ],
  [
    'ENOTFOUND',
    {
      reason: 'there is no host of this name',
      hint: 'Check the spelling of the host. A private name (…internal, a service of another network) is not visible from this runner.',
      retry: false,
    },
  ],
  [
    'ENOENT',
    {
      reason: 'there is no Unix socket in this folder',
      hint: 'Name a host in the connection string, or start the server on this machine.',
      retry: true,
    },
  ],
  [
    'EACCES',
    {
      reason: 'this user may not open the Unix socket',
      hint: 'Run as a user that may, or connect by TCP.',
      retry: false,
    },
  ],
];

const NETWORK_CODES: ReadonlyMap<string, NetworkFailure> = new Map(NETWORK);

function classifyNetwork({ code, message }: ErrorShape): ConnectFailure | undefined {
  const known = NETWORK_CODES.get(code);
  if (known !== undefined) return { code: 'ERR_CONNECT', ...known };
  if (message === 'timeout expired' || /Connection terminated/.test(message)) {
    const reason = message === 'timeout expired' ? 'there was no answer in time' : 'the server closed the connection';
    return { code: 'ERR_CONNECT', reason, hint: LISTENING_HINT, retry: true };
  }
  if (/error establishing an SSL connection/.test(message)) {
    const reason = 'the server answered the request for TLS with an error';
    return { code: 'ERR_CONNECT', reason, hint: LISTENING_HINT, retry: true, refusedBy: 'tls' };
  }
  return undefined;
}

const CERTIFICATE_HINT =
  'Give the authority that signed it: sslrootcert=/path/to/ca.pem (providers offer the file in their dashboard; write it to disk in a step before), or sslrootcert=system for a public one. ' +
  'Verification is not weakened on its own.';

function classifyTls({ code, message }: ErrorShape): ConnectFailure | undefined {
  const final = { code: 'ERR_TLS', retry: false, refusedBy: 'tls' } as const;
  if (/does not support SSL/.test(message)) {
    const hint = 'Turn TLS on at the server (ssl = on), or write sslmode=disable if the network between is your own.';
    return { ...final, refusedBy: 'no-tls', reason: 'the server does not offer TLS, which sslmode demands', hint };
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const hint = 'Connect by the name in the certificate (hostaddr= may hold the address), or use sslmode=verify-ca.';
    return { ...final, reason: "the server's certificate is for another host", hint };
  }
  if (code === 'CERT_HAS_EXPIRED') {
    return { ...final, reason: "the server's certificate has expired", hint: 'Renew the certificate of the server.' };
  }
  const certificate = /SELF_SIGNED|UNABLE_TO|^CERT_|CRL|INVALID_CA|HOSTNAME_MISMATCH/.test(code);
  if (certificate) {
    return {
      ...final,
      untrusted: true,
      reason: `the server's certificate is not trusted (${code})`,
      hint: CERTIFICATE_HINT,
    };
  }
  if (/^(EPROTO|ERR_SSL_|ERR_TLS_|ERR_OSSL_)/.test(code)) {
    const hint = 'Check ssl_min_protocol_version, the client certificate, and that the port is that of a Postgres.';
    return { ...final, reason: `the TLS handshake failed (${code})`, hint };
  }
  return undefined;
}

/** What is left comes from the driver's authentication, or is unknown. */
function classifyDriver({ message, code }: ErrorShape): ConnectFailure {
  if (/client password must be/.test(message)) {
    return {
      code: 'ERR_AUTH',
      reason: 'the server asks for a password and none was given',
      hint: 'Put the password into the connection string, PGPASSWORD or the password file.',
      retry: false,
    };
  }
  if (message.startsWith('SASL')) {
    return {
      code: 'ERR_AUTH',
      reason: `the password exchange failed: ${message}`,
      hint: 'Check the password, and that the server uses SCRAM, MD5 or plain passwords.',
      retry: false,
    };
  }
  return {
    code: 'ERR_CONNECT',
    reason: code === '' ? message : `${message} (${code})`,
    hint: LISTENING_HINT,
    retry: false,
  };
}
