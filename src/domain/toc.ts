/** The table of contents of an archive, as `pg_restore --list` prints it. */

export interface TocEntry {
  dumpId: number;
  /** `TABLE`, `TABLE DATA`, `FK CONSTRAINT`, `EVENT TRIGGER`… as pg_dump names it. */
  type: string;
  /** Absent where pg_restore prints `-`. */
  schema?: string;
  /** Tag: `customers`, `f(integer)`, `orders orders_pkey`. Line breaks are blanks in it. */
  name: string;
  /** Empty where there is none. */
  owner: string;
  /** The line itself, for a list that is given back with `--use-list`. */
  line: string;
}

export interface Toc {
  /** `Dumped from database version`, as printed. */
  serverVersion: string;
  entries: readonly TocEntry[];
}
