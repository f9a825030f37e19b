/** What people paste into a secret besides the connection string itself, and schemes that are not Postgres's. */

export interface Pasted {
  /** Without what surrounded it. */
  text: string;
  /** What was taken off: `white space`, `quotes`; empty when nothing. */
  removed: string[];
}

const QUOTES: Readonly<Record<string, string>> = { '"': '"', "'": "'", '`': '`', '“': '”', '‘': '’' };

/** Takes white space, line breaks, a byte order mark and one pair of quotes off. */
export function unwrapPasted(original: string): Pasted {
  const removed: string[] = [];
  let text = trimInto(original, removed);
  const closing = QUOTES[text.charAt(0)];
  if (closing !== undefined && text.length >= 2 && text.endsWith(closing)) {
    removed.push('quotes');
    text = trimInto(text.slice(1, -1), removed);
  }
  return { text, removed };
}

function trimInto(text: string, removed: string[]): string {
  const trimmed = text.replace(/^\uFEFF/, '').trim();
  if (trimmed !== text && !removed.includes('white space')) removed.push('white space');
  return trimmed;
}

/** Which form a string has, or why it cannot be a connection string at all. */
export type Form = { kind: 'uri'; body: string } | { kind: 'key-value' } | { kind: 'wrong'; problem: string };

const SCHEME = /^([a-z][a-z0-9+.-]*:(?:[a-z][a-z0-9+.-]*:)?)\/\//i;

const WRONG_SCHEMES: readonly [RegExp, string][] = [
  [/^(mysql|mariadb|mysqlx):/, 'it is a MySQL URL; this action backs up Postgres only.'],
  [/^(mongodb|mongodb\+srv|redis|rediss|sqlite|libsql|sqlserver|mssql|file):/, 'it is not the URL of a Postgres.'],
  [
    /^prisma(\+postgres)?:/,
    'a prisma:// URL leads to Prisma Accelerate, not to the database; use the direct URL, postgresql://… (directUrl in schema.prisma).',
  ],
  [
    /^(https?|wss?):/,
    'it is the address of a web page or an API, not of the database; copy the connection string, postgresql://….',
  ],
  [/^jdbc:/, 'it is a JDBC URL; write postgresql://USER:PASSWORD@HOST:PORT/DATABASE.'],
  [/^(postgres|postgresql|psycopg|psycopg2)\+/, 'its scheme names a driver as well; write postgresql:// only.'],
  [/^(postgis|pgsql|postgre|pg|psql|cockroachdb|cockroach):/, 'its scheme is not one of libpq; write postgresql://….'],
];

export function formOf(text: string): Form {
  const scheme = SCHEME.exec(text);
  if (scheme?.[1] !== undefined) {
    const name = scheme[1].toLowerCase();
    if (name === 'postgres:' || name === 'postgresql:') return { kind: 'uri', body: text.slice(scheme[0].length) };
    const known = WRONG_SCHEMES.find(([pattern]) => pattern.test(name));
    return { kind: 'wrong', problem: known?.[1] ?? 'its scheme is not postgresql://.' };
  }
  if (/^psql\s/i.test(text)) {
    return { kind: 'wrong', problem: 'it is a whole psql command; paste only the postgresql://… part of it.' };
  }
  if (/^(export\s+)?[A-Z_][A-Z0-9_]*\s*=\s*["']?[a-zA-Z+]+:\/\//.test(text)) {
    return { kind: 'wrong', problem: 'it is an assignment like NAME=postgresql://…; paste only what follows the "=".' };
  }
  if (/^\$\{?\{?\s*[A-Za-z_]/.test(text)) {
    return { kind: 'wrong', problem: 'it is the name of a variable that nothing replaced by its value.' };
  }
  return { kind: 'key-value' };
}
