/** Opens the session of a check, and finds out what lies on the way to the server. */
import { addressOf, refusedAddresses } from '../backup/first-look.ts';
import { ownSessions } from '../backup/sessions.ts';
import type { CommandContext } from '../command.ts';
import type { HealthFacts } from '../domain/check/facts.ts';
import type { Looked, Seen } from '../domain/check/model.ts';
import {
  type ConnectionHost,
  type ConnectionRequest,
  displayHost,
  isUnixSocket,
  tlsAttempts,
} from '../domain/connection.ts';
import { BackupError } from '../domain/errors.ts';
import type { PoolerEvidence, ServerAddress } from '../domain/poolers.ts';
import type { CheckInputs } from '../inputs/types.ts';
import { connect } from '../postgres/connect.ts';
import { readTlsFiles } from '../postgres/credentials.ts';
import { HealthSession, hiddenBy } from '../postgres/health/session.ts';
import { probePooler } from '../postgres/preflight.ts';
import { endedBy, endSession } from '../postgres/session.ts';

const PROBE_SECONDS = 30;

export interface OpenedHealth {
  session: HealthSession;
  address: ServerAddress;
  /** `db.example.com:5432/shop` */
  where: string;
  /** Sessions share server processes: nothing may be set beyond one transaction. */
  pooled: boolean;
  looked: Looked;
}

/** Throws what `connect` throws, with `op` `connect`. */
export async function openHealth(
  inputs: CheckInputs,
  context: CommandContext,
  resources: AsyncDisposableStack,
): Promise<OpenedHealth> {
  const { clock } = context;
  const request = ownSessions(inputs.connection);
  const options = { ...context, windowSeconds: inputs.connectWindowSeconds, applicationName: 'db-backup-action check' };
  const startedAt = clock.now().getTime();
  const { client, host, encrypted } = await connect(request, options);
  const waitedSeconds = Math.max(0, (clock.now().getTime() - startedAt) / 1000);
  const same: ConnectionRequest = { ...request, hosts: [host] };
  const session = new HealthSession({
    client,
    reopen: async () => {
      context.log.info('The session was lost. Connecting again.');
      return (await connect(same, options)).client;
    },
    signal: context.signal,
  });
  resources.defer(() => session.end());
  const pooler = await lookForPooler(session, { same, options, request });
  const pooled = 'seen' in pooler && pooler.seen.kind === 'transaction';
  const where = `${displayHost(host)}/${request.dbname}`;
  const looked: Looked = {
    connect: { seen: { waitedSeconds, where } },
    tls: { seen: await describeTls(request, host, encrypted) },
    pooler,
  };
  return { session, address: addressOf(request, host), where, pooled, looked };
}

async function describeTls(
  request: ConnectionRequest,
  host: ConnectionHost,
  encrypted: boolean,
): Promise<HealthFacts['tls']> {
  const { ca } = await readTlsFiles(request);
  const attempt = tlsAttempts(request, host, ca !== undefined).find((each) => each.encrypted === encrypted);
  return { encrypted, verify: attempt?.verify ?? 'none', local: isLocal(host) };
}

function isLocal(host: ConnectionHost): boolean {
  const address = host.hostaddr ?? host.host;
  return isUnixSocket(host) || /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/i.test(address);
}

interface ProbeParts {
  request: ConnectionRequest;
  same: ConnectionRequest;
  options: Parameters<typeof connect>[1];
}

/** A second session is needed to tell; a server that has none left does not stop the check. */
async function lookForPooler(
  session: HealthSession,
  { request, same, options }: ProbeParts,
): Promise<Seen<PoolerEvidence>> {
  if (refusedAddresses(request).length > 0) {
    return { seen: { kind: 'transaction', how: 'its address is known as one' } };
  }
  try {
    const { client: second } = await connect(same, { ...options, windowSeconds: 0 });
    try {
      // Whatever is silent for so long is ended, on both sides.
      const overdue = AbortSignal.any([options.signal, AbortSignal.timeout(PROBE_SECONDS * 1000)]);
      const probe = () => session.lend((first) => probePooler(first, second), PROBE_SECONDS);
      return { seen: await endedBy(second, overdue, probe) };
    } finally {
      await endSession(second);
    }
  } catch (error) {
    options.signal.throwIfAborted();
    if (!(error instanceof BackupError)) return hiddenBy(error, '');
    return { hidden: `A second session could not be opened: ${error.message}`, action: error.hint };
  }
}
