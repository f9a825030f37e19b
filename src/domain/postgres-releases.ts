/** What is known of Postgres releases: when majors end, security holes, and the minors that mend them. */

/** https://www.postgresql.org/support/versioning/ */
export const END_OF_LIFE: Readonly<Record<number, string>> = {
  13: '2025-11-13',
  14: '2026-11-12',
  15: '2027-11-11',
  16: '2028-11-09',
  17: '2029-11-08',
  18: '2030-11-14',
};

/** Older ones have reached their end. */
export const OLDEST_KNOWN_MAJOR = Math.min(...Object.keys(END_OF_LIFE).map(Number));

/** By CVE what somebody can do with it. */
type Holes = Readonly<Record<string, string>>;

interface SecurityRelease {
  /** The first minor of each major without these holes; a newer major that is not named never had them. */
  minors: Readonly<Record<number, number>>;
  server?: Holes;
  client?: Holes;
}

/**
 * Newest first; https://www.postgresql.org/support/security/ as of the release of this action. Of the client the holes
 * of pg_dump, pg_restore and the libpq in them. Left out: those of a contrib module alone; CVE-2026-18408 and
 * CVE-2025-1094, which are psql's: it runs for restores alone, under `\restrict`.
 */
export const SECURITY_RELEASES: readonly SecurityRelease[] = [
  {
    minors: { 14: 23, 15: 18, 16: 14, 17: 10, 18: 4 },
    server: {
      'CVE-2026-6473': 'whoever can hand input to a query can make the server write beyond its memory',
      'CVE-2026-6479': 'anybody who reaches the port can crash a session before logging in, by endless TLS negotiation',
    },
    client: { 'CVE-2026-6477': 'a hostile server can take over pg_dump through large objects' },
  },
  {
    minors: { 14: 21, 15: 16, 16: 12, 17: 8, 18: 2 },
    server: {
      'CVE-2026-2006': 'a database user can run code as the account of the server, through broken multibyte text',
    },
  },
  {
    minors: { 13: 23, 14: 20, 15: 15, 16: 11, 17: 7, 18: 1 },
    server: { 'CVE-2025-12817': 'the owner of a table can keep others from making statistics in any schema' },
    client: { 'CVE-2025-12818': 'a hostile server can crash the client' },
  },
  {
    minors: { 13: 22, 14: 19, 15: 14, 16: 10, 17: 6 },
    server: { 'CVE-2025-8713': 'a user can read sampled values of tables behind views and row-level security' },
    client: {
      'CVE-2025-8714':
        'a hostile server can plant commands that run where the dump is restored with psql (and CVE-2025-8715)',
    },
  },
  {
    minors: { 13: 21, 14: 18, 15: 13, 16: 9, 17: 5 },
    server: { 'CVE-2025-4207': 'broken GB18030 text can crash a session' },
  },
  {
    minors: { 12: 21, 13: 17, 14: 14, 15: 9, 16: 5, 17: 1 },
    server: {
      'CVE-2024-10979': 'a user of PL/Perl can change the environment of the server and run code',
      'CVE-2024-10976': 'row-level security can be passed by in subqueries that are planned for another role',
    },
  },
  {
    minors: { 12: 20, 13: 16, 14: 13, 15: 8, 16: 4 },
    client: { 'CVE-2024-7348': 'users who may create tables can run SQL as the role that dumps' },
  },
  {
    minors: { 12: 18, 13: 14, 14: 11, 15: 6 },
    server: {
      'CVE-2024-0985': 'REFRESH MATERIALIZED VIEW CONCURRENTLY runs functions of its owner with the rights of another',
    },
  },
  {
    minors: { 11: 22, 12: 17, 13: 13, 14: 10, 15: 5, 16: 1 },
    server: { 'CVE-2023-5869': 'a user can write to and read from the memory of the server by changing an array' },
  },
];

export interface OpenHole {
  cve: string;
  /** What somebody can do with it. */
  allows: string;
  /** The minor of this major without it; absent when the major gets it mended no more. */
  mendedIn?: number;
}

/** Newest first. @param minor -1 before the first release, which has whatever is mended in a minor */
export function openHoles(program: 'server' | 'client', major: number, minor = -1): OpenHole[] {
  return SECURITY_RELEASES.flatMap(({ minors, [program]: holes = {} }) => {
    const mendedIn = minors[major];
    // A major that had reached its end when a hole was mended elsewhere keeps it.
    const isOpen = mendedIn === undefined ? major < Math.min(...Object.keys(minors).map(Number)) : minor < mendedIn;
    if (!isOpen) return [];
    return Object.entries(holes).map(([cve, allows]) => ({
      cve,
      allows,
      ...(mendedIn === undefined ? {} : { mendedIn }),
    }));
  });
}

/** The minor that mends all that can be mended in this major; undefined when nothing can. */
export function safeMinor(holes: readonly OpenHole[]): number | undefined {
  const minors = holes.flatMap(({ mendedIn }) => mendedIn ?? []);
  return minors.length === 0 ? undefined : Math.max(...minors);
}
