/** A certificate that is its own authority. */
import { isIP } from 'node:net';
import path from 'node:path';
import { runTool } from './run-tool.ts';

/** PEM files in `folder`, for all the names and addresses. */
export async function makeSelfSignedCertificate(
  folder: string,
  names: readonly [string, ...string[]],
): Promise<{ cert: string; key: string }> {
  const files = ['-keyout', 'self.key', '-out', 'self.crt'];
  const subject = [
    '-subj',
    `/CN=${names[0]}`,
    '-addext',
    `subjectAltName=${names.map((name) => `${isIP(name) === 0 ? 'DNS' : 'IP'}:${name}`).join(',')}`,
  ];
  await runTool(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, ...files],
    {},
    folder,
  );
  return { cert: path.join(folder, 'self.crt'), key: path.join(folder, 'self.key') };
}
