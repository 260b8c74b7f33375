/** Wall time and CPU time of a piece of work. */

/** Milliseconds; CPU time is that of all threads of the process. */
export interface Times {
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** Starts; call what it returns for the time since then. */
export function stopwatch(): () => Times {
  const cpu = process.cpuUsage();
  const wall = performance.now();
  return () => {
    const wallMs = performance.now() - wall;
    const used = process.cpuUsage(cpu);
    return { wallMs, cpuMs: (used.user + used.system) / 1000 };
  };
}

/** Times a piece of work. */
export async function timed(work: () => unknown): Promise<Times> {
  const times = stopwatch();
  await work();
  return times();
}
