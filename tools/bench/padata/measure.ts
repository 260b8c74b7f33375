/** Rate and CPU time of one subject under a steady load. */
import { stopwatch } from '../../kit/stopwatch.js';
import { warmUp } from '../../kit/warm-up.mjs';
import type { OpenSubject } from './peers.js';
import type { TaskValue } from './subjects.js';

/** A slice of the warm-up. */
const SLICE_MS = 50;

/** Keeps `inFlight` jobs going until `until`; resolves to how many were done. */
async function pump(
  subject: OpenSubject,
  value: TaskValue,
  inFlight: number,
  until: number,
): Promise<number> {
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
}

/** Runs jobs until their rate stands still, on all threads. */
export async function warm(
  subject: OpenSubject,
  value: TaskValue,
  inFlight: number,
): Promise<void> {
  await warmUp(async () => {
    const start = performance.now();
    const done = await pump(subject, value, inFlight, start + SLICE_MS);
    return done / (performance.now() - start);
  });
}

/** Keeps `inFlight` jobs going for about `ms`, warmed up before; jobs a second, and microseconds of CPU a job. */
export async function measure(
  subject: OpenSubject,
  value: TaskValue,
  inFlight: number,
  ms: number,
): Promise<{ rate: number; cpu: number }> {
  await warm(subject, value, inFlight);
  const times = stopwatch();
  const done = await pump(subject, value, inFlight, performance.now() + ms);
  const { wallMs, cpuMs } = times();
  return { rate: (done / wallMs) * 1000, cpu: (cpuMs / done) * 1000 };
}
