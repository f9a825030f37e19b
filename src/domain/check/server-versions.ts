/** What is known of Postgres releases: security holes of the server and the minors that mend them, and when majors end. */

/** https://www.postgresql.org/support/versioning/ */
export const END_OF_LIFE: Readonly<Record<number, string>> = {
  13: '2025-11-13',
  14: '2026-11-12',
  15: '2027-11-11',
  16: '2028-11-09',
  17: '2029-11-08',
  18: '2030-11-14',
};

interface Hole {
  cve: string;
  /** Completes "it allows …". */
  allows: string;
  /** The first minor of each major without it. */
  mendedIn: Readonly<Record<number, number>>;
}

/**
 * Holes of the server itself, newest first; https://www.postgresql.org/support/security/ as of the release of this
 * action. Those of the client programs stand in `client-version.ts`, those of a contrib module alone are left out.
 */
const HOLES: readonly Hole[] = [
  {
    cve: 'CVE-2026-6473',
    allows: 'whoever can hand input to a query can make the server write beyond its memory',
    mendedIn: { 14: 23, 15: 18, 16: 14, 17: 10, 18: 4 },
  },
  {
    cve: 'CVE-2026-6479',
    allows: 'anybody who reaches the port can crash a session before logging in, by endless TLS negotiation',
    mendedIn: { 14: 23, 15: 18, 16: 14, 17: 10, 18: 4 },
  },
  {
    cve: 'CVE-2026-2006',
    allows: 'a database user can run code as the account of the server, through broken multibyte text',
    mendedIn: { 14: 21, 15: 16, 16: 12, 17: 8, 18: 2 },
  },
  {
    cve: 'CVE-2025-12817',
    allows: 'the owner of a table can keep others from making statistics in any schema',
    mendedIn: { 13: 23, 14: 20, 15: 15, 16: 11, 17: 7, 18: 1 },
  },
  {
    cve: 'CVE-2025-8713',
    allows: 'a user can read sampled values of tables behind views and row-level security',
    mendedIn: { 13: 22, 14: 19, 15: 14, 16: 10, 17: 6 },
  },
  {
    cve: 'CVE-2025-4207',
    allows: 'broken GB18030 text can crash a session',
    mendedIn: { 13: 21, 14: 18, 15: 13, 16: 9, 17: 5 },
  },
  {
    cve: 'CVE-2024-10979',
    allows: 'a user of PL/Perl can change the environment of the server and run code',
    mendedIn: { 13: 17, 14: 14, 15: 9, 16: 5, 17: 1 },
  },
  {
    cve: 'CVE-2024-10976',
    allows: 'row-level security can be passed by in subqueries that are planned for another role',
    mendedIn: { 13: 17, 14: 14, 15: 9, 16: 5, 17: 1 },
  },
  {
    cve: 'CVE-2024-0985',
    allows: 'REFRESH MATERIALIZED VIEW CONCURRENTLY runs functions of its owner with the rights of another',
    mendedIn: { 13: 14, 14: 11, 15: 6 },
  },
  {
    cve: 'CVE-2023-5869',
    allows: 'a user can write to and read from the memory of the server by changing an array',
    mendedIn: { 13: 13, 14: 10, 15: 5, 16: 1 },
  },
];
/** Before that major holes were mended in releases that this list does not know. */
const OLDEST_KNOWN_MAJOR = 13;

/** `safe`: the minor that mends all that can be mended in this major. */
export function openHoles(version: string, major: number): { holes: readonly Hole[]; safe?: number } {
  const minor = Number(/^\d+\.(\d+)/.exec(version)?.[1] ?? -1);
  const holes = HOLES.filter(({ mendedIn }) => {
    const mended = mendedIn[major];
    if (mended !== undefined) return minor < mended;
    // A major that had reached its end when the hole was mended elsewhere keeps it.
    return major >= OLDEST_KNOWN_MAJOR && Math.min(...Object.keys(mendedIn).map(Number)) > major;
  });
  const minors = holes.flatMap(({ mendedIn }) => mendedIn[major] ?? []);
  return minors.length === 0 ? { holes } : { holes, safe: Math.max(...minors) };
}
