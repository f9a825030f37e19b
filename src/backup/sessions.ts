import type { ConnectionRequest } from '../domain/connection.ts';

/**
 * The connection with session names of our own: the watchdog finds the dump's session by its name,
 * which an `application_name` in the connection string would hide.
 */
export function ownSessions(request: ConnectionRequest): ConnectionRequest {
  const { applicationName: _hidden, ...rest } = request;
  return rest;
}
