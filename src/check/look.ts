/** Everything that a check looks at, in one place: the server, what the user asked for, and what is in the storage. */
import type { Target } from '../backup/destinations.ts';
import type { CommandContext } from '../command.ts';
import type { CriticalFacts, FactName } from '../domain/check/facts.ts';
import { isWanted } from '../domain/check/judge.ts';
import type { Looked, Seen } from '../domain/check/model.ts';
import { rowDropOf } from '../domain/check/row-drop.ts';
import { compareSchema } from '../domain/check/schema-list.ts';
import { BackupError } from '../domain/errors.ts';
import { managedBy } from '../domain/providers/managed.ts';
import { type RecognisedProvider, recogniseProvider, wordsOf } from '../domain/providers.ts';
import { countOf, formatBytes } from '../domain/words.ts';
import type { CheckInputs } from '../inputs/types.ts';
import { runAssertions } from '../postgres/assertions.ts';
import { readCritical } from '../postgres/health/critical.ts';
import { lookAtHealth, measureLatency } from '../postgres/health/look.ts';
import { readOrphans } from '../postgres/health/orphans.ts';
import { type LargeTable, readLargestTables } from '../postgres/health/room.ts';
import { readSchemaList } from '../postgres/health/schema-list.ts';
import { readClock, readServerContext, type ServerContext } from '../postgres/health/server.ts';
import { readSigns } from '../postgres/surroundings.ts';
import type { CheckFiles } from './files.ts';
import type { OpenedHealth } from './open.ts';
import type { Past } from './past.ts';
import { lookAtReadiness } from './readiness.ts';

/** An assertion that takes longer is none for a gate. */
const ASSERTION_SECONDS = 60;
const ASSERTION_LOCK_SECONDS = 1;
const SIGNS_SECONDS = 10;

export interface LookParts {
  inputs: CheckInputs;
  context: CommandContext;
  opened: OpenedHealth;
  files: CheckFiles;
  /** The lines of `storage`, opened. */
  targets: readonly Target[];
  series: string;
  /** Of earlier backups; absent without `storage`. */
  past: Past | undefined;
}

export interface LookedAt {
  looked: Looked;
  server: ServerContext;
  /** Pairs of a word and a sentence, for the summary. */
  overview: readonly (readonly [what: string, words: string])[];
  /** Of the database, where they were read. */
  schemaList?: readonly string[];
}

/** Throws only when the session or the run is lost for good. */
export async function lookAtEverything(parts: LookParts): Promise<LookedAt> {
  const { inputs, context, opened, files } = parts;
  const { expectedSchema } = files;
  const { session } = opened;
  const wanted = (fact: FactName): boolean => isWanted(fact, inputs.settings);
  const provider = await recognise(opened);
  const managed = provider === undefined ? [] : managedBy(provider.id).schemas;
  const server: ServerContext = { ...(await describeServer(opened)), managed };
  const none = 'Run the check again.';
  const looked: Looked = {
    ...opened.looked,
    ...(wanted('latency')
      ? { latency: await session.see(() => measureLatency(session, () => performance.now()), none) }
      : {}),
    ...(wanted('clock') ? { clock: await session.see(() => readClock(session, () => context.clock.now()), none) } : {}),
    ...(await lookAtHealth(session, server, wanted)),
  };
  Object.assign(looked, await lookAtShape(parts, server, wanted));
  const list = await listObjects(parts, wanted);
  if (list !== undefined && expectedSchema !== undefined && wanted('schema')) {
    looked.schema = 'seen' in list ? { seen: compareSchema(expectedSchema, list.seen) } : list;
  }
  if (parts.past !== undefined && wanted('growth')) Object.assign(looked, growthOf(parts.past, looked.database));
  if (wanted('readiness')) {
    const { targets, series, past } = parts;
    looked.readiness = await lookAtReadiness({ opened, role: server.role, targets, series, past });
  }
  return {
    looked,
    server,
    overview: await overviewOf(parts, { server, provider, looked }),
    ...(list !== undefined && 'seen' in list ? { schemaList: list.seen } : {}),
  };
}

/** What the inputs ask for; nothing of it is looked at unasked. */
async function lookAtShape(
  { inputs, files, context, opened, past }: LookParts,
  server: ServerContext,
  wanted: (fact: FactName) => boolean,
): Promise<Looked> {
  const { session } = opened;
  const { criticalTables: rules, orphanChecks, expectedExtensions } = inputs;
  const looked: Looked = {};
  const compares = past !== undefined && wanted('rowDrop');
  if (rules.length > 0 && (wanted('criticalTables') || compares)) {
    const critical = await session.see(() => readCritical(session, { rules, exact: compares }), GRANT_READING);
    looked.criticalTables = critical;
    if (compares) looked.rowDrop = dropOf(past, critical);
  }
  if (orphanChecks.length > 0 && wanted('orphans')) {
    looked.orphans = await session.see(() => readOrphans(session, server, orphanChecks), GRANT_READING);
  }
  if (expectedExtensions.length > 0 && wanted('expectedExtensions')) {
    looked.expectedExtensions = await session.see(async () => {
      const rows = await session.ask<{ name: string; version: string }>(
        'SELECT extname::text AS name, extversion AS version FROM pg_extension',
      );
      return expectedExtensions.map((extension) => {
        const installed = rows.find(({ name }) => name === extension.name)?.version;
        return { ...extension, ...(installed === undefined ? {} : { installed }) };
      });
    }, '');
  }
  const { assertions } = files;
  if (assertions !== undefined && wanted('assertions')) {
    const client = await session.client();
    const run = { statementTimeoutSeconds: ASSERTION_SECONDS, lockTimeoutSeconds: ASSERTION_LOCK_SECONDS };
    looked.assertions = {
      seen: await runAssertions(client, assertions, { ...run, now: context.clock.now(), signal: context.signal }),
    };
  }
  return looked;
}

const GRANT_READING = 'GRANT SELECT on those tables to this role, or the role pg_read_all_data.';

function dropOf(past: Past, critical: Seen<readonly CriticalFacts[]>): NonNullable<Looked['rowDrop']> {
  if ('hidden' in critical) return critical;
  return 'hidden' in past ? past : rowDropOf(past.manifests, critical.seen);
}

function growthOf(past: Past, database: Looked['database']): Looked {
  if (database === undefined) return {};
  if ('hidden' in database) return { growth: database };
  if ('hidden' in past) return { growth: past };
  const points = past.manifests.map(({ snapshotAt, totals }) => ({
    at: new Date(snapshotAt),
    bytes: totals.databaseBytes,
  }));
  return { growth: { seen: { points, bytes: database.seen.bytes } } };
}

async function listObjects(
  { inputs, opened }: LookParts,
  wanted: (fact: FactName) => boolean,
): Promise<Seen<string[]> | undefined> {
  const compares = inputs.expectedSchema !== undefined && wanted('schema');
  if (!compares && inputs.reportPath === undefined) return undefined;
  return await opened.session.see(() => readSchemaList(opened.session), '');
}

/** Without an answer to this nothing else can be asked: the server counts as one that does not answer. */
async function describeServer({ session, where }: OpenedHealth): Promise<Omit<ServerContext, 'managed'>> {
  const server = await session.see(() => readServerContext(session), '');
  if ('seen' in server) return server.seen;
  throw new BackupError('ERR_CONNECT', `${where} let the session in and did not say what it is. ${server.hidden}`, {
    op: 'connect',
    hint: 'Look at the server and the network on the way, and run the check again.',
    retryable: true,
  });
}

async function recognise({ session, address }: OpenedHealth): Promise<RecognisedProvider | undefined> {
  const signs = await session.see(() => session.lend(readSigns, SIGNS_SECONDS), '');
  return recogniseProvider(address.host, 'seen' in signs ? signs.seen : undefined);
}

/** Where the state of an hour ago can be had, for the day on which a check finds that rows are gone. */
function providerWords({ id, name, evidence }: RecognisedProvider): string {
  const pointInTime = wordsOf(id)?.pointInTime;
  const recovery =
    pointInTime === undefined ? '' : `; its point-in-time recovery: ${pointInTime.offer}, ${pointInTime.how}`;
  return `${name} (recognised by ${evidence})${recovery}`;
}

async function overviewOf(
  { opened }: LookParts,
  { server, provider, looked }: { server: ServerContext; provider: RecognisedProvider | undefined; looked: Looked },
): Promise<LookedAt['overview']> {
  const { session, where } = opened;
  const { version, isStandby, role } = server;
  const { database } = looked;
  const tables = await session.see(() => readLargestTables(session), '');
  const largest = 'seen' in tables ? tables.seen : [];
  return [
    ['server', `Postgres ${version}${isStandby ? ', a standby' : ''}, ${where}`],
    ...(provider === undefined ? [] : [['provider', providerWords(provider)] as const]),
    ['role', role],
    ...(database !== undefined && 'seen' in database ? [['size', formatBytes(database.seen.bytes)] as const] : []),
    ...(largest.length === 0 ? [] : [['largest tables', largest.map(tableWords).join('; ')] as const]),
  ];
}

function tableWords({ name, bytes, rows }: LargeTable): string {
  if (rows !== null) return `${name}: ${formatBytes(bytes)}, about ${countOf(rows, 'row')}`;
  const size = bytes === 0 ? '' : `${formatBytes(bytes)} or more, `;
  return `${name}: ${size}rows not known before \`ANALYZE\``;
}
