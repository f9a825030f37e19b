/** The story of the demo, step by step. Each step throws when what it shows is not true. */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import type { Manifest } from '../../../src/domain/manifest.ts';
import { formatBytes } from '../../../src/domain/words.ts';
import type { Clients } from '../clients.ts';
import { loadDatabase } from '../databases/index.ts';
import { type PostgresServer, startPostgres } from '../postgres-server.ts';
import type { ActionResult, RunningAction } from '../run-action.ts';
import { filesBelow } from '../workflow-commands.ts';
import { ActionLog } from './action-log.ts';
import { drillBoth } from './drill.ts';
import { renderJobSummary } from './job-summary.ts';
import { chooseClients } from './postgres-choice.ts';
import { proveRestore } from './restore.ts';
import { runInDemo } from './run.ts';
import type { Screen } from './screen.ts';

const DATABASE = 'shop';
const RESTORED = 'shop_restored';

/** What a story needs of the world around it. */
export interface Stage {
  screen: Screen;
  /** Holds the backup and its key at the end. */
  folder: string;
  /** Whatever was started last is ended first. */
  resources: AsyncDisposableStack;
  /** Fires on Ctrl-C. */
  signal: AbortSignal;
  /** Is told of every run of the action, so that it can be cancelled. */
  onStart(action: RunningAction): void;
  /** Of Postgres, for which there is a server here; the first with client tools is taken. */
  majors: readonly number[];
}

/** The stage with a filled server on it. */
export interface SetStage extends Stage {
  server: PostgresServer;
  clients: Clients;
  /** Where backups go. */
  storage: string;
  /** The file with the secret key. */
  identityFile: string;
  recipient: string;
}

export async function tellStory(stage: Stage): Promise<void> {
  const { screen, signal } = stage;
  screen.say('db-backup-action: a backup that is proven, then restored, then drilled.');
  const set = await setStage(stage);
  signal.throwIfAborted();
  const run = await takeBackup(set);
  signal.throwIfAborted();
  showFiles(set, run);
  const proof = await proveRestore(set, run, DATABASE, RESTORED);
  signal.throwIfAborted();
  await damageOne(set);
  signal.throwIfAborted();
  const drilled = await drillBoth(set, run);
  signal.throwIfAborted();
  screen.step('The result');
  screen.say(`Proven and restored: ${proof}`);
  screen.say(drilled);
  screen.say(`The backup stays in ${set.storage}, its secret key in ${set.identityFile}. To remove both:`);
  screen.lines(['', `  rm -r ${stage.folder}`, '']);
}

async function setStage(stage: Stage): Promise<SetStage> {
  const { screen, resources, folder } = stage;
  screen.step('A Postgres with a shop in it');
  const clients = await chooseClients(stage.majors, (words) => screen.say(words), stage.signal);
  const server = await startPostgres({ major: clients.major });
  resources.defer(() => server.stop({ mode: 'immediate' }));
  await loadDatabase(server, DATABASE, 'shop');
  await mkdir(path.join(folder, 'home'));
  resources.defer(() => rm(path.join(folder, 'home'), { recursive: true, force: true }));
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  const identityFile = path.join(folder, 'backup-key.txt');
  await writeFile(identityFile, `# public key: ${recipient}\n${identity}\n`, { mode: 0o600 });
  const [version] = await server.query<{ server_version: string }>('SHOW server_version');
  screen.say(
    `Postgres ${version?.server_version} (from npm) listens on ${server.host}:${server.port}, with the database "${DATABASE}". ` +
      `pg_dump ${clients.version} is ${realpathSync(clients.pgDump)}.`,
  );
  return { ...stage, server, clients, storage: path.join(folder, 'storage'), identityFile, recipient };
}

async function takeBackup(stage: SetStage): Promise<ActionResult> {
  const { screen } = stage;
  screen.step('The action takes a backup, started as a runner starts it');
  const inputs = inputsOf(stage, 'demo');
  screen.table(
    ['with', ''],
    Object.entries(inputs).map(([name, value]) => [name, value.replaceAll('\n', ', ')]),
  );
  screen.lines(['']);
  const log = new ActionLog();
  const run = await runInDemo(stage, inputs, { onLine: (line) => screen.quote(log.read(line)) });
  if (run.exitCode !== 0) screen.quote(run.stderr.split('\n'));
  screen.step('The job summary, as GitHub would show it');
  screen.quote(renderJobSummary(run.summary, screen.width - 4));
  if (run.exitCode !== 0 || run.outputs.verdict !== 'proven') {
    throw new Error(`The backup of the demo was not proven: exit code ${run.exitCode}. See the log above.`);
  }
  return run;
}

function inputsOf({ server, storage, recipient }: SetStage, label: string): Record<string, string> {
  return {
    'database-url': server.uri(DATABASE),
    storage,
    'age-recipients': recipient,
    label,
    verify: 'archive\nsource',
  };
}

/** One bit of pg_dump's output arrives flipped: the run must be red, and the good backup must still be there. */
async function damageOne(stage: SetStage): Promise<void> {
  const { screen } = stage;
  screen.step('What red looks like: one bit of the dump is flipped on its way');
  const run = await runInDemo(stage, inputsOf(stage, 'damaged'), { shim: { damage: { kind: 'flip' } } });
  if (run.exitCode === 0 || run.outputs.verdict !== 'unproven') {
    throw new Error(`The damage was not noticed: exit code ${run.exitCode}, verdict ${run.outputs.verdict ?? 'none'}.`);
  }
  screen.say('pg_dump itself ended with exit code 0. The action says:');
  const log = new ActionLog();
  const errors = run.stdout.split('\n').filter((line) => line.startsWith('::error'));
  screen.lines(['']);
  screen.quote(errors.flatMap((line) => log.read(line)));
  screen.lines(['']);
  if (onlySourceFailed(run)) {
    screen.say(
      'pg_restore read it to its end, and every row count is right. Only the second reading of the source (verify: source) sees it.',
    );
  }
  screen.say(`Exit code ${run.exitCode}, verdict ${run.outputs.verdict}: the workflow is red, and somebody looks.`);
}

function onlySourceFailed(run: ActionResult): boolean {
  const manifest = JSON.parse(readFileSync(run.outputs['manifest-uri'] ?? '', 'utf8')) as Manifest;
  const doubtful = manifest.checks.filter(({ status }) => status !== 'passed');
  return doubtful.length === 1 && doubtful[0]?.id === 'source';
}

function showFiles({ screen, storage }: SetStage, run: ActionResult): void {
  screen.step('What lies in the storage');
  const set = run.outputs['backup-uri'] ?? '';
  screen.say(`${storage}/`);
  screen.lines([`  ${path.relative(storage, set)}/`]);
  const rows = filesBelow(set).map((name) => [name, formatBytes(statSync(path.join(set, name)).size)]);
  screen.table(['file', 'size:'], rows);
}
