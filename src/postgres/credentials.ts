/** Files around a connection: those that libpq would read, and those that a child process of libpq is given. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  type ConnectionHost,
  type ConnectionRequest,
  libpqEnvironment,
  libpqPassFile,
  libpqServiceFile,
  lookupPassword,
  parsePassFile,
} from '../domain/connection.ts';
import { BackupError } from '../domain/errors.ts';
import { providerOfHost } from '../domain/providers.ts';
import { systemRoots } from './system-roots.ts';

export interface WrittenCredentials {
  /** The whole environment for one child process of libpq: paths of the files, never the password. */
  env: Record<string, string>;
  /** Removes the files. Idempotent. */
  remove(): Promise<void>;
}

/**
 * Writes a service file and a pass file (0600, in a new folder of 0700 below `workDir`) for one host of the request.
 * Without a password in `request` and `host` the user's own password file is looked at, as libpq would.
 * @throws BackupError `ERR_INPUT` when that password file cannot be read
 */
export async function writeCredentials(
  workDir: string,
  request: ConnectionRequest,
  host: ConnectionHost,
): Promise<WrittenCredentials> {
  const known = await withFilePassword(request, host);
  const folder = await mkdtemp(path.join(workDir, 'connection-'));
  const files = { serviceFile: path.join(folder, 'service.conf'), passFile: path.join(folder, 'pass') };
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const readable = await withRootsInFile(request, path.join(folder, 'roots.pem'));
    await writeFile(files.serviceFile, libpqServiceFile(readable, known), { mode: 0o600, flag: 'wx' });
    await writeFile(files.passFile, libpqPassFile(readable, known), { mode: 0o600, flag: 'wx' });
    return { env: libpqEnvironment(readable, known, files), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** libpq knows `sslrootcert=system` from 16 on; a file of the same roots means the same to all. */
async function withRootsInFile(request: ConnectionRequest, file: string): Promise<ConnectionRequest> {
  if (request.sslrootcert !== 'system') return request;
  await writeFile(file, systemRoots().join('\n'), { mode: 0o600, flag: 'wx' });
  return { ...request, sslrootcert: file, settings: { ...request.settings, sslrootcert: file } };
}

/**
 * The host with its password from the password file, when the request itself has none. A file that group or others
 * may read is passed over by libpq with a warning; here it is an error, because the login would fail anyway.
 * @throws BackupError `ERR_INPUT`
 */
export async function withFilePassword(request: ConnectionRequest, host: ConnectionHost): Promise<ConnectionHost> {
  if ((request.password ?? '') !== '' || (host.password ?? '') !== '') return host;
  const home = request.environment.HOME;
  const file = request.passfile ?? (home === undefined ? undefined : path.join(home, '.pgpass'));
  const info = file === undefined ? undefined : await statOrNothing(file);
  if (file === undefined || info === undefined || !info.isFile()) return host;
  if ((info.mode & 0o077) !== 0) {
    throw new BackupError('ERR_INPUT', `The password file ${file} may be read by other users, so libpq ignores it.`, {
      op: 'read the password file',
      hint: `Type: chmod 600 ${file}`,
    });
  }
  const password = lookupPassword(parsePassFile(await readText(file, 'the password file')), {
    host: host.host === '' ? (host.hostaddr ?? '') : host.host,
    port: host.port,
    dbname: request.dbname,
    user: request.user,
  });
  return password === undefined ? host : { ...host, password };
}

/** Contents of the files that TLS needs. */
export interface TlsFiles {
  /** PEM of the authorities to trust; `system` stands for the machine's own. */
  ca?: string | 'system';
  cert?: string;
  key?: string;
  crl?: string[];
}

/**
 * Reads the files that the request names, or libpq's default ones in `~/.postgresql` where they exist.
 * @throws BackupError `ERR_TLS` when a named file cannot be read, or verification is demanded without authorities
 */
export async function readTlsFiles(request: ConnectionRequest): Promise<TlsFiles> {
  if (request.sslmode === 'disable') return {};
  const { settings, sslrootcert } = request;
  const ca = sslrootcert === 'system' ? 'system' : await readNamed(request, sslrootcert, 'root.crt', 'sslrootcert');
  if (ca === undefined && request.sslmode.startsWith('verify')) {
    throw new BackupError(
      'ERR_TLS',
      `sslmode=${request.sslmode} needs a root certificate, and there is neither sslrootcert nor ~/.postgresql/root.crt.`,
      {
        op: 'read the root certificate',
        hint:
          providerOfHost(request.hosts[0].host)?.authority ??
          'Add sslrootcert=system for a publicly trusted certificate, or the path of the provider’s CA file.',
      },
    );
  }
  const clientCertificate = settings.sslcertmode !== 'disable';
  const cert = clientCertificate ? await readNamed(request, request.sslcert, 'postgresql.crt', 'sslcert') : undefined;
  const key = cert === undefined ? undefined : await readNamed(request, request.sslkey, 'postgresql.key', 'sslkey');
  const crl = ca === undefined ? [] : await readRevocations(request);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(crl.length === 0 ? {} : { crl }),
  };
}

/** libpq reads its default list of revocations only when neither setting names another. */
async function readRevocations(request: ConnectionRequest): Promise<string[]> {
  const folder = request.settings.sslcrldir || undefined;
  const named = request.settings.sslcrl || undefined;
  const file =
    folder !== undefined && named === undefined ? undefined : await readNamed(request, named, 'root.crl', 'sslcrl');
  const inFolder = folder === undefined ? [] : await readFolder(folder);
  return [...(file === undefined ? [] : [file]), ...inFolder];
}

async function readFolder(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder);
    return await Promise.all(names.map((name) => readFile(path.join(folder, name), 'utf8')));
  } catch (error) {
    throw unreadable('sslcrldir', error);
  }
}

/** A named file must be there; a default one may be missing. */
async function readNamed(
  request: ConnectionRequest,
  named: string | undefined,
  fallback: string,
  keyword: string,
): Promise<string | undefined> {
  if (named !== undefined) return readText(named, keyword);
  const home = request.environment.HOME;
  if (home === undefined) return undefined;
  const file = path.join(home, '.postgresql', fallback);
  return (await statOrNothing(file)) === undefined ? undefined : readText(file, file);
}

async function readText(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw unreadable(what, error);
  }
}

function unreadable(what: string, error: unknown): BackupError {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
  const isPassFile = what.includes('password');
  return new BackupError(isPassFile ? 'ERR_INPUT' : 'ERR_TLS', `The file of ${what} cannot be read (${code}).`, {
    op: 'read files of the connection',
    hint: 'Write the file in an earlier step of the job, readable for the user of the runner, and give its absolute path.',
    cause: error,
  });
}

async function statOrNothing(file: string) {
  try {
    return await stat(file);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
