/** The restore: RESTORE.md carried out as printed, and then every table compared. */
import { readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Contents } from '../../../src/domain/contents.ts';
import { formatCount } from '../../../src/domain/words.ts';
import { contentDifferences, type DatabaseContent, liveContent, recordedContent } from '../compare-databases.ts';
import { restoreByGuide } from '../restore-by-guide.ts';
import type { ActionResult } from '../run-action.ts';
import { findGuidePrograms } from './guide-programs.ts';
import type { SetStage } from './story.ts';

/** Restores into the new database `target`. Resolves with what was proved, in one sentence; throws when it is not so. */
export async function proveRestore(
  stage: SetStage,
  run: ActionResult,
  source: string,
  target: string,
): Promise<string> {
  const folder = path.join(stage.folder, 'restore');
  await mkdir(folder);
  try {
    await restoreIt(stage, run, folder, target);
    stage.signal.throwIfAborted();
    const contents = JSON.parse(readFileSync(path.join(folder, 'contents.json'), 'utf8')) as Contents;
    return await compare(stage, contents, source, target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function restoreIt(stage: SetStage, run: ActionResult, folder: string, target: string): Promise<void> {
  const { screen, server, clients, identityFile } = stage;
  screen.step('The restore: the commands of RESTORE.md, as printed, and nothing of the action');
  const printed = readFileSync(path.join(run.outputs['backup-uri'] ?? '', 'RESTORE.md'), 'utf8');
  const { guide, programs, words } = await findGuidePrograms(printed, path.join(folder, 'programs'));
  screen.say(`Into the new database "${target}" on the same server. ${words.join(' ')}`);
  screen.say(`Steps: ${stepsOf(guide).join(', ')}.`);
  const output = await restoreByGuide(guide, {
    folder,
    server,
    database: target,
    clients,
    programs,
    env: { AGE_IDENTITY_FILE: identityFile, PGPASSFILE: path.join(folder, 'no-password-file') },
  });
  screen.lines(['']);
  screen.quote(output.trim().split('\n'));
  screen.lines(['']);
  if (/role ".*" already exists/.test(output)) {
    screen.say('That a role exists already is harmless, as the guide says: it is the same server.');
  }
}

/** Titles of the sections that hold commands. */
export function stepsOf(guide: string): string[] {
  return guide.split(/^## /m).flatMap((section) => (/^```sh$/m.test(section) ? [section.split('\n')[0] ?? ''] : []));
}

async function compare(stage: SetStage, contents: Contents, source: string, target: string): Promise<string> {
  const { screen, server, clients } = stage;
  screen.step('Source, backup and restored database side by side');
  const recorded = recordedContent(contents);
  const before = await liveContent({ server, database: source, clients }, contents);
  const after = await liveContent({ server, database: target, clients }, contents);
  screen.table(['table', 'rows:', 'content digest', 'source', 'backup', 'restored'], rowsOf(recorded, before, after));
  screen.lines(['']);
  const differences = [...contentDifferences(recorded, before), ...contentDifferences(recorded, after)];
  if (differences.length > 0) {
    screen.quote(differences);
    throw new Error('The restored database is not the one that was backed up; the differences are above.');
  }
  const rows = contents.tables.reduce((sum, table) => sum + table.rows, 0);
  const all = `all ${contents.tables.length} tables with ${formatCount(rows)} rows and all ${contents.sequences.length} sequences`;
  screen.say(
    'The digests in both databases were made anew, by psql and another implementation than that of the action.',
  );
  return `${all} are the same in the source, in the backup's contents.json and in the database that RESTORE.md restored.`;
}

/** One row a table of the backup. */
function rowsOf(recorded: DatabaseContent, before: DatabaseContent, after: DatabaseContent): string[][] {
  return Object.entries(recorded.rows).map(([table, entry]) => {
    const [rows = '', digest = ''] = entry.split(' ');
    const verdicts = [before, recorded, after].map((each) => (each.rows[table] === entry ? 'same' : 'DIFFERS'));
    return [table.replaceAll('"', ''), formatCount(Number(rows)), digest, ...verdicts];
  });
}
