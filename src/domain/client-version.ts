/**
 * Which client tools fit a server, where they may lie, and how to ask for them. Pure: what is there and what it
 * prints is found out by `postgres/client-tools.ts`.
 */
import { createHash } from 'node:crypto';
import type { AptRepository, Distribution } from './apt.ts';
import type { Finding } from './findings.ts';
import { type OpenHole, openHoles, safeMinor } from './postgres-releases.ts';

/** The three programs that a backup needs; they must lie in one folder, because pg_dumpall calls its neighbour. */
export const CLIENT_TOOLS = ['pg_dump', 'pg_restore', 'pg_dumpall'] as const;
export type ClientToolName = (typeof CLIENT_TOOLS)[number];

/** `cache` is GitHub's, `fetched` what apt has brought in this run. */
export type ClientSource = 'tool-cache' | 'system' | 'homebrew' | 'cache' | 'fetched';

/** A version as a client tool prints it: `17.11`, `19beta2`, `19rc1`, `20devel`. */
export interface ClientVersion {
  major: number;
  /** Absent before the first release. */
  minor?: number;
  /** As printed, without what the packager added. */
  text: string;
}

/**
 * From `pg_dump (PostgreSQL) 17.11 (Debian 17.11-1.pgdg120+1)`. `undefined` for anything else, also for servers
 * before 10, whose majors had two numbers.
 */
export function parseClientVersion(printed: string): ClientVersion | undefined {
  const match = /^\S+ \(PostgreSQL\) ((\d{2,})(?:\.(\d+)|(?:beta|rc|alpha)\d+|devel))(?:\s|$)/m.exec(printed);
  if (match === null) return undefined;
  const [, text = '', major, minor] = match;
  return { major: Number(major), text, ...(minor === undefined ? {} : { minor: Number(minor) }) };
}

/** What is known of the machine without looking at its files. */
export interface ClientPlaces {
  platform: NodeJS.Platform;
  /** As Node names it: `x64`, `arm64`. */
  arch: string;
  /** The runner's tool cache, where there is one. */
  toolCache?: string;
  /** Debian's folder of all majors. */
  systemRoot: string;
  homebrewRoots: readonly string[];
}

export const SYSTEM_ROOT = '/usr/lib/postgresql';
/** Apple silicon, Intel, Linux. */
export const HOMEBREW_ROOTS = ['/opt/homebrew/opt', '/usr/local/opt', '/home/linuxbrew/.linuxbrew/opt'] as const;

export interface ClientFolder {
  source: ClientSource;
  /** Absolute path of the folder that should hold the tools. */
  folder: string;
}

/** What is looked for: the programs that dump and restore, or those that make and run a server. */
export type ProgramSet = 'postgresql-client' | 'postgresql-server';

/** The folder in the tool cache whose sub-folders are versions. */
export function toolCacheFolder(toolCache: string, programs: ProgramSet = 'postgresql-client'): string {
  return `${toolCache}/${programs}`;
}

/**
 * Folders to look at, best first. Never `/usr/bin`: there Debian keeps a wrapper that runs another major.
 * @param cachedVersions names of the folders in {@link toolCacheFolder}
 */
export function clientFolders(
  major: number,
  places: ClientPlaces,
  cachedVersions: readonly string[],
  programs: ProgramSet = 'postgresql-client',
): ClientFolder[] {
  const { toolCache } = places;
  const cached =
    toolCache === undefined
      ? []
      : versionsOfMajor(major, cachedVersions).map(
          (name) => `${toolCacheFolder(toolCache, programs)}/${name}/${places.arch}/bin`,
        );
  const homebrew = places.homebrewRoots.map((root) => `${root}/postgresql@${major}/bin`);
  return [
    ...cached.map((folder) => ({ source: 'tool-cache' as const, folder })),
    { source: 'system', folder: systemFolder(major, places) },
    ...homebrew.map((folder) => ({ source: 'homebrew' as const, folder })),
  ];
}

/** Where Debian's packages put the tools of a major. */
export function systemFolder(major: number, places: Pick<ClientPlaces, 'systemRoot'>): string {
  return `${places.systemRoot}/${major}/bin`;
}

/** `17`, `17.11`, `17.11.0` for 17 (and not `170`), newest first. */
function versionsOfMajor(major: number, names: readonly string[]): string[] {
  const numbers = (name: string) => name.split('.').map(Number);
  return names
    .filter((name) => /^\d+(\.\d+)*$/.test(name) && numbers(name)[0] === major)
    .sort((left, right) => (numbers(right)[1] ?? -1) - (numbers(left)[1] ?? -1));
}

/** What is wrong with these tools, at most one finding: a warning that an update ends, or a notice where there is none. */
export function clientVersionFindings(version: ClientVersion): Finding[] {
  const { major, minor, text } = version;
  const holes = openHoles('client', major, minor);
  const safe = safeMinor(holes);
  if (safe !== undefined) {
    const curable = holes.filter(({ mendedIn }) => mendedIn !== undefined);
    return [
      {
        code: 'client-outdated',
        severity: 'warning',
        seen: `pg_dump ${text} is older than ${major}.${safe}: ${holeWords(curable)}`,
        action: `Update the package postgresql-client-${major} on the runner: sudo apt-get update && sudo apt-get install postgresql-client-${major}`,
      },
    ];
  }
  if (holes.length === 0) return [];
  return [
    {
      code: 'client-without-fixes',
      severity: 'notice',
      seen: `pg_dump ${text} belongs to a major that is no longer maintained: ${holeWords(holes)}, which is not mended in it`,
      action: 'Back up only servers that you trust with it, and upgrade the server to a maintained major.',
    },
  ];
}

function holeWords(holes: readonly OpenHole[]): string {
  return holes.map(({ cve, allows }) => `${allows} (${cve})`).join('; ');
}

/** Whether an update would close a known hole: such a client is fetched anew instead of taken from a cache. */
export function hasFixedHole(version: ClientVersion): boolean {
  return clientVersionFindings(version).some(({ code }) => code === 'client-outdated');
}

/** Goes up when what lies in an entry, or how, changes. */
const CACHE_SCHEMA = 1;

/**
 * Under what name fetched tools are kept between runs. They run on the same release of the same distribution only.
 * The month is in it because entries never change: without it the first minor release that was cached would stay for
 * as long as backups are taken every week.
 */
export function clientCacheKey(
  major: number,
  system: { distribution: Distribution; arch: string; now: Date; repository: AptRepository },
): string {
  const { distribution, arch, now, repository } = system;
  const origin = createHash('sha256').update(`${repository.uri}\n${repository.key}`).digest('hex').slice(0, 8);
  const parts = [major, distribution.id, distribution.version, arch, now.toISOString().slice(0, 7), origin];
  return `db-backup-action-client-tools-v${CACHE_SCHEMA}-${parts.join('-')}`.replaceAll(/[^\w.-]/g, '_');
}

/** What a person types to get the tools of a major. */
export function installCommands(major: number, platform: NodeJS.Platform): string {
  if (platform === 'darwin') return `brew install postgresql@${major}`;
  if (platform === 'win32') return 'run this job on a Linux runner (runs-on: ubuntu-latest)';
  return [
    'sudo apt-get update && sudo apt-get install -y postgresql-common',
    'sudo /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y',
    `sudo apt-get install -y postgresql-client-${major}`,
  ].join(' && ');
}
