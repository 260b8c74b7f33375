/** What waking the calling thread costs: jobs whose results are wanted one by one, and jobs submitted with `more`. */
import { measure } from '../measure.js';
import { inTurn, type Samples } from '../../../kit/samples.js';
import { bootmemCallbacks } from '../subjects.js';
import { calibrate } from '../threads/tasks.mjs';
import type { BenchOptions } from '../bench-options.js';

const IN_FLIGHT = 64;

export async function waking(samples: Samples, options: BenchOptions): Promise<void> {
  for (let round = 0; round < options.rounds; round += 1) {
    for (const microseconds of [100, 1000]) {
      const shared = { steps: calibrate(microseconds) };
      const testCase = `${microseconds} us job, ${IN_FLIGHT} in flight, ${options.threads} threads, woken for each or not`;
      for (const more of inTurn([false, true], round)) {
        const subject = bootmemCallbacks('spin', IN_FLIGHT, shared, more);
        const open = await subject.open(options.threads);
        const { rate, cpu } = await measure(open, 0, IN_FLIGHT, 5 * options.sampleMs);
        await open.close();
        samples.add(testCase, subject.name, 'rate', 'jobs/s', rate);
        samples.add(testCase, subject.name, 'CPU', 'us/job', cpu);
      }
    }
  }
}
