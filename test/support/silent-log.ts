/** A log that says nothing and keeps everything. */
import type { Log } from '../../src/ports.ts';

export interface SilentLog extends Log {
  readonly lines: string[];
}

export function recordingLog(): SilentLog {
  const lines: string[] = [];
  const keep = (message: string): void => {
    lines.push(message);
  };
  return {
    lines,
    info: keep,
    progress: keep,
    notice: keep,
    warning: keep,
    error: keep,
    debug: keep,
    mask: () => undefined,
    group: (_, body) => body(),
  };
}

/** For those who do not look. */
export const silentLog: Log = recordingLog();
