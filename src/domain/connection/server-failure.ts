/** What a server's or pooler's refusal means, by SQLSTATE and, where that says too little, by its words. */
import type { ErrorCode } from '../errors.ts';

export interface ConnectFailure {
  code: ErrorCode;
  /** What happened, without the host and not yet redacted. */
  reason: string;
  hint: string;
  /** A server that is starting or waking up may answer later. */
  retry: boolean;
  /**
   * Whether another kind of connection may do better, as libpq's `allow` and `prefer` assume.
   * `no-tls`: TLS is not offered; `tls`: it was refused or failed; `server`: the server itself said no.
   */
  refusedBy?: 'no-tls' | 'tls' | 'server';
  /** The certificate is signed by an authority that is not known here. */
  untrusted?: true;
}

interface Rule {
  when: RegExp;
  code: ErrorCode;
  hint: string;
  retry?: true;
}

/** Tried before the SQLSTATEs, because poolers and providers use unspecific ones. */
const BY_WORDS: readonly Rule[] = [
  {
    when: /tenant or user not found|tenant\/user .* not found/i,
    code: 'ERR_AUTH',
    hint: 'On Supabase the user of the pooler is postgres.PROJECT_REF, and the host is that of the project’s own region.',
  },
  {
    when: /unsupported startup parameter/i,
    code: 'ERR_POOLER',
    hint: 'This is a connection pooler. Use the direct URL of the database, or leave `options` out.',
  },
  {
    when: /no such database|database .* does not exist/i,
    code: 'ERR_DATABASE_MISSING',
    hint: 'Check the database name at the end of the URL; upper and lower case count.',
  },
  {
    when: /endpoint id is not specified/i,
    code: 'ERR_TLS',
    hint: 'Neon needs the host name in the TLS handshake: connect by its name with sslmode=require.',
  },
  {
    when: /pg_hba\.conf.*(no encryption|SSL off)/i,
    code: 'ERR_AUTH',
    hint: 'The server admits this user only over TLS or from other addresses: write sslmode=require, or extend pg_hba.conf.',
  },
  {
    when: /pg_hba\.conf/i,
    code: 'ERR_AUTH',
    hint: 'The server’s pg_hba.conf has no line for this user, database and address: add one, or use another user.',
  },
];

const BY_STATE: readonly (Rule & { when: RegExp })[] = [
  {
    when: /^28/,
    code: 'ERR_AUTH',
    hint: 'Check user and password. Special characters of a password must be percent-encoded in a URL.',
  },
  {
    when: /^3D000$/,
    code: 'ERR_DATABASE_MISSING',
    hint: 'Check the database name at the end of the URL; upper and lower case count.',
  },
  {
    when: /^42501$/,
    code: 'ERR_AUTH',
    hint: 'As an administrator type: GRANT CONNECT ON DATABASE … TO …;',
  },
  { when: /^57P03$/, code: 'ERR_CONNECT', hint: 'The server is starting or shutting down: run again.', retry: true },
  { when: /^57P0[12]$/, code: 'ERR_CONNECT', hint: 'The server was being shut down: run again.', retry: true },
  {
    when: /^53300$/,
    code: 'ERR_CONNECT',
    hint: 'All connections are in use: end idle ones, raise max_connections, or run at a quieter time.',
    retry: true,
  },
  {
    when: /^08/,
    code: 'ERR_CONNECT',
    hint: 'Check host and port, and that they are those of a Postgres.',
    retry: true,
  },
  {
    when: /^XX000$/,
    code: 'ERR_CONNECT',
    hint: 'The server or a proxy before it failed: look at the provider’s status page and at the log of the server.',
    retry: true,
  },
];

const UNKNOWN_HINT = 'Look the message up in the log of the server.';

/** `code` is the SQLSTATE. */
export function explainServerError({ code, message }: { code: string; message: string }): ConnectFailure {
  const rule = BY_WORDS.find(({ when }) => when.test(message)) ?? BY_STATE.find(({ when }) => when.test(code));
  return {
    code: rule?.code ?? 'ERR_CONNECT',
    reason: `the server said: ${message}`,
    hint: rule?.hint ?? UNKNOWN_HINT,
    retry: rule?.retry ?? false,
    // Only pg_hba.conf distinguishes TLS from plain connections: a wrong password stays wrong with either.
    ...(code === '28000' ? { refusedBy: 'server' as const } : {}),
  };
}
