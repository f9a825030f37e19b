/**
 * The built action in a shell that limits the size of files (`ulimit -f`, in KiB, from FILE_SIZE_LIMIT_KIB): a disk
 * that takes no more, without the right to make one.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const DIST = fileURLToPath(new URL('../../../dist/index.js', import.meta.url));

const command = 'ulimit -f "$FILE_SIZE_LIMIT_KIB"; exec "$0" "$1"';
const child = spawn('bash', ['-c', command, process.execPath, DIST], { stdio: 'inherit' });
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => child.kill(name));
child.once('close', (code) => {
  process.exitCode = code ?? 1;
});
