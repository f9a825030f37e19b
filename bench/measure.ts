/** Wall time and peak memory of one child process, whole. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';

/** How often the kernel's high-water mark is read. It only grows, so nothing is lost in between but the very end. */
const SAMPLE_MS = 50;

export interface Measured {
  seconds: number;
  /** VmHWM of the process itself, without its children. */
  peakRssBytes: number;
  stdout: string;
}

/** Runs `file` to its end. Throws with its output when it fails: a failed contender has no time. */
export async function measure(file: string, args: readonly string[], env: Record<string, string>): Promise<Measured> {
  const startedAt = performance.now();
  const child = spawn(file, [...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  let peakRssBytes = 0;
  const sample = async (): Promise<void> => {
    peakRssBytes = Math.max(peakRssBytes, await highWaterMark(child.pid as number));
  };
  const timer = setInterval(() => void sample(), SAMPLE_MS);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const seconds = (performance.now() - startedAt) / 1000;
  clearInterval(timer);
  const stdout = Buffer.concat(output).toString('utf8');
  if (code !== 0) throw new Error(`${file} ended with exit code ${code}:\n${stdout.slice(-4000)}`);
  return { seconds, peakRssBytes, stdout };
}

async function highWaterMark(pid: number): Promise<number> {
  // The process may end between two samples; its last known mark stands.
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
