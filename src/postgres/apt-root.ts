/**
 * An apt with lists, caches and, if wanted, sources of its own in a folder of this run. It verifies signatures and
 * checksums as ever, but needs no root, waits for no lock and changes nothing on the machine.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { getCACertificates } from 'node:tls';
import { type AptTrouble, aptTrouble } from '../domain/apt.ts';
import { messageOf } from '../domain/errors.ts';
import type { CommandContext, CommandOutput, Exec } from './short-command.ts';

export interface AptContext extends CommandContext {
  exec: Exec;
}

/** Seconds without a byte from a mirror. */
const HTTP_TIMEOUT_SECONDS = 20;
/** Of Debian's package ca-certificates, which small images lack; Node brings authorities of its own. */
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';

export class AptRoot {
  readonly #folder: string;
  readonly #context: AptContext;

  private constructor(folder: string, context: AptContext) {
    this.#folder = folder;
    this.#context = context;
  }

  /**
   * @param folder is made
   * @param sources the text of the only sources.list; without it the machine's own sources are used, and what is
   * installed on it counts
   */
  static async open(folder: string, context: AptContext, sources?: string): Promise<AptRoot> {
    for (const part of ['lists/partial', 'cache/archives/partial', 'debs']) {
      await mkdir(path.join(folder, part), { recursive: true });
    }
    if (sources !== undefined) {
      await writeFile(path.join(folder, 'sources.list'), sources);
      await writeFile(path.join(folder, 'status'), '');
    }
    const trustsNobody = !existsSync(AUTHORITIES);
    if (trustsNobody) await writeFile(path.join(folder, 'ca.pem'), getCACertificates('default').join('\n'));
    await writeFile(
      path.join(folder, 'apt.conf'),
      configuration(folder, { alone: sources !== undefined, trustsNobody }),
    );
    return new AptRoot(folder, context);
  }

  /** Fetches the lists of packages, and verifies them. What went wrong with any source is told. */
  async update(): Promise<AptTrouble | undefined> {
    return aptTrouble(await this.#apt('apt-get', ['update']));
  }

  /** The names of all packages that begin so, one a line. */
  async names(prefix: string): Promise<string> {
    return (await this.#apt('apt-cache', ['pkgnames', prefix])).stdout;
  }

  /** What apt would do to install these packages, or package files, on this machine. */
  async simulateInstall(packages: readonly string[]): Promise<CommandOutput> {
    return await this.#apt('apt-get', ['--simulate', '--no-install-recommends', 'install', ...packages]);
  }

  /** Fetches the packages themselves, and verifies them: the paths of all .deb files so far, or what went wrong. */
  async download(packages: readonly string[]): Promise<{ debs: string[] } | { trouble: AptTrouble }> {
    const cwd = path.join(this.#folder, 'debs');
    const trouble = aptTrouble(await this.#apt('apt-get', ['download', ...packages], cwd));
    if (trouble !== undefined) return { trouble };
    return { debs: (await readdir(cwd)).sort().map((name) => path.join(cwd, name)) };
  }

  /** A command that cannot be started, or does not end, is one that failed. */
  async #apt(file: string, args: readonly string[], cwd = this.#folder): Promise<CommandOutput> {
    const { exec, env, signal } = this.#context;
    try {
      return await exec(file, ['-q', '-c', path.join(this.#folder, 'apt.conf'), ...args], { env, signal, cwd });
    } catch (error) {
      signal.throwIfAborted();
      return { exitCode: 1, stdout: '', stderr: `E: ${file} ${args[0]}: ${messageOf(error)}` };
    }
  }
}

/**
 * Read after the machine's own configuration, so that its proxies and credentials (/etc/apt/auth.conf.d) go on to
 * count. What images hook to an update (cleaning of the machine's caches, notices to other services) is taken out.
 */
function configuration(folder: string, { alone, trustsNobody }: Record<'alone' | 'trustsNobody', boolean>): string {
  return `#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
${alone ? `Dir::Etc::sourcelist "${folder}/sources.list";\nDir::Etc::sourceparts "/dev/null";\nDir::State::status "${folder}/status";` : ''}
${trustsNobody ? `Acquire::https::CAInfo "${folder}/ca.pem";` : ''}
Dir::State::lists "${folder}/lists";
Dir::Cache "${folder}/cache";
Dir::Cache::archives "${folder}/cache/archives";
APT::Sandbox::User "root";
APT::Get::List-Cleanup "false";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::CNF::DefaultEnabled "false";
Acquire::Retries "1";
Acquire::http::Timeout "${HTTP_TIMEOUT_SECONDS}";
Acquire::https::Timeout "${HTTP_TIMEOUT_SECONDS}";
`;
}
