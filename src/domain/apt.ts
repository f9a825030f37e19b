/**
 * What apt is asked and how its answers are read, in English (`LC_ALL=C`). Pure: commands are run by
 * `postgres/apt-root.ts`.
 */

/** An apt repository that is trusted by one key alone. */
export interface AptRepository {
  /** Without a slash at its end: `https://apt.postgresql.org/pub/repos/apt`. */
  uri: string;
  /** ASCII-armoured OpenPGP public key. */
  key: string;
}

/** The PostgreSQL project's own apt repository (PGDG). */
export const PGDG_URI = 'https://apt.postgresql.org/pub/repos/apt';

/** The distribution of this machine, by its `/etc/os-release`. */
export interface Distribution {
  /** `debian`, `ubuntu`; `linux` where the file does not say. */
  id: string;
  /** `12`, `24.04`; empty for one that has no version, such as Debian's unstable. */
  version: string;
  /** `bookworm`, `noble`: of the Debian or Ubuntu release that a derived distribution is made from. */
  codename?: string;
}

/** From the text of `/etc/os-release` (its man page: os-release(5)). */
export function parseOsRelease(text: string): Distribution {
  const value = (name: string) => new RegExp(`^${name}=["']?([^"'\\n]*)["']?$`, 'm').exec(text)?.[1] ?? '';
  const codename = value('UBUNTU_CODENAME') || value('DEBIAN_CODENAME') || value('VERSION_CODENAME');
  return {
    id: value('ID') || 'linux',
    version: value('VERSION_ID'),
    ...(/^[a-z][a-z0-9-]*$/.test(codename) ? { codename } : {}),
  };
}

/**
 * A line for sources.list. PGDG keeps released majors in the component `main` and everything of one major, previews
 * included, in a component of that number; apt passes over components that are not there.
 */
export function pgdgSource(
  { uri }: AptRepository,
  options: { major: number; codename: string; architecture: string; keyFile: string },
): string {
  const { major, codename, architecture, keyFile } = options;
  return `deb [arch=${architecture} signed-by=${keyFile}] ${uri} ${codename}-pgdg main ${major}\n`;
}

/** What stood in the way of an apt command. */
export interface AptTrouble {
  /** What came is not what the repository's key signed; nobody may go on as if nothing had been. */
  untrusted: boolean;
  /** apt's own words, in one line. */
  words: string;
}

/** Of apt's gpgv, of its newer sqv, and of the checksums that the signed index lists. */
const UNTRUSTED =
  /NO_PUBKEY|BADSIG|EXPKEYSIG|REVKEYSIG|EXPSIG|Missing key|signatures? (?:couldn't be verified|were invalid|verification failed)|Clearsigned file isn't valid|Hash Sum mismatch|unexpected size|is not valid yet|is expired/i;
/** apt says this of a repository without a signature, and of one that answers with an error instead of it. */
const UNSIGNED = /is (?:not|no longer) signed/;
const REFUSED = /^Failed to fetch \S+ +\d{3} /;
const COMPLAINT = /^(?:E|W): (?!Some index files failed|Skipping acquire|Download is performed unsandboxed)(.*)$/;
const MAX_COMPLAINTS = 3;

/**
 * The trouble that an apt command reports; `undefined` when all went well. `apt-get update` ends with 0 when a
 * repository cannot be reached, and says so in a warning alone.
 */
export function aptTrouble(output: { exitCode: number; stdout: string; stderr: string }): AptTrouble | undefined {
  const lines = `${output.stderr}\n${output.stdout}`.split('\n').map((line) => line.trim());
  const complaints = [...new Set(lines.flatMap((line) => COMPLAINT.exec(line)?.[1] ?? []))];
  if (output.exitCode === 0 && !complaints.some((words) => words.startsWith('Failed to fetch'))) return undefined;
  const shown = complaints.length > 0 ? complaints : lines.filter((line) => line !== '').slice(-MAX_COMPLAINTS);
  const some = (pattern: RegExp): boolean => complaints.some((words) => pattern.test(words));
  return {
    untrusted: some(UNTRUSTED) || (some(UNSIGNED) && !some(REFUSED)),
    words: shown.slice(0, MAX_COMPLAINTS).join('; ') || `exit code ${output.exitCode}`,
  };
}

/** The newest of the majors whose client is among these package names (`apt-cache pkgnames`). */
export function newestClient(packageNames: string): number | undefined {
  const majors = [...packageNames.matchAll(/^postgresql-client-(\d+)$/gm)].map((match) => Number(match[1]));
  return majors.length === 0 ? undefined : Math.max(...majors);
}

/**
 * Libraries that have to fit the machine's own loader, Perl's, which only Debian's wrapper scripts need, and a hundred
 * megabytes for compiling queries, which a server for an hour does without.
 */
const NOT_TO_BE_BROUGHT = /^(?:libc6|libc-bin|libperl|libllvm)/;

/** Names of the libraries that `apt-get --simulate install` would bring to this machine, for its own architecture. */
export function missingLibraries(simulated: string): string[] {
  const names = [...simulated.matchAll(/^Inst (\S+) /gm)].map((match) => match[1] ?? '');
  return names.filter((name) => name.startsWith('lib') && !name.includes(':') && !NOT_TO_BE_BROUGHT.test(name));
}
