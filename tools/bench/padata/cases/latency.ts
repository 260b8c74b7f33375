/** Time from submission to result at half of what two threads can do: 100 µs jobs at a steady pace. */
import { PEERS, type Subject } from '../peers.js';
import { inTurn, type Samples } from '../../../kit/samples.js';
import { quantile } from '../../../kit/statistics.js';
import { warm } from '../measure.js';
import { bootmem, type TaskValue } from '../subjects.js';
import { calibrate } from '../tasks.mjs';
import type { BenchOptions } from '../bench-options.js';

/** Of the warm-up. */
const IN_FLIGHT = 64;

export async function latency(samples: Samples, options: BenchOptions): Promise<void> {
  const steps = calibrate(100);
  // Half of the capacity of the threads, at most half of what the machine's processors can give.
  const perMillisecond = Math.max(1, Math.round(options.threads * 10 * 0.5 * 0.5));
  for (let round = 0; round < options.rounds; round += 1) {
    const own = bootmem('spin', 256, { steps });
    const subjects: Subject[] = [own, ...PEERS];
    for (const subject of inTurn(subjects, round)) {
      const open = await subject.open(options.threads);
      const value: TaskValue = subject === own ? 0 : { kind: 'burn', steps };
      await warm(open, value, IN_FLIGHT);
      const times: number[] = [];
      const pending: Promise<unknown>[] = [];
      const total = Math.round(options.sampleMs * perMillisecond);
      const start = performance.now();
      for (let sent = 0; sent < total;) {
        const due = Math.min(total, Math.floor((performance.now() - start) * perMillisecond));
        for (; sent < due; sent += 1) {
          const at = performance.now();
          pending.push(
            open.run(value).then(() => {
              times.push(performance.now() - at);
            }),
          );
        }
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      await Promise.all(pending);
      await open.close();
      const testCase = `latency of 100 us jobs at half load (${perMillisecond * 1000} jobs/s)`;
      samples.add(testCase, subject.name, 'p50', 'us', 1000 * quantile(times, 0.5));
      samples.add(testCase, subject.name, 'p99', 'us', 1000 * quantile(times, 0.99));
    }
  }
}
