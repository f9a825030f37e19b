/** Everything that is settled before a byte is dumped. Reads only; a run that fails here has written nothing. */
import type { CommandContext } from '../command.ts';
import { seriesNameFrom } from '../domain/backup-id.ts';
import { clientVersionFindings, parseClientVersion } from '../domain/client-version.ts';
import { type ConnectionRequest, displayHost } from '../domain/connection.ts';
import type { Finding } from '../domain/findings.ts';
import { type SourceFingerprint, sourceFingerprint } from '../domain/fingerprint.ts';
import { adviseOnce, assessDestinations, assessPreflight, type PreflightFacts } from '../domain/preflight.ts';
import { type RecognisedProvider, recogniseProvider } from '../domain/providers.ts';
import { assessSource } from '../domain/series-source.ts';
import { countOf, formatBytes } from '../domain/words.ts';
import type { BackupInputs } from '../inputs/types.ts';
import { type ClientTools, findClientTools } from '../postgres/client-tools.ts';
import { writeCredentials } from '../postgres/credentials.ts';
import { readPreflight } from '../postgres/preflight.ts';
import type { Supervisor } from '../runner/supervisor.ts';
import type { AliveParts } from './alive.ts';
import { clientSearch } from './client-search.ts';
import type { Destinations } from './destinations.ts';
import { addressOf, lookAtServer, refusedAddresses, stopAtErrors } from './first-look.ts';
import { type History, readHistory } from './history.ts';
import { describePlace } from './places.ts';
import { ownSessions } from './sessions.ts';
import { watchDrills } from './watch-drills.ts';

export interface Prepared {
  /** The series. */
  name: string;
  facts: PreflightFacts;
  source: SourceFingerprint;
  /** Absent for a server of nobody's in particular. */
  provider?: RecognisedProvider;
  /** The one host that answered: snapshot, dump and watchdog must meet the same server. */
  connection: ConnectionRequest;
  tools: ClientTools;
  /** The whole environment of pg_dump and its kin: paths of files and libraries, no secret. */
  childEnv: Record<string, string>;
  /** As the first destination knows it. */
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
  destinations: Destinations,
  supervisor: Supervisor,
): Promise<Prepared> {
  const places = await Promise.all(destinations.all.map(describePlace));
  const choices = { destinations: places, hosted: inputs.runner.hosted, allowEphemeral: inputs.allowEphemeral };
  stopAtErrors([...assessDestinations(choices, 0), ...refusedAddresses(inputs.connection)]);
  const { facts, host, evidence } = await lookAtDatabase(inputs, context, supervisor);
  const address = addressOf(inputs.connection, host);
  const judged = assessPreflight(facts, {
    ...choices,
    scope: inputs.scope,
    address,
    pooler: evidence,
    allowEmpty: inputs.allowEmpty,
  });
  stopAtErrors(judged);
  const provider = recogniseProvider(address.host, facts.signs);
  context.log.info(
    `Postgres ${facts.server.version}${provider === undefined ? '' : ` on ${provider.name} (recognised by ${provider.evidence})`} at ${displayHost(host)}, database ${facts.database}: ${formatBytes(facts.databaseBytes)}, ${countOf(facts.selectedTables, 'table')} in scope`,
  );
  const { tools, findings: aboutTools } = await findClientTools(facts.server.major, clientSearch(inputs, context));
  context.log.info(`pg_dump ${tools.version} (${tools.source}: ${tools.pgDump})`);
  const connection = { ...ownSessions(inputs.connection), hosts: [host] } satisfies ConnectionRequest;
  const { env: connectionEnv } = await writeCredentials(context.workDir, connection, host);
  const childEnv = { ...connectionEnv, ...tools.env };
  const name = inputs.name ?? seriesNameFrom(facts.database);
  const source = sourceFingerprint({
    ...address,
    ...(facts.systemIdentifier === undefined ? {} : { systemIdentifier: facts.systemIdentifier }),
  });
  const histories = await destinations.each(async (target) => ({
    target,
    ...(await readHistory(target.storage, name)),
  }));
  for (const { target, manifests } of histories) {
    context.log.info(`Series ${name} in ${target.storage.location}: ${describePast(manifests)}`);
  }
  const [history] = histories as [(typeof histories)[0]];
  const findings = [
    ...inputs.notices,
    ...inputs.connection.notices,
    ...judged,
    // History that cannot be read is no sign of a first backup.
    ...(history.manifests.length === 0 && history.findings.length === 0 ? adviseOnce(facts, provider) : []),
    ...aboutTools,
    ...agedClient(tools),
    ...histories.flatMap(({ findings }) => findings),
    ...(await watchDrills(history.target.storage, name, history, context)),
    ...histories
      .flatMap(({ manifests }) => assessSource({ name, source, accepted: inputs.acceptNewSource }, manifests))
      .slice(0, 1),
  ];
  return {
    name,
    facts,
    source,
    ...(provider === undefined ? {} : { provider }),
    connection,
    tools,
    childEnv,
    history,
    findings,
  };
}

function describePast([newest]: History['manifests']): string {
  return newest === undefined ? 'no earlier backup known' : `newest backup ${newest.id}, ${newest.verdict}`;
}

function agedClient(tools: ClientTools): Finding[] {
  const version = parseClientVersion(`pg_dump (PostgreSQL) ${tools.version}`);
  return version === undefined ? [] : clientVersionFindings(version);
}

async function lookAtDatabase(inputs: BackupInputs, context: CommandContext, supervisor: Supervisor) {
  const { connectWindowSeconds, stallTimeoutSeconds: stallSeconds, scope, criticalTables } = inputs;
  const connection = ownSessions(inputs.connection);
  const alive: AliveParts = { connection, context, supervisor, stallSeconds, connectWindowSeconds };
  return await lookAtServer('preflight', alive, (client) =>
    readPreflight(client, { scope, criticalTables, withoutLimits: true }),
  );
}
