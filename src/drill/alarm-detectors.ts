/** The code that reads the real backup in a drill, as the rehearsal of the alarm calls it. */
import { mkdir } from 'node:fs/promises';
import type { CommandContext } from '../command.ts';
import { relationKey } from '../domain/relations.ts';
import { checkRestoredTables } from '../domain/restored-proof/rows.ts';
import type { Log } from '../ports.ts';
import type { ClientTools } from '../postgres/client-tools.ts';
import { readDocuments } from '../restore/documents.ts';
import { fetchArchive } from '../restore/fetch-archive.ts';
import { selectBackup } from '../restore/select.ts';
import type { AlarmDetectors } from './prove-the-alarm.ts';
import { readArchiveFile } from './read-archive.ts';

/** Everything of a rehearsal lies on this disk. */
const STALL_SECONDS = 30;

export interface DetectorParts extends Pick<CommandContext, 'log' | 'clock' | 'env' | 'signal'> {
  tools: ClientTools;
}

export function alarmDetectors({ tools, ...context }: DetectorParts): AlarmDetectors {
  const { signal } = context;
  const log = quiet(context.log);
  const parts = { ...context, log, stallSeconds: STALL_SECONDS };
  return {
    async select(target, series) {
      const request = { selector: { kind: 'latest' }, series, targets: [target], signal, log } as const;
      const selected = await selectBackup({ ...request, openStorage: () => target.storage });
      if (selected.kind === 'set') return selected;
      throw new Error('a dump made by other means was chosen');
    },
    readContents: async (set) => (await readDocuments(set, undefined, parts)).contents,
    async fetch(set, contents, workDir) {
      await mkdir(workDir, { recursive: true });
      return (await fetchArchive(set, contents, undefined, { ...parts, workDir })).archive;
    },
    async read(archive) {
      if (archive.kind === 'file') return await readArchiveFile(archive.path, { tools, signal });
      throw new Error('the disk has no room for a small copy');
    },
    compare(contents, { tables }) {
      const plan = {
        restored: [],
        whole: true,
        leftOut: [],
        missingRoles: [],
        rolesToCreate: [],
        gaps: [],
        findings: [],
      };
      const digests = new Map(tables.map((table) => [relationKey(table), table]));
      return checkRestoredTables(contents, plan, { digests, unread: new Map(), roots: new Map() });
    },
  };
}

/** What is said of broken copies would look like news of the real backup. */
function quiet(log: Log): Log {
  const debug = (message: string): void => log.debug(`rehearsal: ${message}`);
  return {
    info: debug,
    progress: debug,
    notice: debug,
    warning: debug,
    error: debug,
    debug,
    group: (_title, body) => body(),
    mask: (secret) => log.mask(secret),
  };
}
