/** Whether a folder holds client tools that run here and are of the major that is wanted. */
import path from 'node:path';
import { CLIENT_TOOLS, type ClientSource } from '../domain/client-version.ts';
import { type FolderContext, inspectPrograms } from './program-folder.ts';

/** Absolute paths of tools that ran and said that they are of this major. */
export interface ClientTools {
  major: number;
  /** As printed: `17.11`, `19rc1`. */
  version: string;
  pgDump: string;
  pgRestore: string;
  pgDumpall: string;
  /** Only where it lies beside them, runs and is of the same version: needed where definitions are run as a script. */
  psql?: string;
  source: ClientSource;
  /** What they need in their environment: the way to the libraries that were brought along with them. */
  env: Readonly<Record<string, string>>;
}

/** Either the tools, or one sentence for each place that was looked at. */
export type Inspection = { tools: ClientTools } | { reasons: string[] };

/** All three tools of a folder; see {@link inspectPrograms}. */
export async function inspectFolder(
  major: number,
  folder: string,
  source: ClientSource,
  context: FolderContext,
): Promise<Inspection> {
  const inspection = await inspectPrograms(CLIENT_TOOLS, { major, folder, source }, context);
  if ('reasons' in inspection) return inspection;
  const psql = await inspectPrograms(['psql'], { major, folder, source }, context);
  const hasPsql = 'version' in psql && psql.version === inspection.version;
  return {
    tools: {
      major,
      version: inspection.version,
      pgDump: path.join(folder, 'pg_dump'),
      pgRestore: path.join(folder, 'pg_restore'),
      pgDumpall: path.join(folder, 'pg_dumpall'),
      ...(hasPsql ? { psql: path.join(folder, 'psql') } : {}),
      source,
      env: inspection.env,
    },
  };
}
