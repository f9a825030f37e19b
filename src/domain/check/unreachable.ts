/** What is left to say of a server that does not answer. */
import type { BackupError } from '../errors.ts';
import type { HealthResult } from './model.ts';

/** No setting softens it: nothing else could be looked at. */
export function unreachable({ message, hint }: BackupError): HealthResult {
  return { code: 'connect', group: 'reach', status: 'failed', seen: message, action: hint, details: [] };
}
