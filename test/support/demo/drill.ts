/** The drills: the very backup restored into a server that the action starts for it alone, and then a copy that rotted. */
import { readFileSync } from 'node:fs';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { DrillRecord } from '../../../src/domain/drill-record.ts';
import { formatAge, formatDuration } from '../../../src/domain/words.ts';
import type { ActionResult } from '../run-action.ts';
import { filesBelow } from '../workflow-commands.ts';
import { ActionLog } from './action-log.ts';
import { runInDemo } from './run.ts';
import type { SetStage } from './story.ts';

const SHOWN_OF_LOG = /^(Backup|Local server|Postgres .* was started)/;

/** Resolves with what came of it, in one sentence. Throws when the backup does not pass, or when a rotten copy does. */
export async function drillBoth(stage: SetStage, run: ActionResult): Promise<string> {
  const words = await drillGood(stage, run);
  stage.signal.throwIfAborted();
  await drillRotten(stage, run);
  return words;
}

async function drillGood(stage: SetStage, run: ActionResult): Promise<string> {
  const { screen, storage } = stage;
  screen.step('A drill: the action restores that backup into a Postgres of its own, and judges it');
  const inputs = {
    backup: run.outputs['backup-id'] ?? '',
    storage,
    'age-identity': stage.identityFile,
    assertions: 'SELECT count(*) > 1000 FROM orders\nSELECT count(*) FROM orders WHERE customer_id IS NULL => 0',
    'max-restore-minutes': '5',
  };
  const shown = Object.entries({ command: 'drill', ...inputs });
  screen.table(
    ['with', ''],
    shown.map(([name, value]) => [name, value.replaceAll('\n', '; ')]),
  );
  screen.lines(['']);
  const drill = await runDrill(stage, inputs);
  const log = new ActionLog();
  const lines = drill.stdout.split('\n').flatMap((line) => log.read(line).map((part) => part.trim()));
  screen.quote(drill.exitCode === 0 ? lines.filter((line) => SHOWN_OF_LOG.test(line)) : lines);
  if (drill.exitCode !== 0 || drill.outputs.verdict !== 'passed') {
    throw new Error(`The drill did not pass: exit code ${drill.exitCode}. See the log above.`);
  }
  const record = recordOf(storage, inputs.backup);
  screen.lines(['']);
  screen.table(
    ['check', 'result', 'why'],
    record.checks.map(({ id, status, reason }) => [id, status, reason]),
  );
  screen.lines(['']);
  const words =
    `verdict ${record.verdict}, recovery time (RTO) ${formatDuration(record.timings.recoverySeconds)}, ` +
    `age of the data (RPO) ${formatAge(record.dataAgeSeconds)}`;
  screen.say(
    `Exit code 0, ${words}. The drill's server is gone again; its verdict is stored below ${storage}/shop/_drills/.`,
  );
  return `Drilled: ${words}.`;
}

/** One bit of the stored archive is another: the drill must be red before anything is restored from it. */
async function drillRotten(stage: SetStage, run: ActionResult): Promise<void> {
  const { screen, folder } = stage;
  screen.step('What a red drill looks like: one bit rots in a copy of the stored backup');
  const set = run.outputs['backup-uri'] ?? '';
  const storage = path.join(folder, 'rotten');
  const copy = path.join(storage, path.relative(stage.storage, set));
  try {
    await cp(set, copy, { recursive: true });
    await flipOneBit(path.join(copy, 'database.backup.age'));
    const drill = await runDrill(stage, { storage, 'age-identity': stage.identityFile });
    if (drill.exitCode === 0) throw new Error('The drill of a rotten copy passed.');
    const log = new ActionLog();
    const errors = drill.stdout.split('\n').filter((line) => line.startsWith('::error'));
    screen.quote(errors.flatMap((line) => log.read(line)));
    screen.lines(['']);
    const issue = drill.outputs['issue-number'];
    const alarm = issue === undefined ? '' : `, and issue #${issue} is opened (here by a GitHub that only plays one)`;
    screen.say(`Exit code ${drill.exitCode}: the workflow is red${alarm}. The backup itself is as it was.`);
  } finally {
    await rm(storage, { recursive: true, force: true });
  }
}

async function flipOneBit(file: string): Promise<void> {
  const bytes = await readFile(file);
  const middle = Math.floor(bytes.length / 2);
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
  await writeFile(file, bytes);
}

/** The only record of a drill of this set. */
function recordOf(storage: string, id: string): DrillRecord {
  const folder = path.join(storage, 'shop/_drills', id);
  const [name = ''] = filesBelow(folder);
  return JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as DrillRecord;
}

function runDrill(stage: SetStage, inputs: Readonly<Record<string, string>>): Promise<ActionResult> {
  return runInDemo(stage, { command: 'drill', ...inputs }, { withServer: true });
}
