/** Rate and CPU time of one subject under a steady load. */
import { Deadline } from '../../kit/deadline.js';
import { stopwatch } from '../../kit/stopwatch.js';
import { warmUp } from '../../kit/warm-up.mjs';
import type { OpenSubject } from './peers.js';

/** A slice of the warm-up. */
const SLICE_MS = 50;

/** How long a warm-up may take, where the usual limits are not the right ones; milliseconds. */
export interface WarmUpLimits {
  readonly sliceMs: number;
  readonly leastMs: number;
  readonly mostMs: number;
}

/** Keeps `inFlight` jobs going for `ms`; resolves to how many were done. */
export async function pump(
  subject: OpenSubject,
  value: unknown,
  inFlight: number,
  ms: number,
): Promise<number> {
  const deadline = new Deadline(performance.now() + ms);
  if (subject.pump !== undefined) return await subject.pump(value, inFlight, deadline);
  let done = 0;
  const lane = async (): Promise<void> => {
    do {
      await subject.run(value);
      done += 1;
    } while (!deadline.isOver);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return done;
}

/** Runs jobs until their rate stands still, on all threads. */
export async function warm(
  subject: OpenSubject,
  value: unknown,
  inFlight: number,
  limits?: WarmUpLimits,
): Promise<void> {
  await warmUp(async () => {
    const start = performance.now();
    const done = await pump(subject, value, inFlight, limits?.sliceMs ?? SLICE_MS);
    return done / (performance.now() - start);
  }, limits);
}

/** Rate and price of a job. */
export interface Measured {
  /** Jobs a second. */
  readonly rate: number;
  /** Microseconds of CPU a job, of all threads of this process. */
  readonly cpu: number;
}

/** Keeps `inFlight` jobs going for about `ms`. */
export async function sample(
  subject: OpenSubject,
  value: unknown,
  inFlight: number,
  ms: number,
): Promise<Measured> {
  const times = stopwatch();
  const done = await pump(subject, value, inFlight, ms);
  const { wallMs, cpuMs } = times();
  return { rate: (done / wallMs) * 1000, cpu: (cpuMs / done) * 1000 };
}

/** The same, warmed up before. */
export async function measure(
  subject: OpenSubject,
  value: unknown,
  inFlight: number,
  ms: number,
): Promise<Measured> {
  await warm(subject, value, inFlight);
  return await sample(subject, value, inFlight, ms);
}
