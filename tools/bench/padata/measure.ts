/** Rate and CPU time of one subject under a steady load. */
import type { OpenSubject } from './peers.js';
import type { TaskValue } from './subjects.js';

/** Keeps `inFlight` jobs going for about `ms`, after a warm-up; reports rate and CPU time. */
export async function measure(
  subject: OpenSubject,
  value: TaskValue,
  inFlight: number,
  ms: number,
): Promise<{ rate: number; cpu: number }> {
  const pump = async (until: number): Promise<number> => {
    if (subject.pump !== undefined) return await subject.pump(value, inFlight, until);
    let done = 0;
    const lane = async (): Promise<void> => {
      // Looking at the clock costs more than a trivial job: look once in a while.
      for (let turn = 0; (turn & 15) !== 0 || performance.now() < until; turn += 1) {
        await subject.run(value);
        done += 1;
      }
    };
    await Promise.all(Array.from({ length: inFlight }, lane));
    return done;
  };
  await pump(performance.now() + ms / 4);
  const cpu = process.cpuUsage();
  const start = performance.now();
  const done = await pump(start + ms);
  const wall = performance.now() - start;
  const used = process.cpuUsage(cpu);
  return { rate: (done / wall) * 1000, cpu: (used.user + used.system) / done };
}
