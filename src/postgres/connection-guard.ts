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
 */
export function guardAuthentication(client: pg.Client, request: ConnectionRequest, encrypted: boolean): void {
  const { connection } = client;
  let demanded: { method: AuthMethod; bound: boolean } = { method: 'none', bound: false };
  const demand = (method: AuthMethod, bound = false) => {
    demanded = { method, bound };
    refuse(client, authenticationFault(request, method, bound));
  };
  connection.on('authenticationCleartextPassword', () => demand('password'));
  connection.on('authenticationMD5Password', () => demand('md5'));
  connection.on('authenticationSASL', ({ mechanisms }: { mechanisms: string[] }) => {
    const bound = encrypted && request.channelBinding !== 'disable' && mechanisms.includes('SCRAM-SHA-256-PLUS');
    demand(mechanisms.some((name) => name.startsWith('SCRAM')) ? 'scram-sha-256' : 'oauth', bound);
  });
  connection.on('authenticationOk', () => {
    if (demanded.method === 'none') refuse(client, authenticationFault(request, 'none', false));
  });
}

function refuse(client: pg.Client, fault: string | undefined): void {
  if (fault === undefined) return;
  // A destroyed stream is not writable, so the driver's handler, which runs next, sends nothing.
  client.connection.stream.destroy(policyError(fault));
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
