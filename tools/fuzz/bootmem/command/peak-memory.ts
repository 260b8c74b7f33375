/** Resident memory of this process, at its highest within a stretch of work. */
import { readFileSync, writeFileSync } from 'node:fs';

/** Bytes. */
export const MIB = 2 ** 20;
/** What earlier work left is collected first when there is more of it, in bytes. */
const LEFT_OVER = 160 * MIB;

/**
 * Starts; call what it returns for the highest since then, in MiB. Linux counts it from where it is told to; elsewhere it is the process's
 * highest of all, which is no less.
 */
export function peakMemory(): () => number {
  if (process.memoryUsage.rss() > LEFT_OVER) globalThis.gc?.();
  try {
    // 5: the highest is from now on counted anew.
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    return () => process.resourceUsage().maxRSS / 1024;
  }
  return () => {
    const [, kib] = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))!;
    return Number(kib) / 1024;
  };
}
