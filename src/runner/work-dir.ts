/** A private folder for credentials files and sockets of this run; nothing of the database's content lies in it. */
import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';

const PREFIX = 'db-backup-action-';

/** The path of a folder that does not exist yet. Split from the making, so that the path can be noted down first. */
export function planWorkDir(tempDirectory: string): string {
  return path.join(path.resolve(tempDirectory), PREFIX + randomUUID());
}

/** Only its owner may look into it. Makes the temporary directory too, where it is missing. */
export async function makeWorkDir(workDir: string): Promise<void> {
  await mkdir(path.dirname(workDir), { recursive: true });
  await mkdir(workDir, { mode: 0o700 });
}

/** Idempotent. Refuses a path that {@link planWorkDir} cannot have given. */
export async function removeWorkDir(workDir: string): Promise<void> {
  if (!path.isAbsolute(workDir) || path.normalize(workDir) !== workDir || !path.basename(workDir).startsWith(PREFIX)) {
    throw new Error(`${JSON.stringify(workDir)} is not a work folder of this action`);
  }
  await rm(workDir, { recursive: true, force: true, maxRetries: 2 });
}
