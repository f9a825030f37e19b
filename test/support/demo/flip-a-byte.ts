/** `flip-a-byte.ts PROGRAM OFFSET ARGS…`: runs the program and changes one byte of its standard output on the way. */
import { spawn } from 'node:child_process';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const [program = '', offset = '0', ...args] = process.argv.slice(2);
const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
process.on('SIGTERM', () => child.kill('SIGTERM'));
const ended = new Promise<number>((resolve, reject) => {
  child.once('error', reject);
  child.once('close', (code) => resolve(code ?? 1));
});
await pipeline(child.stdout, flipAt(Number(offset)), process.stdout);
process.exitCode = await ended;

function flipAt(target: number): Transform {
  let passed = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const index = target - passed;
      passed += chunk.length;
      if (index >= 0 && index < chunk.length) chunk[index] = (chunk[index] ?? 0) ^ 0xff;
      done(null, chunk);
    },
  });
}
