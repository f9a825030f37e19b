/** Starts an ephemeral server and waits to be killed: `run-server.ts FOLDER MAJOR`. Prints one line of JSON, or the error's. */
import path from 'node:path';
import { startEphemeralServer } from '../../src/postgres/server/start.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { emptySearch } from './server-search.ts';
import { silentLog } from './silent-log.ts';

const [folder = '', major = ''] = process.argv.slice(2);
const signal = new AbortController().signal;
try {
  const server = await startEphemeralServer({
    major: Number(major),
    workDir: path.join(folder, 'db-backup-action-run'),
    env: { SECRET: 'correct horse' },
    search: emptySearch(folder),
    signal,
    log: silentLog,
    clock: systemClock,
  });
  console.log(JSON.stringify({ socket: server.connection.hosts[0].host, version: server.version }));
  setInterval(() => undefined, 60_000);
} catch (error) {
  console.log(JSON.stringify({ failure: String(error) }));
}
