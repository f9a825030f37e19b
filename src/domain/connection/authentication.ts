/** `require_auth` and `channel_binding=require`: what the server may ask for before the password is sent. */
import type { ConnectionRequest } from './request.ts';

/** What the server demanded; `none` when it let us in unasked. */
export type AuthMethod = 'none' | 'password' | 'md5' | 'scram-sha-256' | 'gss' | 'sspi' | 'oauth';

/**
 * Why the session must end before anything is answered, or `undefined` when the method is allowed.
 * @param bound whether the exchange is tied to the TLS channel (SCRAM-SHA-256-PLUS)
 */
export function authenticationFault(
  request: Pick<ConnectionRequest, 'channelBinding' | 'settings'>,
  method: AuthMethod,
  bound: boolean,
): string | undefined {
  if (request.channelBinding === 'require' && !bound) {
    return 'channel_binding=require, but the server does not offer authentication bound to the TLS channel';
  }
  const required = request.settings.require_auth ?? '';
  if (required === '') return undefined;
  const methods = required.split(',');
  const allowed = required.startsWith('!') ? !methods.includes(`!${method}`) : methods.includes(method);
  return allowed ? undefined : `require_auth does not allow the method that the server asks for (${method})`;
}
