/** What the machine's process table says while something runs and after it: Linux only, by /proc. */
import { readdirSync, readFileSync } from 'node:fs';

/** One process, as everybody on the machine (command line) or its own user (environment) can see it. */
export interface SeenProcess {
  pid: number;
  commandLine: string;
  environment: string[];
}

/** The environment that a process was started with, as `NAME=value`; empty when it is gone. */
export function environmentOf(pid: number): string[] {
  return readNulls(`/proc/${pid}/environ`);
}

/** Living processes whose environment or command line holds `text`. */
export function processesWith(text: string): SeenProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((name) => look(Number(name)))
    .filter((seen) => [seen.commandLine, ...seen.environment].some((part) => part.includes(text)));
}

/** Process ids of the children of `pid` whose command line matches. */
export function childrenOf(pid: number, commandLine: RegExp): number[] {
  return descendants(pid).filter((child) => commandLine.test(look(child).commandLine));
}

export interface DescendantWatch {
  /** Every process that was seen below the watched one, each as it was seen at its last command line. */
  stop(): SeenProcess[];
}

/** Looks at all descendants of a process, again and again. */
export function watchDescendants(pid: number, everyMs = 10): DescendantWatch {
  const seen = new Map<string, SeenProcess>();
  const watched = look(pid).commandLine;
  const sample = (): void => {
    for (const child of descendants(pid)) {
      const now = look(child);
      // Between fork and exec a child looks like its parent.
      if (now.commandLine !== '' && now.commandLine !== watched) seen.set(`${child} ${now.commandLine}`, now);
    }
  };
  const timer = setInterval(sample, everyMs);
  return {
    stop() {
      clearInterval(timer);
      return [...seen.values()];
    },
  };
}

function look(pid: number): SeenProcess {
  return { pid, commandLine: readNulls(`/proc/${pid}/cmdline`).join(' '), environment: environmentOf(pid) };
}

function descendants(pid: number): number[] {
  const children = threadsOf(pid).flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`)
      .split(' ')
      .filter((text) => text !== '')
      .map(Number),
  );
  return children.flatMap((child) => [child, ...descendants(child)]);
}

/** Children belong to the thread that started them. */
function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

function readNulls(file: string): string[] {
  return read(file)
    .split('\0')
    .filter((text) => text !== '');
}

/** Processes end while they are being looked at, and those of other users keep their environment to themselves. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isGone(error)) return '';
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '');
}
