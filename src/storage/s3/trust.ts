/** Which authorities' certificates an endpoint may show. */
import { readFileSync } from 'node:fs';
import { getCACertificates } from 'node:tls';
import { BackupError, messageOf } from '../../domain/errors.ts';

/**
 * The machine's own authorities (Node's, and NODE_EXTRA_CA_CERTS) and those in `caFile`; `undefined` without a file.
 * Throws `ERR_INPUT` when the file cannot be read or holds no certificate.
 */
export function trustedAuthorities(caFile: string | undefined): string[] | undefined {
  if (caFile === undefined) return undefined;
  return [...getCACertificates('default'), readCertificates(caFile)];
}

function readCertificates(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw unusable(`The certificates in ${path} cannot be read: ${messageOf(cause)}.`, cause);
  }
  if (!text.includes('-----BEGIN CERTIFICATE-----')) throw unusable(`${path} holds no certificate in PEM form.`);
  return text;
}

function unusable(message: string, cause?: unknown): BackupError {
  return new BackupError('ERR_INPUT', message, {
    op: 'read the certificates of the storage',
    hint: 'Correct ?ca-file= of the destination, or AWS_CA_BUNDLE. Nothing was read and nothing was written.',
    cause,
  });
}
