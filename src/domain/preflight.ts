/**
 * The preflight: what decides whether a dump can be right, judged before anything is dumped. Pure; the facts are read
 * by `postgres/preflight.ts`.
 */
import { BackupError, type ErrorCode } from './errors.ts';
import type { ServerFacts } from './facts.ts';
import type { Finding } from './findings.ts';
import { assessPooler, type PoolerEvidence, type ServerAddress } from './poolers.ts';
import { assessDestinations, type DestinationFacts } from './preflight/destinations.ts';
import { assessExtensions } from './preflight/extensions.ts';
import { assessPatterns, type PatternMiss, type SystemSelection } from './preflight/patterns.ts';
import { assessRights, type RightsFacts } from './preflight/rights.ts';
import { assessSurroundings, type SurroundingFacts } from './preflight/surroundings.ts';
import { providerAdvice, type RecognisedProvider, type ServerSigns } from './providers.ts';
import type { QualifiedName } from './relations.ts';
import { listNames } from './relations.ts';
import { isWholeDatabase, type Scope } from './scope.ts';
import { countOf } from './words.ts';

export { assessDestinations, type DestinationFacts } from './preflight/destinations.ts';
export type { PatternInput, PatternMiss, SystemSelection } from './preflight/patterns.ts';
export type { RightsFacts } from './preflight/rights.ts';
export type { SurroundingFacts } from './preflight/surroundings.ts';

/** The oldest server whose dumps are tested. */
const OLDEST_MAJOR = 13;
/** The newest server that was known when this was written; a newer one is not refused. */
const NEWEST_MAJOR = 19;

export interface PreflightFacts {
  server: ServerFacts;
  database: string;
  /** `system_identifier` of the cluster, where the role may read it. */
  systemIdentifier?: string;
  databaseBytes: number;
  /** Tables of every kind outside the system's schemas, selected or not. */
  tablesInDatabase: number;
  selectedTables: number;
  misses: PatternMiss[];
  system: SystemSelection[];
  rights: RightsFacts;
  /** Selected tables that `critical-tables` names. */
  critical: QualifiedName[];
  /** Selected tables whose rows would be dumped if they were not unlogged. */
  unlogged: QualifiedName[];
  /** Settings, switched on, that make the server pass over damaged pages in silence. */
  hiding: readonly string[];
  /** Selected foreign tables. */
  foreign: QualifiedName[];
  /** Names of the installed ones. */
  extensions: readonly string[];
  signs: ServerSigns;
  surroundings: SurroundingFacts;
}

export interface PreflightChoices {
  scope: Scope;
  address: ServerAddress;
  pooler?: PoolerEvidence;
  allowEmpty: boolean;
  allowEphemeral: boolean;
  /** `RUNNER_ENVIRONMENT` is `github-hosted`. */
  hosted: boolean;
  destinations: readonly DestinationFacts[];
}

/** Every finding, errors first. An error finding means that nothing must be dumped. */
export function assessPreflight(facts: PreflightFacts, choices: PreflightChoices): Finding[] {
  const pooler = assessPooler(choices.address, choices.pooler);
  const findings = [
    ...(pooler === undefined ? [] : [pooler]),
    ...assessServerVersion(facts.server),
    ...assessServer(facts),
    ...assessPatterns(facts.misses, facts.system),
    ...assessEmptiness(facts, choices),
    ...assessRights(facts.rights, facts.server.major),
    ...assessContent(facts, choices.scope),
    ...assessExtensions(facts.extensions),
    ...assessDestinations(choices, facts.databaseBytes),
  ];
  const order = { error: 0, warning: 1, notice: 2 };
  return findings.toSorted((left, right) => order[left.severity] - order[right.severity]);
}

/** Whether a server of this version can be read at all; to be judged before anything else is read from it. */
export function assessServerVersion({ major, version }: Pick<ServerFacts, 'major' | 'version'>): Finding[] {
  if (major < OLDEST_MAJOR) {
    return [
      {
        code: 'server-too-old',
        severity: 'error',
        seen: `The server is Postgres ${version}; ${OLDEST_MAJOR} is the oldest that this action can prove`,
        action: 'Upgrade the server, or dump it with pg_dump by hand.',
      },
    ];
  }
  if (major <= NEWEST_MAJOR) return [];
  return [
    {
      code: 'server-newer-than-known',
      severity: 'warning',
      seen: `The server is Postgres ${version}, which came after this version of the action: it knows majors up to ${NEWEST_MAJOR}`,
      action: 'Use a newer release of this action. Whether this backup is proven is for its checks to say, as always.',
    },
  ];
}

/**
 * What is worth saying once, with the first backup of a series: the provider's ways, and what a restore does not bring
 * back by itself. At most three notices.
 */
export function adviseOnce({ surroundings }: PreflightFacts, provider?: RecognisedProvider): Finding[] {
  return [...(provider === undefined ? [] : providerAdvice(provider)), ...assessSurroundings(surroundings)];
}

function assessServer({ server, hiding }: PreflightFacts): Finding[] {
  const findings: Finding[] = [];
  for (const setting of hiding) {
    findings.push({
      code: 'damage-hidden',
      severity: 'error',
      seen: `\`${setting}\` is on: the server leaves rows of damaged pages out without saying so, and every check would agree`,
      action: `Save what can be saved by hand, then switch it off: \`ALTER DATABASE … RESET ${setting}\`, \`ALTER ROLE … RESET ${setting}\`, or in postgresql.conf.`,
    });
  }
  if (server.isStandby) {
    findings.push({
      code: 'standby',
      severity: 'notice',
      seen: 'The server is a standby: replay can cancel a long dump, and rows of unlogged tables do not exist there',
      action: 'If dumps are cancelled, raise `max_standby_streaming_delay` or set `hot_standby_feedback = on`.',
    });
  }
  return findings;
}

function assessEmptiness(facts: PreflightFacts, { scope, allowEmpty, address }: PreflightChoices): Finding[] {
  // A pattern without a match says better what is wrong.
  if (facts.selectedTables > 0 || facts.misses.length > 0) return [];
  const whole = facts.tablesInDatabase === 0;
  const where = `${address.host}:${address.port}`;
  const hint = whole
    ? 'Check the host and the database name in `database-url`'
    : 'Correct `schemas`, `tables` and their exclusions';
  return [
    {
      code: 'no-tables',
      severity: allowEmpty ? 'warning' : 'error',
      seen: whole
        ? `The database \`${facts.database}\` on ${where} has not a single table; it is usually the wrong one`
        : `The database \`${facts.database}\` has ${countOf(facts.tablesInDatabase, 'table')}, but the scope selects none${scope.content === 'schema' ? ' to define' : ''}`,
      action: allowEmpty ? '' : `${hint}. If this is right, set \`allow-empty: true\`.`,
    },
  ];
}

function assessContent(facts: PreflightFacts, scope: Scope): Finding[] {
  const findings: Finding[] = [];
  const { total } = facts.rights.largeObjects;
  if (total > 0 && scope.content !== 'schema' && !isWholeDatabase(scope)) {
    findings.push({
      code: 'large-objects-left-out',
      severity: 'warning',
      seen: `${countOf(total, 'large object is', 'large objects are')} not in this backup: pg_dump leaves them out as soon as \`schemas\` or \`tables\` is set`,
      action: 'If they matter, use `exclude-schemas` or `exclude-tables` instead.',
    });
  }
  if (facts.unlogged.length > 0) {
    const standby = facts.server.isStandby;
    findings.push({
      code: 'unlogged-tables',
      severity: standby ? 'warning' : 'notice',
      seen: standby
        ? `A standby has no rows of unlogged tables, so they are not dumped: ${listNames(facts.unlogged)}`
        : `Unlogged tables are dumped, but a crash of the server empties them: ${listNames(facts.unlogged)}`,
      action: standby ? 'Back up the primary if these rows matter.' : '',
    });
  }
  if (facts.foreign.length > 0) {
    findings.push({
      code: 'foreign-tables',
      severity: 'notice',
      seen: `Foreign tables are backed up as definitions; their rows stay with their own server: ${listNames(facts.foreign)}`,
      action: '',
    });
  }
  return findings;
}

const CODES: Readonly<Record<string, ErrorCode>> = {
  'transaction-pooler': 'ERR_POOLER',
  'pattern-without-match': 'ERR_PATTERN',
  'system-tables-selected': 'ERR_PATTERN',
  'no-tables': 'ERR_EMPTY_DATABASE',
};

/** The code under which a run ends that stops because of this finding. */
export function errorCodeOf(finding: Finding): ErrorCode {
  return CODES[finding.code] ?? 'ERR_PREFLIGHT';
}

/** One error for all findings of severity `error`, under the code of the first; `undefined` when there is none. */
export function preflightError(findings: readonly Finding[]): BackupError | undefined {
  const errors = findings.filter((finding) => finding.severity === 'error');
  const [first] = errors;
  if (first === undefined) return undefined;
  const message =
    errors.length === 1
      ? first.seen
      : `${errors.length} things are in the way:\n${listOnce(errors.map(({ seen }) => seen))}`;
  const hint = listOnce(errors.map(({ action }) => action));
  return new BackupError(errorCodeOf(first), message, { op: 'preflight', hint });
}

/** One a line, each once: the same GRANT may mend several things. */
function listOnce(sentences: readonly string[]): string {
  const [first = '', ...more] = new Set(sentences);
  return more.length === 0 ? first : [first, ...more].map((sentence) => `- ${sentence}`).join('\n');
}
