/** Conditions that libpq checks before it trusts the other side, and that the driver does not know. */
import { readFile, stat } from 'node:fs/promises';
import type pg from 'pg';
import { POLICY_ERROR_NAME } from '../domain/connection/failure.ts';
import {
  type AuthMethod,
  authenticationFault,
  type ConnectionHost,
  type ConnectionRequest,
} from '../domain/connection.ts';

/**
 * Ends the session before anything is answered when `require_auth` or `channel_binding=require` is not met.
 * To be called before `client.connect()`: the driver's own handlers must run after these.
 * @returns what to throw after a `connect()` that succeeded all the same: a server that asks for nothing is ready
 * before the end of the stream is noticed
 */
export function guardAuthentication(
  client: pg.Client,
  request: ConnectionRequest,
  encrypted: boolean,
): () => Error | undefined {
  const { connection } = client;
  let asked = false;
  let refusal: Error | undefined;
  const judge = (method: AuthMethod, bound = false) => {
    asked = true;
    const fault = authenticationFault(request, method, bound);
    if (fault === undefined) return;
    refusal = policyError(fault);
    // A destroyed stream is not writable, so the driver's handler, which runs next, sends nothing.
    connection.stream.destroy(refusal);
  };
  connection.on('authenticationCleartextPassword', () => judge('password'));
  connection.on('authenticationMD5Password', () => judge('md5'));
  connection.on('authenticationSASL', ({ mechanisms }: { mechanisms: string[] }) => {
    const bound = encrypted && request.channelBinding !== 'disable' && mechanisms.includes('SCRAM-SHA-256-PLUS');
    judge(mechanisms.some((name) => name.startsWith('SCRAM')) ? 'scram-sha-256' : 'oauth', bound);
  });
  connection.on('authenticationOk', () => {
    if (!asked) judge('none');
  });
  return () => refusal;
}

function policyError(message: string): Error {
  const error = new Error(message);
  error.name = POLICY_ERROR_NAME;
  return error;
}

/**
 * `requirepeer`: libpq asks the kernel for the user at the other end of the socket. Node cannot, so the owner of the
 * socket's file is taken, which is the user of the server that made it.
 */
export async function assertSocketOwner(request: ConnectionRequest, host: ConnectionHost): Promise<void> {
  const wanted = request.settings.requirepeer ?? '';
  if (wanted === '') return;
  const { uid } = await stat(`${host.host}/.s.PGSQL.${host.port}`);
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const owner = accounts.find((fields) => fields[2] === String(uid))?.[0];
  if (owner !== wanted) throw policyError('requirepeer names another user than the one who runs the server');
}
