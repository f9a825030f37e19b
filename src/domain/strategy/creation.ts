/** How a database like the backed-up one is created on a given server, and whether that server can. */
import type { DatabaseFacts } from '../facts.ts';
import type { Finding } from '../findings.ts';
import { quoteIdentifier } from '../relations.ts';
import { sqlLiteral } from '../restore-guide/step.ts';
import { LIMIT_OF_UNBORN } from '../restore-mark.ts';
import type { TargetFacts } from '../target.ts';
import { inTheWay } from './finding.ts';

/** First major whose CREATE DATABASE knows LOCALE_PROVIDER; postgresql.org/docs/15/release-15.html. */
const FIRST_WITH_PROVIDERS = 15;
/** First major with the provider `builtin`, and with its locale PG_UNICODE_FAST. */
const FIRST_WITH_BUILTIN = 17;
const FIRST_WITH_UNICODE_FAST = 18;

export type LocaleFacts = Pick<DatabaseFacts, 'encoding' | 'collate' | 'ctype' | 'localeProvider' | 'locale'>;

/** A database to be made. */
export interface CreationPlan {
  name: string;
  /** One CREATE DATABASE, which no transaction may hold. Nobody can connect to what it makes. */
  sql: string;
  /** The comment that marks it until it is finished. */
  mark: string;
}

/** Locales of the system that an ICU or builtin database merely carries along give way to C where they are missing. */
export function offeredLocale(recorded: LocaleFacts, missing: readonly string[]): LocaleFacts {
  if (recorded.localeProvider === 'libc') return recorded;
  const offered = (locale: string): string => (missing.includes(locale) ? 'C' : locale);
  return { ...recorded, collate: offered(recorded.collate), ctype: offered(recorded.ctype) };
}

export function createDatabaseSql(name: string, locale: LocaleFacts, major: number, tablespace?: string): string {
  return [
    `CREATE DATABASE ${quoteIdentifier(name)} TEMPLATE template0 ENCODING ${sqlLiteral(locale.encoding)}`,
    `LC_COLLATE ${sqlLiteral(locale.collate)} LC_CTYPE ${sqlLiteral(locale.ctype)}`,
    ...providerClause(locale, major),
    ...(tablespace === undefined ? [] : [`TABLESPACE ${quoteIdentifier(tablespace)}`]),
    `ALLOW_CONNECTIONS false CONNECTION LIMIT ${LIMIT_OF_UNBORN}`,
  ].join(' ');
}

function providerClause({ localeProvider, locale = '' }: LocaleFacts, major: number): string[] {
  if (major < FIRST_WITH_PROVIDERS) return [];
  if (localeProvider === 'icu') return [`LOCALE_PROVIDER icu ICU_LOCALE ${sqlLiteral(locale)}`];
  if (localeProvider === 'builtin') return [`LOCALE_PROVIDER builtin BUILTIN_LOCALE ${sqlLiteral(locale)}`];
  return ['LOCALE_PROVIDER libc'];
}

const BY_HAND =
  'or create an empty database of another locale yourself and restore into that with `strategy: in-place` (texts then sort in another order)';

/** @param missing locales that the target's system does not know */
export function assessLocale(recorded: LocaleFacts, target: TargetFacts, missing: readonly string[]): Finding[] {
  return [
    ...assessProvider(recorded, target),
    ...assessSystemLocale(recorded, missing),
    ...assessEncoding(recorded, target),
  ];
}

function assessProvider({ localeProvider, locale = '' }: LocaleFacts, { server, icu }: TargetFacts): Finding[] {
  const refuse = (seen: string, action: string): Finding[] => [
    inTheWay('locale-provider', seen, `${action}, ${BY_HAND}.`),
  ];
  const of = `The backed-up database sorts by the ${localeProvider} locale ${locale}`;
  if (localeProvider === 'icu' && server.major < FIRST_WITH_PROVIDERS) {
    return refuse(
      `${of}, which databases can have since Postgres 15 and the target is ${server.major}`,
      'Use a server of 15 or newer',
    );
  }
  if (localeProvider === 'icu' && !icu) {
    return refuse(
      `${of}, and the target was built without ICU`,
      'Use a server with ICU (the official images and packages have it)',
    );
  }
  const needed = locale === 'PG_UNICODE_FAST' ? FIRST_WITH_UNICODE_FAST : FIRST_WITH_BUILTIN;
  if (localeProvider === 'builtin' && server.major < needed) {
    return refuse(
      `${of}, which came with Postgres ${needed} and the target is ${server.major}`,
      `Use a server of ${needed} or newer`,
    );
  }
  return [];
}

function assessSystemLocale(recorded: LocaleFacts, missing: readonly string[]): Finding[] {
  const lost = [...new Set([recorded.collate, recorded.ctype])].filter((locale) => missing.includes(locale));
  if (lost.length === 0) return [];
  if (recorded.localeProvider !== 'libc') {
    return [
      {
        code: 'locale-replaced',
        severity: 'warning',
        seen: `The target's system has no locale ${lost.join(', ')}; the database sorts by ${recorded.localeProvider}, so C takes its place`,
        action: '',
      },
    ];
  }
  return [
    inTheWay(
      'locale-missing',
      `The target's system has no locale ${lost.join(', ')}, by which the backed-up database sorts`,
      `Install it on the server and restart that (Debian: \`localedef -i ${languageOf(lost[0] as string)} -f UTF-8 ${lost[0]}\`; images based on Alpine have none: use a Debian image, or a database with an ICU locale), ${BY_HAND}.`,
    ),
  ];
}

function languageOf(locale: string): string {
  return locale.replace(/[.@].*$/, '');
}

/** `check_encoding_locale_matches` of the server lets superusers alone use SQL_ASCII with a locale of another encoding. */
function assessEncoding({ encoding, ctype }: LocaleFacts, { role }: TargetFacts): Finding[] {
  if (encoding !== 'SQL_ASCII' || role.superuser || ['C', 'POSIX'].includes(ctype)) return [];
  return [
    inTheWay(
      'encoding',
      `The backed-up database is in SQL_ASCII with the locale ${ctype}, which only a superuser may create, and ${role.name} is none`,
      'Let a superuser create that database empty, and restore into it with `strategy: in-place`.',
    ),
  ];
}

/** A database that exists has its encoding and locale for good. */
export function assessExistingLocale(recorded: LocaleFacts, { database }: TargetFacts): Finding[] {
  const findings: Finding[] = [];
  if (recorded.encoding !== database.encoding) {
    const seen = `The backup is in ${recorded.encoding}, the database ${database.name} in ${database.encoding}`;
    const converts = database.encoding === 'UTF8' && recorded.encoding !== 'SQL_ASCII';
    findings.push(
      converts
        ? { code: 'encoding', severity: 'warning', seen: `${seen}: texts are converted`, action: '' }
        : inTheWay(
            'encoding',
            `${seen}, which cannot hold everything that the backup can`,
            `Restore into a database that was created with ENCODING '${recorded.encoding}', or with \`strategy: new-database\`.`,
          ),
    );
  }
  const words = ({ localeProvider, locale, collate, ctype }: LocaleFacts): string =>
    localeProvider === 'libc' ? `${collate}/${ctype}` : `${localeProvider} ${locale ?? ''}`;
  if (words(recorded) !== words(database)) {
    findings.push({
      code: 'collation-differs',
      severity: 'warning',
      seen: `The backed-up database sorted by ${words(recorded)}, ${database.name} sorts by ${words(database)}: texts come in another order, indexes are built for it`,
      action: '',
    });
  }
  return findings;
}
