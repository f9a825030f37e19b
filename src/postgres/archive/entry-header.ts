/** The comment with which `pg_restore` introduces an entry of the archive. */

export interface EntryHeader {
  /** `TABLE`, `FUNCTION`, `TABLE DATA`… */
  type: string;
  /** `-` when the object has none. */
  schema: string;
  name: string;
  /** `Data for …`: rows, large objects; not a definition. */
  isData: boolean;
}

const HEADER = /^ (Data for |Statistics for )?Name: (.*); Type: ([A-Z][A-Z ]*); Schema: (.*?); Owner: /;

/**
 * `line` is a comment line between statements, behind its `--`. `undefined` when it is no header.
 * `pg_restore` writes line breaks of names as spaces, and a name may itself hold `; Type: …; Schema: …`: the
 * result labels definitions; it never decides which table rows belong to.
 */
export function parseEntryHeader(line: string): EntryHeader | undefined {
  const match = HEADER.exec(line);
  if (match === null) return undefined;
  const [, prefix, name = '', type = '', schema = ''] = match;
  return { type, schema, name, isData: prefix === 'Data for ' };
}
