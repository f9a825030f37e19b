/** The most memory that a process ever had: the kernel's high-water mark, read while it lives. */
import { readFileSync } from 'node:fs';

const SAMPLE_MS = 50;

export interface PeakMemory {
  /** For `onStart` of a run. */
  watch(child: { pid: number }): void;
  /** Of all that were watched; 0 when none was seen. */
  bytes(): number;
}

export function peakMemory(): PeakMemory {
  let peak = 0;
  return {
    watch: ({ pid }) => {
      const timer = setInterval(() => {
        try {
          const kilobytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0;
          peak = Math.max(peak, Number(kilobytes) * 1024);
        } catch {
          clearInterval(timer);
        }
      }, SAMPLE_MS);
    },
    bytes: () => peak,
  };
}
