/** Fetches client tools as whoever runs this: `fetch-clients.ts given.json`. Prints the outcome. */
import { mkdirSync, readFileSync } from 'node:fs';
import { installClient } from '../../src/postgres/client-install.ts';
import { systemExec, toolkitExec } from '../../src/postgres/short-command.ts';
import { silentLog } from './silent-log.ts';

const { workDir, uri, key } = JSON.parse(readFileSync(process.argv[2] as string, 'utf8')) as Record<
  'workDir' | 'uri' | 'key',
  string
>;
mkdirSync(workDir);
const outcome = await installClient(17, {
  repository: { uri, key },
  workDir,
  env: process.env,
  exec: systemExec,
  ask: toolkitExec,
  log: silentLog,
  signal: new AbortController().signal,
});
console.log(JSON.stringify(outcome));
