/** What the series already holds: read from the bucket alone, newest first. */
import { type GoodBackup, newestProven } from '../domain/alarm/good-backup.ts';
import { parseBackupId } from '../domain/backup-id.ts';
import { BackupError, messageOf } from '../domain/errors.ts';
import type { Finding } from '../domain/findings.ts';
import { type Manifest, parseManifest } from '../domain/manifest.ts';
import { OBJECT_NAMES, objectKey, seriesPrefix, setFolder } from '../domain/set-layout.ts';
import type { Storage } from '../ports.ts';
import { readBytes } from '../storage/write-object.ts';

/** Manifests that are read; enough to pass over a week of nightly failures between two like backups. */
const MANIFESTS_READ = 12;
/** Folders that are looked at: those of failed runs have no manifest. */
const FOLDERS_READ = 200;

const HISTORY_UNREADABLE = 'history-unreadable';

export interface History {
  /** Newest first. */
  manifests: Manifest[];
  findings: Finding[];
}

/**
 * The newest manifests of a series. Without the right to read, the history is empty and a notice says so:
 * comparing with the past is optional, and a role that may only write is a good role.
 */
export async function readHistory(storage: Storage, series: string): Promise<History> {
  let ids: string[];
  try {
    ids = await setIds(storage, series);
  } catch (error) {
    if (!(error instanceof BackupError) || error.code !== 'ERR_STORAGE_DENIED') throw error;
    return { manifests: [], findings: [unreadable(error, 's3:ListBucket')] };
  }
  const manifests: Manifest[] = [];
  const findings: Finding[] = [];
  for (const id of ids.sort().reverse().slice(0, FOLDERS_READ)) {
    if (manifests.length === MANIFESTS_READ) break;
    try {
      const text = (await readBytes(storage, objectKey(series, id, OBJECT_NAMES.manifest))).toString('utf8');
      manifests.push(parseManifest(text));
    } catch (error) {
      if (!(error instanceof BackupError)) throw error;
      // A set without its marker is an unfinished one: it does not exist.
      if (error.code === 'ERR_STORAGE_MISSING') continue;
      if (error.code === 'ERR_STORAGE_DENIED')
        return { manifests: [], findings: [unreadable(error, 's3:GetObject on */metadata.json')] };
      if (error.code !== 'ERR_MANIFEST') throw error;
      findings.push({
        code: 'manifest-unreadable',
        severity: 'warning',
        seen: `${id}: ${messageOf(error)}`,
        action: 'Look at that set; this run does not touch it.',
      });
    }
  }
  if (manifests.length === 0 && ids.length > FOLDERS_READ) {
    findings.push({
      code: 'history-without-manifests',
      severity: 'warning',
      seen: `None of the newest ${FOLDERS_READ} folders of the series ${series} holds a finished backup`,
      action: 'Find out why backups of this series have failed for so long; older ones are not compared with.',
    });
  }
  return { manifests, findings };
}

/** The newest proven backup of a series whose history was read. */
export function newestOf({ manifests, findings }: History, storage: Storage, series: string): GoodBackup {
  const hidden = findings.find(({ code }) => code === HISTORY_UNREADABLE);
  if (hidden !== undefined) return { known: 'unreadable', why: hidden.seen };
  return newestProven(manifests, (id) => storage.uri(setFolder(series, id)));
}

async function setIds(storage: Storage, series: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const folder of storage.listFolders(seriesPrefix(series))) {
    const id = folder.split('/').at(-2) ?? '';
    if (parseBackupId(id) !== undefined) ids.push(id);
  }
  return ids;
}

function unreadable(error: BackupError, right: string): Finding {
  return {
    code: HISTORY_UNREADABLE,
    severity: 'notice',
    seen: `Earlier backups could not be read, so this one is not compared with them: ${error.message}`,
    action: `Grant ${right} if sizes and the identity of the source should be compared.`,
  };
}
