/**
 * A repository shaped like PGDG's, for the machine's own release: signed lists, and packages made of real client
 * tools. Faults are made by what the test does to its files, or by the key and address that it hands on.
 */
import { existsSync } from 'node:fs';
import { appendFile, chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { parseOsRelease } from '../../src/domain/apt.ts';
import { allOf, programAvailable } from './availability.ts';
import type { Clients } from './clients.ts';
import { runTool } from './run-tool.ts';

export const aptRepositoryAvailable = allOf(
  programAvailable('apt-get', ['--version'], 'only Debian and Ubuntu have it'),
  programAvailable('apt-ftparchive', ['--version'], 'apt-get install apt-utils'),
  programAvailable('gpg', ['--version'], 'apt-get install gpg'),
);

/** Nothing listens there. Another host than the repository's, because apt gives up on a host whatever the port. */
export const DEAD_ADDRESS = 'http://127.0.0.2:1/pub/repos/apt';

export interface AptRepositoryServer {
  readonly uri: string;
  /** ASCII-armoured; what the lists are signed with. */
  readonly key: string;
  /** Another key, of nobody. */
  readonly otherKey: string;
  /**
   * A line of sources.list for a distribution that has the same tools, and a library that those of the repository
   * itself may need.
   */
  readonly distribution: string;
  /** Paths that were asked for. */
  readonly requests: string[];
  /** More bytes in the list of packages than were signed. */
  tamperWithLists(): Promise<void>;
  /** One other bit in the middle of every package. */
  flipBitInPackages(): Promise<void>;
  /** The lists as they were, without any signature. */
  dropSignature(): Promise<void>;
  /** It answers everything with this status, or with `silence` never. */
  answerOnly(status: number | 'silence'): void;
  /** Undoes all faults. */
  heal(): Promise<void>;
  stop(): Promise<void>;
}

/** @param options.libraryApart its pg_dump needs a library that only the distribution has, as on small images */
export async function startAptRepository(
  clients: Clients,
  options: { libraryApart?: boolean } = {},
): Promise<AptRepositoryServer> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'apt-repository-'));
  const [good, files] = [path.join(folder, 'good'), path.join(folder, 'served')];
  const { codename } = parseOsRelease(await readFile('/etc/os-release', 'utf8'));
  const architecture = (await runTool('dpkg', ['--print-architecture'])).trim();
  const build = {
    clients,
    architecture,
    folder: path.join(folder, 'build'),
    libraryApart: options.libraryApart === true,
  };
  await buildClient({ ...build, pool: path.join(good, 'pool') });
  await buildLibrary({ ...build, pool: path.join(good, 'libraries') });
  const signer = await makeKey(path.join(folder, 'gpg'), 'repository');
  const other = await makeKey(path.join(folder, 'gpg-other'), 'somebody else');
  const lists = path.join('dists', `${codename}-pgdg`, 'main', `binary-${architecture}`);
  await writeLists(good, { suite: `${codename}-pgdg`, pools: ['pool'], architecture, home: signer.home });
  await writeLists(good, { suite: 'stable', pools: ['pool', 'libraries'], architecture, home: signer.home });
  await writeFile(path.join(folder, 'key.asc'), signer.key);
  await cp(good, files, { recursive: true });
  const requests: string[] = [];
  let only: number | 'silence' | undefined;
  const server = createServer((request, response) => {
    const asked = decodeURIComponent(new URL(request.url ?? '', 'http://localhost').pathname);
    requests.push(asked);
    if (only === 'silence') return;
    if (only !== undefined) {
      response.writeHead(only).end();
      return;
    }
    readFile(path.join(files, asked.replace('/pub/repos/apt', ''))).then(
      (body) => response.end(body),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/pub/repos/apt`;
  return {
    uri,
    key: signer.key,
    otherKey: other.key,
    distribution: `deb [signed-by=${folder}/key.asc] ${uri} stable main\n`,
    requests,
    tamperWithLists: () => appendFile(path.join(files, lists, 'Packages'), '\nPackage: more\n'),
    flipBitInPackages: async () => {
      for (const name of await readdir(path.join(files, 'pool'))) await flipBit(path.join(files, 'pool', name));
    },
    dropSignature: async () => {
      const signed = path.join(files, 'dists', `${codename}-pgdg`, 'InRelease');
      const text = /\n\n([\s\S]*)-----BEGIN PGP SIGNATURE-----/.exec(await readFile(signed, 'utf8'))?.[1] ?? '';
      await writeFile(path.join(path.dirname(signed), 'Release'), text);
      await rm(signed);
    },
    answerOnly: (status) => {
      only = status;
    },
    heal: async () => {
      only = undefined;
      await rm(files, { recursive: true });
      await cp(good, files, { recursive: true });
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A folder for the front of PATH with an apt whose own sources are these lines. */
export async function aptWithSources(folder: string, sources: string): Promise<string> {
  const bin = path.join(folder, 'apt-bin');
  await mkdir(bin, { recursive: true });
  await writeFile(path.join(folder, 'sources.list'), sources);
  const config = path.join(folder, 'machine.conf');
  await writeFile(config, `Dir::Etc::sourcelist "${folder}/sources.list";\nDir::Etc::sourceparts "/dev/null";\n`);
  for (const name of ['apt-get', 'apt-cache']) {
    await writeFile(path.join(bin, name), `#!/bin/sh\nAPT_CONFIG='${config}' exec /usr/bin/${name} "$@"\n`);
    await chmod(path.join(bin, name), 0o755);
  }
  return bin;
}

interface Build {
  clients: Clients;
  architecture: string;
  folder: string;
  pool: string;
  libraryApart: boolean;
}

/** The name of a library that tools need, and one of the same length that no machine has. */
const [NEEDED, UNHEARD_OF] = ['libzstd.so.1', 'libzst9.so.1'];

async function buildClient(build: Build): Promise<void> {
  const { major, bin } = build.clients;
  await pack(
    build,
    `postgresql-client-${major}`,
    ['libpq5', ...(build.libraryApart ? ['libzst9'] : [])],
    async (root) => {
      const target = path.join(root, 'usr/lib/postgresql', String(major), 'bin');
      await mkdir(target, { recursive: true });
      for (const tool of ['pg_dump', 'pg_restore', 'pg_dumpall']) {
        const program = withoutOwnLibraries(await readFile(path.join(bin, tool)));
        const needed = program.indexOf(`${NEEDED}\0`);
        if (build.libraryApart && needed >= 0) program.write(UNHEARD_OF, needed);
        await writeFile(path.join(target, tool), program, { mode: 0o755 });
      }
    },
  );
  await pack(build, 'libpq5', [], async (root) => {
    const target = path.join(root, 'usr/lib', tripletOf(build));
    await mkdir(target, { recursive: true });
    const from = path.join(bin, '../lib');
    for (const name of existsSync(from) ? await readdir(from) : [])
      await cp(path.join(from, name), path.join(target, name), { dereference: true });
  });
}

async function buildLibrary(build: Build): Promise<void> {
  const triplet = tripletOf(build);
  const file = [`/usr/lib/${triplet}/${NEEDED}`, `/lib/${triplet}/${NEEDED}`].find((each) => existsSync(each));
  if (file === undefined) throw new Error(`this machine has no ${NEEDED}`);
  await pack(build, 'libzst9', [], async (root) => {
    const target = path.join(root, 'usr/lib', triplet);
    await mkdir(target, { recursive: true });
    await cp(file, path.join(target, UNHEARD_OF), { dereference: true });
  });
}

function tripletOf({ architecture }: Build): string {
  return architecture === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
}

async function pack(
  { clients, architecture, folder, pool }: Build,
  name: string,
  needs: readonly string[],
  fill: (root: string) => Promise<void>,
): Promise<void> {
  const root = path.join(folder, name);
  await mkdir(path.join(root, 'DEBIAN'), { recursive: true });
  await mkdir(pool, { recursive: true });
  await fill(root);
  const fields = [
    `Package: ${name}`,
    `Version: ${clients.version}-1.pgdg`,
    `Architecture: ${architecture}`,
    'Maintainer: nobody <nobody@example.com>',
    ...(needs.length === 0 ? [] : [`Depends: ${needs.join(', ')}`]),
    'Description: for tests',
  ];
  await writeFile(path.join(root, 'DEBIAN/control'), `${fields.join('\n')}\n`);
  await runTool('dpkg-deb', ['-Zgzip', '-z1', '--root-owner-group', '--build', root, pool]);
}

/** PGDG's tools name no folder of libraries; those of the cache look beside themselves, in a folder not there now. */
function withoutOwnLibraries(program: Buffer): Buffer {
  const at = program.indexOf('$ORIGIN/../lib\0');
  if (at >= 0) program.write('$ORIGIN/nowher', at);
  return program;
}

async function makeKey(home: string, name: string): Promise<{ home: string; key: string }> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  const gpg = (...args: string[]) => runTool('gpg', ['--batch', '--homedir', home, ...args]);
  await gpg('--passphrase', '', '--quick-gen-key', name, 'rsa2048', 'sign', 'never');
  return { home, key: await gpg('--armor', '--export') };
}

interface ListOptions {
  suite: string;
  /** Folders of packages. */
  pools: readonly string[];
  architecture: string;
  home: string;
}

async function writeLists(root: string, { suite, pools, architecture, home }: ListOptions): Promise<void> {
  const lists = path.join(root, 'dists', suite, 'main', `binary-${architecture}`);
  await mkdir(lists, { recursive: true });
  const packages = await Promise.all(pools.map((pool) => runTool('apt-ftparchive', ['packages', pool], {}, root)));
  await writeFile(path.join(lists, 'Packages'), packages.join(''));
  const facts = { Origin: 'tests', Suite: suite, Codename: suite, Components: 'main', Architectures: architecture };
  const options = Object.entries(facts).flatMap(([name, value]) => [
    '-o',
    `APT::FTPArchive::Release::${name}=${value}`,
  ]);
  const release = path.join(root, 'dists', suite, 'Release');
  await writeFile(release, await runTool('apt-ftparchive', [...options, 'release', path.dirname(release)]));
  const signed = path.join(root, 'dists', suite, 'InRelease');
  await runTool('gpg', ['--batch', '--homedir', home, '--clearsign', '--output', signed, release]);
  await runTool('gpgconf', ['--homedir', home, '--kill', 'all']);
  await rm(release);
}

async function flipBit(file: string): Promise<void> {
  const bytes = await readFile(file);
  const middle = Math.floor(bytes.length / 2);
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
  await writeFile(file, bytes);
}
