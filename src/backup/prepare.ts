/** Everything that is settled before a byte is dumped. Reads only; a run that fails here has written nothing. */
import { statfs } from 'node:fs/promises';
import type { CommandContext } from '../command.ts';
import { seriesNameFrom } from '../domain/backup-id.ts';
import { clientVersionFindings, parseClientVersion } from '../domain/client-version.ts';
import { type ConnectionHost, type ConnectionRequest, displayHost } from '../domain/connection.ts';
import { BackupError } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { compareSource, type SourceFingerprint, sourceFingerprint } from '../domain/fingerprint.ts';
import { assessPooler, isCertainPooler, type ServerAddress } from '../domain/poolers.ts';
import {
  assessDestinations,
  assessPreflight,
  type DestinationFacts,
  type PreflightFacts,
  preflightError,
} from '../domain/preflight.ts';
import { formatBytes } from '../domain/words.ts';
import type { BackupInputs } from '../inputs/types.ts';
import type { Storage } from '../ports.ts';
import { openClientCache } from '../postgres/client-cache.ts';
import { type ClientSearch, type ClientTools, findClientTools, thisMachine } from '../postgres/client-tools.ts';
import { writeCredentials } from '../postgres/credentials.ts';
import { probePooler, readPreflight } from '../postgres/preflight.ts';
import type { Supervisor } from '../runner/supervisor.ts';
import { type AliveParts, openSession, whileAlive } from './alive.ts';
import { type History, readHistory } from './history.ts';
import { ownSessions } from './sessions.ts';

export interface Prepared {
  /** The series. */
  name: string;
  facts: PreflightFacts;
  source: SourceFingerprint;
  /** The one host that answered: snapshot, dump and watchdog must meet the same server. */
  connection: ConnectionRequest;
  tools: ClientTools;
  /** The whole environment of pg_dump and its kin: paths of files and libraries, no secret. */
  childEnv: Record<string, string>;
  history: History;
  findings: Finding[];
}

/**
 * Judges destination, address, server, rights and scope, finds the client tools and reads the series' past.
 * Throws one error for everything that is in the way. Findings that are not errors are returned.
 */
export async function prepare(
  inputs: BackupInputs,
  context: CommandContext,
  storage: Storage,
  supervisor: Supervisor,
): Promise<Prepared> {
  const destinations = await describeDestinations(inputs, storage);
  const choices = { destinations, hosted: inputs.runner.hosted, allowEphemeral: inputs.allowEphemeral };
  stopAtErrors([...assessDestinations(choices, 0), ...refusedAddresses(inputs)]);
  const { facts, host, evidence } = await lookAtDatabase(inputs, context, supervisor);
  const address = addressOf(inputs, host);
  const judged = assessPreflight(facts, {
    ...choices,
    scope: inputs.scope,
    address,
    pooler: evidence,
    allowEmpty: inputs.allowEmpty,
  });
  stopAtErrors(judged);
  context.log.info(
    `Postgres ${facts.server.version} at ${displayHost(host)}, database ${facts.database}: ${formatBytes(facts.databaseBytes)}, ${facts.selectedTables} tables in scope`,
  );
  const { tools, findings: aboutTools } = await findClientTools(facts.server.major, clientSearch(inputs, context));
  context.log.info(`pg_dump ${tools.version} (${tools.source}: ${tools.pgDump})`);
  const connection = { ...ownSessions(inputs.connection), hosts: [host] } satisfies ConnectionRequest;
  const { env: connectionEnv } = await writeCredentials(context.workDir, connection, host);
  const childEnv = { ...connectionEnv, ...tools.env };
  const name = inputs.name ?? seriesNameFrom(facts.database);
  const history = await readHistory(storage, name);
  const source = sourceFingerprint({
    ...address,
    ...(facts.systemIdentifier === undefined ? {} : { systemIdentifier: facts.systemIdentifier }),
  });
  context.log.info(`Series ${name} in ${storage.location}: ${describePast(history)}`);
  const findings = [
    ...inputs.notices,
    ...inputs.connection.notices,
    ...judged,
    ...aboutTools,
    ...agedClient(tools),
    ...history.findings,
    ...compareIdentity(name, source, history, inputs.acceptNewSource),
  ];
  return { name, facts, source, connection, tools, childEnv, history, findings };
}

function clientSearch(inputs: BackupInputs, context: CommandContext): ClientSearch {
  const { env, workDir, log, signal, clock, proofThread: workerUrl } = context;
  const { toolCache, tempDirectory } = inputs.runner;
  const cache = inputs.cacheClientTools
    ? openClientCache({ env, tempDirectory, workDir, workerUrl, log, signal })
    : undefined;
  return {
    ...thisMachine(env),
    repository: inputs.aptRepository,
    workDir,
    now: clock.now(),
    log,
    signal,
    ...(toolCache === undefined ? {} : { toolCache }),
    ...(cache === undefined ? {} : { cache }),
  };
}

function describePast({ manifests: [newest] }: History): string {
  return newest === undefined ? 'no earlier backup known' : `newest backup ${newest.id}, ${newest.verdict}`;
}

function agedClient(tools: ClientTools): Finding[] {
  const version = parseClientVersion(`pg_dump (PostgreSQL) ${tools.version}`);
  return version === undefined ? [] : clientVersionFindings(version);
}

function stopAtErrors(findings: readonly Finding[]): void {
  const error = preflightError(findings);
  if (error !== undefined) throw error;
}

async function describeDestinations(inputs: BackupInputs, storage: Storage): Promise<DestinationFacts[]> {
  const [destination] = inputs.destinations;
  if (destination.kind === 's3') return [{ kind: 's3', location: storage.location }];
  const freeBytes = await freeSpace(storage.location);
  return [{ kind: 'directory', location: storage.location, ...(freeBytes === undefined ? {} : { freeBytes }) }];
}

/** Free bytes for this user where `folder` is or will be; undefined where the system does not tell. */
async function freeSpace(folder: string): Promise<number | undefined> {
  for (let path = folder; ; path = `${path}/..`) {
    try {
      const { bavail, bsize } = await statfs(path);
      return bavail * bsize;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || path.length > 4000) return undefined;
    }
  }
}

/** Poolers that are known by their address alone are refused before anything is sent to them. */
function refusedAddresses(inputs: BackupInputs): Finding[] {
  return inputs.connection.hosts
    .map((host) => addressOf(inputs, host))
    .filter(isCertainPooler)
    .flatMap((address) => assessPooler(address) ?? []);
}

function addressOf(inputs: BackupInputs, host: ConnectionHost): ServerAddress {
  const { user, dbname } = inputs.connection;
  return { host: host.host || (host.hostaddr ?? ''), port: host.port, user, database: dbname };
}

async function lookAtDatabase(inputs: BackupInputs, context: CommandContext, supervisor: Supervisor) {
  const { connectWindowSeconds, stallTimeoutSeconds: stallSeconds, scope, criticalTables } = inputs;
  const connection = ownSessions(inputs.connection);
  const alive: AliveParts = { connection, context, supervisor, stallSeconds, connectWindowSeconds };
  await using sessions = new AsyncDisposableStack();
  const first = await openSession('preflight', alive);
  sessions.defer(() => first.end());
  const second = await openSession('preflight', { ...alive, connection: { ...connection, hosts: [first.host] } });
  sessions.defer(() => second.end());
  const look = async () => ({
    evidence: await probePooler(first.client, second.client),
    facts: await readPreflight(first.client, { scope, criticalTables }),
    host: first.host,
  });
  return await whileAlive(first, look(), alive);
}

/** Another database under a known name is refused: two projects both called `postgres` must not mix. */
function compareIdentity(name: string, source: SourceFingerprint, history: History, accepted: boolean): Finding[] {
  const [last] = history.manifests;
  if (last === undefined) return [];
  const previous = { fingerprint: last.source.fingerprint, kind: last.source.fingerprintKind };
  const comparison = compareSource(previous, source);
  if (comparison === 'same') return [];
  if (accepted) {
    return [
      {
        code: 'new-source-accepted',
        severity: 'notice',
        seen: `The series ${name} goes on with another database`,
        action: 'Remove `accept-new-source` again.',
      },
    ];
  }
  const what =
    comparison === 'different'
      ? `The series ${name} holds backups of another database (last: ${last.id})`
      : `It cannot be told whether the series ${name} (last: ${last.id}) holds this database: the role can no longer, or could not then, read pg_control_system()`;
  throw new BackupError('ERR_SOURCE_CHANGED', what, {
    op: 'compare the source with earlier backups',
    hint: 'Give this database its own series with `name`. If it is the same one on a new server, set `accept-new-source: true` for one run. Nothing was written; older backups are untouched.',
  });
}
